"""API keys: made once and shown once, recognised by their first part, limited to scopes, revoked at once.

Making and revoking one is in the audit trail, so it is the last thing in its transaction.

The secret has 256 random bits, so its plain SHA-256 is as good as a slow hash: nobody can try secrets out.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.models import ApiKey

SCOPES = {
    "employees:read": lazy_gettext("read employees and departments"),
    "employees:write": lazy_gettext("add employees, change them, deactivate and reactivate them"),
    "events:read": lazy_gettext("read punches"),
    "days:read": lazy_gettext("read days and their minutes, as the rules compute them"),
    "kiosks:read": lazy_gettext("read kiosks and their state"),
    "webhooks:manage": lazy_gettext("see, add and remove webhooks, and send again what failed"),
}
DAY_MS = 86_400_000
LAST_USED_STEP_MS = 60_000
MAX_NAME, MAX_DAYS = 100, 3_650
KEY = re.compile(r"att_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class KeyProblem(ValueError):
    """A key that can't be made or found; the message says what to do."""


@dataclass(frozen=True)
class Caller:
    """Who sends a request: the key's id and name, and what it may do."""

    key_id: str
    name: str
    scopes: frozenset[str]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    session: Session,
    name: str,
    scopes: Iterable[str],
    *,
    days: int | None,
    by: str,
    now_ms: int,
    actor: audit.Actor = audit.COMMAND,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is never shown again. Without `days` it doesn't expire. Raises KeyProblem."""
    name, wanted = name.strip(), sorted(set(scopes))
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise KeyProblem(
            _("key name %(name)r: use 1-%(longest)s printable characters", name=name[:120], longest=MAX_NAME)
        )
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise KeyProblem(
            _(
                "scope %(scope)s: choose from %(known)s",
                scope=", ".join(unknown) or _("(none)"),
                known=", ".join(SCOPES),
            )
        )
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise KeyProblem(_("expires after %(days)s days: use 1-%(most)s", days=days, most=MAX_DAYS))
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey(
        id=key_id,
        name=name,
        secret_sha256=_digest(secret),
        scopes=" ".join(wanted),
        created_ms=now_ms,
        created_by=by[:64],
        expires_ms=None if days is None else now_ms + days * DAY_MS,
    )
    session.add(key)
    session.flush()
    told = {"name": name, "scopes": wanted, "days": days}
    audit.add(session, actor, Action.API_KEY_MADE, audit.Subject("api_key", key_id), after=told)
    return key, f"att_{key_id}_{secret}"


def verified(session: Session, text: str, now_ms: int) -> ApiKey | None:
    """The key whose text that is, if it is in force. Which part was wrong can't be told from the time it takes."""
    parts = KEY.fullmatch(text)
    if parts is None:
        return None
    key = session.get(ApiKey, parts[1])
    right = hmac.compare_digest(_digest(parts[2]), key.secret_sha256 if key else _digest(""))
    if key is None or not right or not in_force(key, now_ms):
        return None
    return key


def in_force(key: ApiKey, now_ms: int) -> bool:
    return key.revoked_ms is None and (key.expires_ms is None or now_ms < key.expires_ms)


def use_is_news(key: ApiKey, now_ms: int) -> bool:
    """Whether this use is worth writing down: at most one a minute is."""
    return key.last_used_ms is None or now_ms - key.last_used_ms >= LAST_USED_STEP_MS


def caller_of(key: ApiKey) -> Caller:
    return Caller(key.id, key.name, frozenset(key.scopes.split()))


def revoke(session: Session, key_id: str, now_ms: int, actor: audit.Actor = audit.COMMAND) -> ApiKey:
    """From the commit on the key opens nothing. Keeps an earlier revocation's time. Raises KeyProblem."""
    key = session.get(ApiKey, key_id.removeprefix("att_"), with_for_update=True)
    if key is None:
        raise KeyProblem(f"key {key_id[:40]!r}: not known; `attendance api-key list` shows them")
    if key.revoked_ms is None:
        key.revoked_ms = now_ms
        audit.add(session, actor, Action.API_KEY_REVOKED, audit.Subject("api_key", key.id), before={"name": key.name})
    return key


def all_keys(session: Session) -> list[ApiKey]:
    """Every key that there ever was, newest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.created_ms.desc(), ApiKey.id)))
