"""Who may log in: accounts, their passwords (argon2) and the one-time passwords that start or rescue them.

What an account may do (its roles, departments and person) is in account_rights.py.
"""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from dashboard.access import login_sessions
from dashboard.access.roles import FIRST_USER, Role
from dashboard.database import now_ms
from dashboard.models import User, UserRole

MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_NAME = 64
ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that are mistaken for each other when copied from a terminal."""

hasher = PasswordHasher()
_NOBODY = hasher.hash(secrets.token_urlsafe(32))
"""Verified against when the name is unknown, so that both failures take the same time."""


class AccountError(ValueError):
    """A name or password that can't be taken; the message says why and what to do."""


def one_time_password() -> str:
    """Four groups of four characters (79 bits), such as `k7qm-x2vd-9hpa-3wte`."""
    return "-".join("".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(4))


def ensure_admin(session: Session, name: str = "admin") -> str | None:
    """Create the first user and return the one-time password, which is shown this once; None if there is a user."""
    if session.scalar(select(exists().where(User.id.is_not(None)))):
        return None
    return create_user(session, name, FIRST_USER)


def create_user(session: Session, name: str, roles: frozenset[Role]) -> str:
    """Add somebody who may log in; returns the one-time password that the first log-in replaces. Raises AccountError."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise AccountError(
            _("user name %(name)r: use 1-%(longest)s printable characters", name=name[:80], longest=MAX_NAME)
        )
    if session.scalar(select(exists().where(User.name == name))):
        raise AccountError(_("user name %(name)r: taken; choose another, or reset that user's password", name=name))
    if not roles:
        raise AccountError(
            _("user name %(name)r: choose at least one role, of %(known)s", name=name, known=", ".join(Role))
        )
    password = one_time_password()
    user = User(name=name, password_hash=hasher.hash(password), must_change_password=True, created_ms=now_ms())
    session.add(user)
    session.flush()
    session.add_all(UserRole(user_id=user.id, role=role) for role in roles)
    session.flush()
    return password


def named(session: Session, name: str) -> User:
    """The account of that name; raises AccountError."""
    user = session.scalar(select(User).where(User.name == name))
    if user is None:
        known = ", ".join(session.scalars(select(User.name).order_by(User.name).limit(10))) or _("none yet")
        raise AccountError(_("user name %(name)r: not known; users are: %(known)s", name=name[:80], known=known))
    return user


def reset_password(session: Session, name: str) -> str:
    """Replace a forgotten password by a one-time password, which ends the user's sessions. Raises AccountError."""
    user, password = named(session, name), one_time_password()
    user.password_hash, user.must_change_password = hasher.hash(password), True
    login_sessions.end(session, user.id)
    return password


def verified(session: Session, name: str, password: str) -> User | None:
    """The user with that name and password who isn't disabled, or None; takes equally long either way."""
    user = session.scalar(select(User).where(User.name == name))
    try:
        hasher.verify(user.password_hash if user else _NOBODY, password[:MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        return None
    return user if user and user.disabled_ms is None else None


def set_password(session: Session, user_id: int, current: str, new: str, again: str) -> User:
    """Change a user's own password; raises AccountError with words for the form."""
    user = session.get_one(User, user_id)
    if verified(session, user.name, current) is None:
        raise AccountError(_("The current password is wrong."))
    if new != again:
        raise AccountError(_("The two new passwords differ; type the same one twice."))
    if not MIN_PASSWORD <= len(new) <= MAX_PASSWORD:
        raise AccountError(
            _(
                "The new password has %(count)s characters; use %(shortest)s to %(longest)s.",
                count=len(new),
                shortest=MIN_PASSWORD,
                longest=MAX_PASSWORD,
            )
        )
    if new == current or new.casefold() == user.name.casefold():
        raise AccountError(_("The new password must differ from the current one and from your name."))
    user.password_hash, user.must_change_password = hasher.hash(new), False
    return user
