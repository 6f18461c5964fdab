"""Who may log in."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class User(Base):
    """Somebody who may log in to the dashboard."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_ms: Mapped[int]
