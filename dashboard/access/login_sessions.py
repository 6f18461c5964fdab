"""Browsers that are logged in: kept by the server, so that they can be seen, and ended from elsewhere.

A session ends `session_hours` after its log-in whatever happens (absolute), after `session_idle_minutes` without a page
(idle), and at once with its row: at log-out, with a new password, when the account is disabled, or when somebody ends it.
The cookie holds a random token of 256 bits; the table its SHA-256, so that who reads the table can't take a session over.
"""

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from dashboard.database import now_ms
from dashboard.models import LoginSession
from dashboard.settings import DashboardSettings

SEEN_EVERY_MS = 60_000
"""A page isn't worth a write each time; so idle time is measured to a minute."""
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def begin(session: Session, user_id: int, address: str, browser: str, settings: DashboardSettings) -> str:
    """Enter a new session and return its token, which is kept nowhere; sessions that are over, anybody's, go."""
    now = now_ms()
    session.execute(
        delete(LoginSession).where(
            or_(
                LoginSession.started_ms <= now - settings.session_hours * HOUR_MS,
                LoginSession.seen_ms <= now - settings.session_idle_minutes * MINUTE_MS,
            )
        )
    )
    token = secrets.token_urlsafe(32)
    shown = "".join(c for c in browser if c.isprintable())[:200]
    session.add(
        LoginSession(
            token_hash=_digest(token),
            user_id=user_id,
            started_ms=now,
            seen_ms=now,
            address=address[:64],
            browser=shown,
        )
    )
    return token


def is_over(one: LoginSession, now: int, settings: DashboardSettings) -> bool:
    return (
        now >= one.started_ms + settings.session_hours * HOUR_MS
        or now >= one.seen_ms + settings.session_idle_minutes * MINUTE_MS
    )


def find(session: Session, token: str, settings: DashboardSettings) -> LoginSession | None:
    """The living session of that token."""
    one = session.scalar(select(LoginSession).where(LoginSession.token_hash == _digest(token)))
    return None if one is None or is_over(one, now_ms(), settings) else one


def is_due(one: LoginSession) -> bool:
    """Whether it is time to note that the session is in use."""
    return now_ms() >= one.seen_ms + SEEN_EVERY_MS


def note_seen(session: Session, session_id: int) -> None:
    one = session.get(LoginSession, session_id)
    if one is not None:
        one.seen_ms = now_ms()


def of_account(session: Session, user_id: int, settings: DashboardSettings) -> Sequence[LoginSession]:
    """The living ones, last seen first."""
    query = select(LoginSession).where(LoginSession.user_id == user_id).order_by(LoginSession.seen_ms.desc())
    now = now_ms()
    return [one for one in session.scalars(query) if not is_over(one, now, settings)]


def end(session: Session, user_id: int, session_id: int | None = None, but: int | None = None) -> int:
    """End one session of an account, or all, or all `but` one; returns how many there were."""
    query = select(LoginSession.id).where(LoginSession.user_id == user_id)
    if session_id is not None:
        query = query.where(LoginSession.id == session_id)
    if but is not None:
        query = query.where(LoginSession.id != but)
    ids = session.scalars(query).all()
    session.execute(delete(LoginSession).where(LoginSession.id.in_(ids)))
    return len(ids)
