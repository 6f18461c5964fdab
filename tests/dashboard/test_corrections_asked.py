"""Asking for corrections and deciding on them: once, with a reason, and nothing that can't be."""

from typing import Any

import pytest
from sqlalchemy import select

from dashboard.correcting.corrections import CorrectionError, ask, ask_to_add, decide
from dashboard.database import SessionFactory
from dashboard.models import AuditEntry, Correction
from dashboard.recording.records import record
from tests.dashboard.conftest import CAPTURED_MS

NOW_MS = CAPTURED_MS + 3_600_000
BY: dict[str, Any] = {"by": "hr", "now_ms": NOW_MS}


@pytest.fixture
def event_id(factory: SessionFactory, settings, add_person, make_decision) -> str:
    with factory.begin() as session:
        decision = make_decision(add_person(session, "E1", templates=0))
        record(session, decision, CAPTURED_MS, settings)
        return decision.event_id


def test_a_chain_keeps_the_punch_that_it_begins_with(factory: SessionFactory, event_id: str) -> None:
    with factory.begin() as session:
        first = ask(session, "change", event_id=event_id, new_ms=CAPTURED_MS - 60_000, reason="Late queue", **BY)
        assert (first.state, first.decided_ms) == ("asked", None)
        decide(session, first.id, "approved", **BY)
        second = ask(session, "void", corrects_id=first.id, reason="Wrong person", **BY)
        assert (second.punch_id, second.punch_ms, second.employee_id) == (event_id, CAPTURED_MS, first.employee_id)


def test_what_was_asked_and_decided_is_in_the_trail(factory: SessionFactory, event_id: str) -> None:
    with factory.begin() as session:
        asked = ask(session, "void", event_id=event_id, reason="Secret reason", **BY)
        decide(session, asked.id, "approved", **BY)
    with factory() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        person = session.get_one(Correction, asked.id).employee_id
    assert [(row.action, row.subject_id) for row in rows] == [
        ("correction.asked", person),
        ("correction.approved", person),
    ]
    assert "Secret" not in "".join(row.details for row in rows)


def test_only_the_first_decision_counts(factory: SessionFactory, event_id: str) -> None:
    with factory.begin() as session:
        asked = ask(session, "void", event_id=event_id, reason="Not me", **BY)
        decided = decide(session, asked.id, "refused", by="boss", now_ms=NOW_MS, note="It was you")
        assert (decided.state, decided.decided_by, decided.decided_note) == ("refused", "boss", "It was you")
        with pytest.raises(CorrectionError, match="boss has refused it already"):
            decide(session, asked.id, "approved", **BY)


def bad(**changes: Any) -> dict[str, Any]:
    return {"action": "change", "reason": "r", **BY, **changes}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (bad(new_ms=1), "one event or one older correction"),
        (bad(event_id="x", corrects_id=1, new_ms=1), "one event or one older correction"),
        (bad(event_id="nobody", new_direction="in"), "event 'nobody': not known"),
        (bad(corrects_id=99, new_direction="in"), "correction 99: not known"),
        (bad(event_id="x"), "the right time, the right direction"),
        (bad(event_id="x", action="void", new_direction="in"), "neither time nor direction"),
        (bad(event_id="x", action="delete"), "use void or change"),
        (bad(event_id="x", new_direction="sideways"), "use in or out"),
        (bad(event_id="x", new_ms=NOW_MS + 61_000), "not in the future"),
        (bad(event_id="x", new_ms=-1), "after the year 2000"),
        (bad(event_id="x", new_direction="in", reason=" "), "reason: 1 to 500"),
        (bad(event_id="x", new_direction="in", reason="r" * 501), "got 501"),
    ],
)
def test_what_cannot_be_asked(factory: SessionFactory, values: dict[str, Any], said: str) -> None:
    with factory.begin() as session, pytest.raises(CorrectionError, match=said):
        ask(session, **values)


def test_an_added_punch_needs_somebody_a_direction_and_a_time_that_was(factory: SessionFactory, add_person) -> None:
    with factory.begin() as session:
        person = add_person(session, "E1", templates=0)
        with pytest.raises(CorrectionError, match="not known"):
            ask_to_add(session, "nobody", CAPTURED_MS, "in", reason="r", **BY)
        with pytest.raises(CorrectionError, match="use in or out"):
            ask_to_add(session, person, CAPTURED_MS, "up", reason="r", **BY)  # type: ignore[arg-type]
        with pytest.raises(CorrectionError, match="not in the future"):
            ask_to_add(session, person, NOW_MS + 86_400_000, "in", reason="r", **BY)
        with pytest.raises(CorrectionError, match="correction 7: not known"):
            decide(session, 7, "approved", **BY)
        with pytest.raises(CorrectionError, match="use approved, refused or withdrawn"):
            decide(session, 7, "asked", **BY)  # type: ignore[arg-type]
        added = ask_to_add(session, person, CAPTURED_MS, "in", reason="Kiosk was dark", **BY)
        with pytest.raises(CorrectionError, match="only an approved one"):
            ask(session, "void", corrects_id=added.id, reason="r", **BY)
    with factory() as session:
        assert session.get_one(Correction, added.id).punch_ms == CAPTURED_MS
