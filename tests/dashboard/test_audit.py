"""The audit trail: rows that hang together, whoever writes at the same time, and that nobody changes unseen."""

import threading
import tracemalloc
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import DatabaseError

from dashboard.auditing import audit, audit_query
from dashboard.auditing.audit import COMMAND, NO_HASH, Actor, Subject
from dashboard.auditing.audit_actions import WORDS, Action
from dashboard.database import SessionFactory, reading
from dashboard.models import AuditEntry

ADMIN = Actor(1, "hr,operator", "192.0.2.7")
DOOR = Subject("kiosk", "front-door")


def write(factory: SessionFactory, rows: int) -> list[str]:
    """Rows, each in a transaction of its own; returns the heads after them."""
    heads = []
    for number in range(rows):
        with factory.begin() as session:
            heads.append(
                audit.add(session, ADMIN, Action.KIOSK_CHANGED, DOOR, {"label": "a"}, {"label": f"“{number}”"})
            )
    return heads


def verdict(factory: SessionFactory, expect: str | None = None) -> audit.Verdict:
    with reading(factory) as session:
        return audit.verify(session, expect)


def meddle(factory: SessionFactory, statement: str) -> None:
    """What somebody does who may do anything with the database: the triggers are out of the way."""
    with factory.begin() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            session.execute(text("DROP TRIGGER IF EXISTS audit_log_no_update"))
            session.execute(text("DROP TRIGGER IF EXISTS audit_log_no_delete"))
        session.execute(text(statement))


def test_rows_hang_together(factory: SessionFactory) -> None:
    assert verdict(factory) == audit.Verdict(0, NO_HASH)
    heads = write(factory, 3)
    assert verdict(factory) == audit.Verdict(3, heads[-1])
    with reading(factory) as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [row.id for row in rows] == [1, 2, 3]
        assert [row.previous for row in rows] == [NO_HASH, *heads[:2]]
        assert (rows[0].actor_id, rows[0].roles, rows[0].address) == (1, "hr,operator", "192.0.2.7")
        assert rows[0].details == '{"after":{"label":"\\u201c0\\u201d"},"before":{"label":"a"}}'


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET details = '{}' WHERE id = 1",
        "UPDATE audit_log SET id = 9 WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 2",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE id = 1",
    ],
)
def test_the_database_refuses_to_change_or_delete(factory: SessionFactory, statement: str) -> None:
    postgres = factory.kw["bind"].dialect.name == "postgresql"
    if (postgres and "REPLACE" in statement) or (not postgres and "TRUNCATE" in statement):
        pytest.skip("the other database's words")
    heads = write(factory, 2)
    with pytest.raises(DatabaseError, match="append-only"), factory.begin() as session:
        session.execute(text(statement))
    assert verdict(factory).head == heads[-1]


def test_the_orm_is_refused_too(factory: SessionFactory) -> None:
    write(factory, 1)
    with pytest.raises(DatabaseError, match="append-only"), factory.begin() as session:
        session.get_one(AuditEntry, 1).details = "{}"
    with pytest.raises(DatabaseError, match="append-only"), factory.begin() as session:
        session.execute(delete(AuditEntry))


@pytest.mark.parametrize(
    ("statement", "broken", "words"),
    [
        ("UPDATE audit_log SET details = '{}' WHERE id = 2", 2, "was changed"),
        ("UPDATE audit_log SET actor_id = NULL WHERE id = 1", 1, "was changed"),
        ("UPDATE audit_log SET hash = previous WHERE id = 2", 2, "was changed"),
        ("UPDATE audit_log SET previous = hash WHERE id = 3", 3, "row before"),
        ("DELETE FROM audit_log WHERE id = 1", 2, "row 1 is missing"),
        ("DELETE FROM audit_log WHERE id = 3", 4, "row 3 is missing"),
        ("UPDATE audit_log SET id = 7 WHERE id = 4", 7, "row 4 is missing"),
    ],
)
def test_the_first_broken_row_is_named(factory: SessionFactory, statement: str, broken: int, words: str) -> None:
    write(factory, 4)
    meddle(factory, statement)
    found = verdict(factory)
    assert not found.whole
    assert found.broken_id == broken
    assert words in found.words


