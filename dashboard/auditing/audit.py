"""The audit trail: who did what to whom, in rows that hang together, so that none can be changed or taken out unseen.

A row is written in the transaction of the change that it tells of: both are there, or neither. Its hash is the SHA-256 of
a canonical JSON (keys sorted, no blanks, ASCII) of all its columns, the hash of the row before among them (64 zeros
before the first). So a changed, missing or moved row breaks the chain from there on, and `attendance audit verify` names
it. A tail that was cut off breaks nothing; against that the newest hash (the head) is kept elsewhere now and then and
given to `--expect`. The ids have no gaps and rise in the order of the commits: writers take their turn under a lock of
the database, held until the commit (SQLite has one writer anyway).

What it holds about people: their internal id, and which fields were changed. Never codes, names, pictures, templates,
passwords, secrets or what somebody searched for: what is in a chain can never be taken out again. So erasing a person
(dashboard/people/erasing.py) needs no change here: what the id stood for goes. Of accounts it holds the number, of keys
of the API the id; pages show the code or the name beside it as it is now.

`add` is called last in its transaction, after everything that waits for locks, so that nobody waits for each other.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms
from dashboard.models import AuditEntry, Employee, User

NO_HASH = "0" * 64
"""Before the first row."""
CHAIN_LOCK = 0x41_54_41_55
"""PostgreSQL's advisory lock that one writer of the trail holds until its commit ("ATAU")."""
BATCH = 1_000
"""Rows in memory while the chain is checked, or many are written."""
COLUMNS = (
    "id",
    "at_ms",
    "via",
    "actor_id",
    "key_id",
    "roles",
    "address",
    "action",
    "subject_type",
    "subject_id",
    "subject_code",
    "details",
    "previous",
)
"""What the hash is made of: everything but itself."""


@dataclass(frozen=True)
class Actor:
    """Who did it. `user_id` is None for commands, for keys of the API, and for somebody who isn't logged in."""

    user_id: int | None = None
    roles: str = ""
    address: str = ""
    via: str = "dashboard"
    key_id: str = ""


COMMAND = Actor(via="command")
"""Somebody with a shell on the site's machine, by the `attendance` command."""


@dataclass(frozen=True)
class Subject:
    """What it was done to."""

    type: str
    id: str


SITE = Subject("site", "")


@dataclass(frozen=True)
class Entry:
    """What one row tells of."""

    action: Action
    subject: Subject = SITE
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def person(employee: Employee) -> Subject:
    return Subject("person", employee.id)


def account(user: User) -> Subject:
    return Subject("account", str(user.id))


def add(
    session: Session,
    actor: Actor,
    action: Action,
    subject: Subject = SITE,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> str:
    """Write one row in the caller's transaction, as the last thing of it; returns the new head of the chain."""
    return add_all(session, actor, [Entry(action, subject, before, after)])


def add_all(session: Session, actor: Actor, entries: Iterable[Entry]) -> str:
    """As `add`, for many rows, which follow each other; memory doesn't grow with them."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
    number, head = (last.id, last.hash) if last else (0, NO_HASH)
    remaining = iter(entries)
    while chunk := list(islice(remaining, BATCH)):
        rows = []
        for entry in chunk:
            row = _row(actor, entry) | {"id": number + 1, "previous": head}
            number, head = number + 1, digest(row)
            rows.append(row | {"hash": head})
        session.execute(insert(AuditEntry), rows)
    return str(head)


def _row(actor: Actor, entry: Entry) -> dict[str, Any]:
    """Its columns but those by which rows hang together."""
    details = {name: values for name, values in (("before", entry.before), ("after", entry.after)) if values}
    return {
        "at_ms": now_ms(),
        "via": actor.via,
        "actor_id": actor.user_id,
        "key_id": actor.key_id,
        "roles": actor.roles,
        "address": actor.address[:64],
        "action": entry.action.value,
        "subject_type": entry.subject.type,
        "subject_id": entry.subject.id[:128],
        "subject_code": "",
        "details": _canonical(details),
    }


def digest(row: dict[str, Any]) -> str:
    """The hash of a row, which is given by its columns."""
    return hashlib.sha256(_canonical({name: row[name] for name in COLUMNS}).encode()).hexdigest()


def _canonical(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two states of a thing only what differs."""
    differing = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in differing}, {name: after[name] for name in differing}


# --- checking the chain ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """`broken_id` is the first row that doesn't fit, and `words` say why; None where all do."""

    rows: int
    head: str
    broken_id: int | None = None
    words: str = ""
    expected_found: bool = True
    """Whether the head that was asked for is one of the chain's."""

    @property
    def whole(self) -> bool:
        return self.broken_id is None and self.expected_found


def verify(session: Session, expect: str | None = None) -> Verdict:
    """Follow the chain from its first row; `expect` is a head that was kept elsewhere. Memory doesn't grow with the rows."""
    count, head, found = 0, NO_HASH, expect is None or expect == NO_HASH
    for row in _rows(session):
        words = _fault(row, count + 1, head)
        if words:
            return Verdict(count, head, row["id"], words, found)
        count, head = count + 1, row["hash"]
        found = found or head == expect
    return Verdict(count, head, expected_found=found)


def _rows(session: Session) -> Iterator[dict[str, Any]]:
    columns = [getattr(AuditEntry, name) for name in (*COLUMNS, "hash")]
    query = select(*columns).order_by(AuditEntry.id).execution_options(yield_per=BATCH)
    for row in session.execute(query):
        yield dict(row._mapping)


def _fault(row: dict[str, Any], number: int, head: str) -> str:
    if row["id"] != number:
        return f"row {number} is missing"
    if row["previous"] != head:
        return "it doesn't name the hash of the row before"
    if row["hash"] != digest(row):
        return "its values don't give its hash: it was changed"
    return ""
