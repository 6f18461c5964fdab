"""Between the password and the code: who gave a right password, kept in the signed cookie for a few minutes."""

import hashlib
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.models import User

KEPT_MS = 5 * 60_000
NAME = "pending_login"


def _mark(user: User) -> str:
    """Changes with the password, so that one that was reset meanwhile opens nothing."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Pending:
    user_id: int
    mark: str
    since_ms: int
    target: str

    @classmethod
    def of(cls, user: User, target: str, now_ms: int) -> "Pending":
        return cls(user.id, _mark(user), now_ms, target)

    @classmethod
    def read(cls, session: MutableMapping[str, Any]) -> "Pending | None":
        kept = session.get(NAME)
        return cls(**kept) if kept else None

    def keep(self, session: MutableMapping[str, Any]) -> None:
        session[NAME] = asdict(self)

    def holds(self, user: User, now_ms: int) -> bool:
        return self.mark == _mark(user) and 0 <= now_ms - self.since_ms < KEPT_MS
