"""Filters of lists that an account has given a name."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class SavedFilter(Base):
    """Belongs to one account alone. It names departments, doors and days, never a person: dashboard/web/saved_filters.py."""

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    page: Mapped[str] = mapped_column(String(16))
    """Which list it is of: a key of PAGES in dashboard/web/saved_filters.py."""
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(String(1_000))
    """As the page's own address has it: `department=Dock&kind=all`."""
    days: Mapped[str] = mapped_column(String(16))
    """Days counted from when it is opened, such as `week`; empty: those of `query`."""
    made_ms: Mapped[int]
    __table_args__ = (UniqueConstraint("user_id", "page", "name", name="uq_saved_filters_name"),)