def test_a_tail_that_was_cut_off_is_found_by_a_head_kept_elsewhere(factory: SessionFactory) -> None:
    heads = write(factory, 4)
    assert verdict(factory, heads[1]).whole, "an older head is as good"
    assert verdict(factory, NO_HASH).whole
    meddle(factory, "DELETE FROM audit_log WHERE id > 2")
    assert verdict(factory).whole, "what is left hangs together"
    found = verdict(factory, heads[3])
    assert (found.whole, found.broken_id, found.expected_found) == (False, None, False)
    assert found.head == heads[1]


def test_writers_at_the_same_time_make_one_chain(factory: SessionFactory) -> None:
    start, errors = threading.Barrier(6), []

    def run() -> None:
        start.wait()
        try:
            write(factory, 10)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert (verdict(factory).rows, verdict(factory).whole) == (60, True)


def test_a_change_that_is_rolled_back_leaves_no_row_and_no_gap(factory: SessionFactory) -> None:
    write(factory, 1)
    with factory() as session:
        audit.add(session, COMMAND, Action.MODEL_USED, Subject("model", "m"))
        session.rollback()
    head = write(factory, 1)[-1]
    assert verdict(factory) == audit.Verdict(2, head)


def test_several_rows_of_one_transaction_and_hostile_text(factory: SessionFactory) -> None:
    with factory.begin() as session:
        for label in ("‮\U0001f600", "'; DROP TABLE audit_log; --", "\\u0000", "x" * 5_000):
            audit.add(session, ADMIN, Action.KIOSK_CHANGED, Subject("kiosk", "k" * 500), after={"label": label})
        audit.add(session, Actor(address="f" * 300), Action.LOGIN_FAILED)
    assert (verdict(factory).rows, verdict(factory).whole) == (5, True)
    with reading(factory) as session:
        assert session.scalar(select(func.max(func.length(AuditEntry.subject_id)))) == 128


def test_every_action_has_words() -> None:
    assert set(WORDS) == set(Action)
    assert all(len(action) <= 40 for action in Action)
    assert len(set(WORDS.values())) == len(Action)


@pytest.mark.parametrize(
    ("details", "lines"),
    [
        ("{}", []),
        ('{"after":{"roles":"hr"},"before":{"roles":"hr,operator"}}', ["roles: hr,operator → hr"]),
        ('{"after":{"departments":["A","B"]},"before":{"departments":[]}}', ["departments: none → A, B"]),
        ('{"after":{"name":"changed"}}', ["name: changed"]),
        ('{"after":{"ms":1765274400000}}', ["time: Tue 9 Dec 2025, 10:00:00 UTC"]),
        ('{"after":{"ms":null},"before":{"ms":-1}}', ["time: -1 → none"]),
        (f'{{"after":{{"ms":{10**30}}}}}', [f"time: {10**30}"]),
        ("not json", ["not json"]),
        ("[1]", ["[1]"]),
        ('{"after":7}', ['{"after":7}']),
    ],
)
def test_details_in_words(details: str, lines: list[str]) -> None:
    assert audit_query.details_words(details) == lines


def test_verifying_takes_no_more_memory_for_more_rows(factory: SessionFactory) -> None:
    head, rows = NO_HASH, []
    for number in range(1, 15_001):
        values = {
            "at_ms": 1,
            "via": "command",
            "actor_id": None,
            "key_id": "",
            "roles": "",
            "address": "",
            "action": "login",
        }
        values |= {"subject_type": "site", "subject_id": "", "subject_code": "", "details": "x" * 500}
        row: dict[str, Any] = {"id": number, **values, "previous": head}
        head = row["hash"] = audit.digest(row)
        rows.append(row)
    with factory.begin() as session:
        session.execute(insert(AuditEntry), rows)
    del rows
    tracemalloc.start()
    try:
        assert verdict(factory) == audit.Verdict(15_000, head)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000, "15,000 rows have 10 MB"
