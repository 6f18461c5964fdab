"""Days out of the database: which rules hold, what corrections reach, how many queries it takes and by which indices."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from dashboard.correcting.corrections import ask, ask_to_add, decide
from dashboard.database import SessionFactory, reading
from dashboard.days.day import Day
from dashboard.days.policy import Policy, weekly
from dashboard.models import AttendanceEvent, DecisionRecord, Holiday, Leave, Site
from dashboard.months.day_store import days_of
from dashboard.planning.patterns import RulesError, assign, save_pattern
from tests.dashboard.days.sheet import JAKARTA, MONDAY, OFFICE, at, codes, roles, shift
from worker.protocol.entries import new_id

NOW_MS = at("12:00") + 30 * 86_400_000
BY: dict[str, Any] = {"by": "hr", "now_ms": NOW_MS}
SUNDAY = MONDAY + timedelta(days=6)


def punch(session: Session, person: str, at_ms: int, direction: str, **more: Any) -> str:
    event_id = new_id()
    decision = {"kiosk": "door", "presence": "p", "outcome": "accepted", "status": "recorded", "received_ms": at_ms}
    rest = {"good_frames": 3, "model_id": "m", "liveness": "not_checked", "worker": "w", **more}
    session.add(DecisionRecord(event_id=event_id, employee_id=person, captured_ms=at_ms, **decision, **rest))
    session.flush()
    row = {"event_id": event_id, "employee_id": person, "captured_ms": at_ms, "direction": direction}
    session.add(AttendanceEvent(**row, kiosk="door", time_zone="Asia/Jakarta"))
    session.flush()
    return event_id


def week(session: Session, person: str, **more: Any) -> list[Day]:
    return list(days_of(session, [person], MONDAY, SUNDAY, NOW_MS, JAKARTA, **more)[person])


def first(session: Session, person: str, **more: Any) -> Day:
    return days_of(session, [person], MONDAY, MONDAY, NOW_MS, JAKARTA, **more)[person][0]


@pytest.fixture
def person(factory: SessionFactory, add_person) -> str:
    """Somebody of the department Dock, which works 08:00–17:00 from Monday to Friday since the year before."""
    with factory.begin() as session:
        found: str = add_person(session, "E1", templates=0)
        version = save_pattern(session, "Office", weekly(OFFICE), date(2025, 1, 1), by="hr", now_ms=1)
        assign(session, date(2025, 1, 1), department="Dock", pattern_id=version.pattern_id, by="hr", now_ms=1)
    return found


def test_a_week(factory: SessionFactory, person: str) -> None:
    with factory.begin() as session:
        punch(session, person, at("08:00"), "in")
        punch(session, person, at("16:00"), "out", time_uncertain=True)
        punch(session, person, at("08:00+5"), "in")
        punch(session, person, at("10:00+5"), "out")
        session.add(
            Holiday(day=MONDAY + timedelta(days=1), name="Feast", source="entered", entered_ms=1, entered_by="hr")
        )
        away = MONDAY + timedelta(days=2)
        session.add(
            Leave(
                employee_id=person,
                first_day=away,
                last_day=away,
                kind="annual",
                paid=True,
                entered_ms=1,
                entered_by="hr",
            )
        )
        gone = {"kind": "annual", "paid": True, "entered_ms": 1, "entered_by": "hr", "withdrawn_ms": 2}
        session.add(Leave(employee_id=person, first_day=away, last_day=away + timedelta(days=1), **gone))
    with reading(factory) as session:
        days = week(session, person)
    assert [" ".join(day.statuses) for day in days] == [
        "present early_leave", "holiday", "on_leave", "absent", "absent", "rest_day present", "rest_day",
    ]  # fmt: skip
    assert codes(days[0]) == ["time_uncertain"]
    assert days[5].minutes.overtime_total == 120


def test_a_change_of_rules_leaves_earlier_days_as_they_were(factory: SessionFactory, person: str) -> None:
    with factory.begin() as session:
        for number in (0, 1):
            punch(session, person, at(f"08:10+{number}"), "in")
            punch(session, person, at(f"17:00+{number}"), "out")
        version = save_pattern(session, "Office", weekly(OFFICE), date(2025, 1, 1), by="hr", now_ms=2, pattern_id=1)
        kind = weekly(OFFICE, policy=Policy(grace_in_min=15))
        save_pattern(session, "Office", kind, MONDAY + timedelta(days=1), pattern_id=version.pattern_id, **BY)
        assert [day.minutes.late for day in week(session, person)[:2]] == [10, 0]
        # on purpose for the past too: the version that was made last holds
        save_pattern(
            session, "Office", kind, date(2025, 1, 1), by="hr", now_ms=NOW_MS + 1, pattern_id=version.pattern_id
        )
        assert [day.minutes.late for day in week(session, person)[:2]] == [0, 0]
        assert [day.minutes.late for day in week(session, person, rules_as_of_ms=NOW_MS)[:2]] == [10, 0]
        assert [day.minutes.late for day in week(session, person, rules_as_of_ms=3)[:2]] == [10, 10]


def test_a_persons_own_pattern_goes_before_the_departments_until_it_ends(factory: SessionFactory, person: str) -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    with factory.begin() as session:
        early = save_pattern(session, "Early", weekly(shift("06:00-14:00")), date(2025, 1, 1), **BY)
        site = Site(name="Makassar", time_zone="Asia/Makassar", country="", subdivision="")
        session.add(site)
        session.flush()
        assign(session, tuesday, employee_id=person, pattern_id=early.pattern_id, site_id=site.id, **BY)
        assign(session, wednesday, employee_id=person, **BY)
        session.add(
            Holiday(day=tuesday, name="There", site_id=site.id, source="entered", entered_ms=1, entered_by="hr")
        )
        session.add(
            Holiday(day=wednesday, name="There", site_id=site.id, source="entered", entered_ms=1, entered_by="hr")
        )
        days = week(session, person)
    starts = [day.shift_start_ms for day in days[:3]]
    assert starts == [at("08:00"), at("05:00+1"), at("08:00+2")]  # 06:00 in Makassar is 05:00 in Jakarta
    assert ["holiday" in day.statuses for day in days[:3]] == [False, True, False]


def test_nobody_said_which_shifts(factory: SessionFactory, add_person) -> None:
    with factory.begin() as session:
        alone = add_person(session, "E9", templates=0)
        assert first(session, alone).statuses == ("unplanned",)
        assert days_of(session, ["nobody"], MONDAY, MONDAY, NOW_MS, JAKARTA) == {}
        with pytest.raises(ValueError, match="the first one first"):
            days_of(session, [alone], SUNDAY, MONDAY, NOW_MS, JAKARTA)


def test_corrections_reach_from_day_to_day(factory: SessionFactory, person: str) -> None:
    """An out that was recorded a month late, moved to Monday; an in that was added and then corrected."""
    with factory.begin() as session:
        late = punch(session, person, at("17:00") + 30 * 86_400_000, "out", time_uncertain=True)
        moved = ask(session, "change", event_id=late, new_ms=at("17:00"), reason="Kiosk’s clock", **BY)
        added = ask_to_add(session, person, at("09:00"), "in", reason="Kiosk was dark", **BY)
        assert codes(first(session, person)) == ["correction_waiting"]
        assert first(session, person).statuses == ("absent",)
        for row in (moved, added):
            decide(session, row.id, "approved", **BY)
        again = ask(session, "change", corrects_id=added.id, new_ms=at("08:00"), reason="It was earlier", **BY)
        assert first(session, person).minutes.late == 60
        decide(session, again.id, "approved", **BY)
        day = first(session, person)
    assert (day.minutes.attended, day.minutes.late, codes(day)) == (540, 0, ["corrected", "corrected"])
    assert roles(day) == f"{added.punch_id} in, {late} out"


def test_names_of_patterns_and_assignments_are_checked(factory: SessionFactory, person: str) -> None:
    with factory.begin() as session:
        for name, said in (
            ("Office", "has it already"),
            (" ", "1 to 200"),
            ("a\nb", "printable"),
            ("x" * 201, "1 to 200"),
        ):
            with pytest.raises(RulesError, match=said):
                save_pattern(session, name, weekly(OFFICE), MONDAY, **BY)
        for whom, said in (
            ({}, "one employee or one department"),
            ({"employee_id": person, "department": "Dock"}, "one employee or one department"),
            ({"employee_id": "nobody"}, "employee 'nobody': not known"),
            ({"department": "Dock", "pattern_id": 99}, "shift pattern 99"),
            ({"department": "Dock", "site_id": 99}, "site 99"),
        ):
            with pytest.raises(RulesError, match=said):
                assign(session, MONDAY, **whom, **BY)  # type: ignore[arg-type]


@contextmanager
def watched(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """The statements that run meanwhile, with their parameters."""
    seen: list[tuple[str, Any]] = []
    engine = session.get_bind()

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def fill(factory: SessionFactory, add_person: Callable[..., str], people: int, days: int) -> list[str]:
    """Ordinary days of so many people; one of ten punches has a clock that can't be trusted, one is corrected."""
    with factory.begin() as session:
        ids = [add_person(session, f"P{number:04}", templates=0) for number in range(people)]
        version = save_pattern(session, "Filled", weekly(OFFICE), date(2025, 1, 1), **BY)
        assign(session, date(2025, 1, 1), department="Dock", pattern_id=version.pattern_id, **BY)
        decisions, events = [], []
        for person in ids:
            for number in range(days):
                for clock, direction in (("08:00", "in"), ("17:00", "out")):
                    values = {
                        "event_id": new_id(),
                        "employee_id": person,
                        "captured_ms": at(f"{clock}+{number}"),
                        "kiosk": "door",
                    }
                    figures = {
                        "received_ms": 1,
                        "good_frames": 3,
                        "model_id": "m",
                        "liveness": "not_checked",
                        "worker": "w",
                    }
                    words = {"presence": "p", "outcome": "accepted", "status": "recorded", "late": False}
                    decisions.append({**values, **figures, **words, "time_uncertain": len(decisions) % 100 == 0})
                    events.append({**values, "direction": direction, "time_zone": "Asia/Jakarta"})
        session.execute(DecisionRecord.__table__.insert(), decisions)  # type: ignore[attr-defined]
        session.execute(AttendanceEvent.__table__.insert(), events)  # type: ignore[attr-defined]
        for row in events[:: max(1, len(events) // 20)]:
            asked = ask(
                session, "change", event_id=row["event_id"], new_ms=row["captured_ms"] + 60_000, reason="r", **BY
            )  # type: ignore[operator]
            decide(session, asked.id, "approved", **BY)
    return ids


def test_it_takes_the_same_few_queries_for_everybody_and_each_goes_through_an_index(factory, add_person) -> None:
    ids = fill(factory, add_person, people=6, days=3)
    with reading(factory) as session:
        counts = []
        for some in (ids[:1], ids):
            with watched(session) as seen:
                days_of(session, some, MONDAY, SUNDAY, NOW_MS, JAKARTA)
            counts.append(len(seen))
        assert counts[0] <= counts[1] <= 11
        if session.get_bind().dialect.name != "sqlite":  # PostgreSQL reads tables as small as these whole
            return
        connection = session.connection()
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", args).all() for sql, args in seen]
        lines = [line[-1] for found in plans for line in found]
        scans = [line for line in lines if line.startswith("SCAN") and "INDEX" not in line]
        assert [
            line for line in scans if line.split()[1] in ("attendance_events", "decisions", "corrections", "leave")
        ] == []
        text = " ".join(lines)
        for index in ("event_by_employee", "decision_time_uncertain", "correction_by_punch_time", "correction_by_new_time",
                      "correction_by_punch ", "assignment_by_employee", "assignment_by_department", "leave_by_employee",
                      "ix_holidays_day"):  # fmt: skip
            assert f"{index}" in text, lines
