"""Swaps of the model that were begun on a page."""

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class SwapRun(Base):
    """One stretch of a swap, run by a thread of the dashboard; see dashboard/gallery/swap_runs.py. Which model serves is
    said by `serving_model` alone: these rows tell people how it went."""

    __tablename__ = "swap_runs"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    """As in serving_model.holder while it lives."""
    target: Mapped[str] = mapped_column(String(128))
    goal: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8))
    begun_ms: Mapped[int] = mapped_column(index=True)
    begun_by: Mapped[str] = mapped_column(String(64))
    ended_ms: Mapped[int | None]
    unusable: Mapped[int]
    """Pictures in which the model found no face."""
    words: Mapped[str] = mapped_column(Text)
    """Why it failed, as the command would say it."""
    __table_args__ = (
        CheckConstraint("goal IN ('prepare', 'switch')", name="swap_goal"),
        CheckConstraint("state IN ('running', 'done', 'failed')", name="swap_state"),
    )
