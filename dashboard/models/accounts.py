"""Who may log in, as what, by which proofs, and where they are logged in."""

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class User(Base):
    """Somebody who may log in to the dashboard. Never deleted, so that the audit trail's numbers keep their meaning."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_ms: Mapped[int]
    employee_id: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    """Whose own page it opens. No foreign key: that person may be erased, and ids are never used again."""
    disabled_ms: Mapped[int | None]


class UserRole(Base):
    """One of the roles that an account has; dashboard/access/rights.py says what each may do."""

    __tablename__ = "user_roles"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    __table_args__ = (
        CheckConstraint("role IN ('employee', 'supervisor', 'hr', 'operator', 'auditor')", name="user_role"),
    )


class UserDepartment(Base):
    """A department, by its name on the people's pages, that a supervisor looks after."""

    __tablename__ = "user_departments"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    department: Mapped[str] = mapped_column(String(200), primary_key=True)


class LoginSession(Base):
    """A browser that is logged in. The cookie holds a token, of which only the SHA-256 is kept here."""

    __tablename__ = "login_sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    started_ms: Mapped[int]
    seen_ms: Mapped[int]
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(200))


class SecondFactor(Base):
    """The authenticator app of an account; see dashboard/access/second_factor.py for why its secret isn't here."""

    __tablename__ = "second_factors"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
    key_mark: Mapped[str] = mapped_column(String(16))
    confirmed_ms: Mapped[int | None]
    """None while it is being set up: it isn't asked for yet."""
    last_step: Mapped[int]
    """The newest step of 30 s whose code was taken: neither it nor an older one is taken again."""


class RecoveryCode(Base):
    """Opens an account once in the app's stead."""

    __tablename__ = "recovery_codes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_ms: Mapped[int | None]
