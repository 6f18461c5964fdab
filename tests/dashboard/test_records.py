"""A decision's transaction: what is written, as which status, in or out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from dashboard.database import SessionFactory, reading
from dashboard.days.policy import Pattern
from dashboard.days.shifts import Shift
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, Kiosk, Site
from dashboard.people.employees import deactivate
from dashboard.planning.patterns import assign, save_pattern
from dashboard.recording.attendance_rules import day_bounds_ms
from dashboard.recording.records import Result, arrival_for, record, recorded_for
from dashboard.settings import DashboardSettings
from worker.protocol.entries import BadEntry, Decision
from worker.protocol.outcomes import Outcome

MINUTE_MS = 60_000


@pytest.fixture
def keep(factory: SessionFactory, settings: DashboardSettings) -> Callable[..., Result]:
    """keep(decision): recorded in a transaction of its own, received as it was captured."""

    def keep(decision: Decision, received_ms: int | None = None) -> Result:
        with factory.begin() as session:
            return record(session, decision, received_ms or decision.captured_ms, settings)

    return keep


@pytest.fixture
def person(factory: SessionFactory, add_person: Callable[..., str]) -> str:
    with factory.begin() as session:
        return add_person(session, "E-1", templates=0)


def test_a_punch_is_written_with_direction_and_zone(factory, settings, keep, person, make_decision) -> None:
    result = keep(make_decision(person))
    assert (result.status, result.redelivered) == ("recorded", False)
    with reading(factory) as session:
        event = session.scalars(select(AttendanceEvent)).one()
        assert (event.employee_id, event.direction, event.time_zone) == (person, "in", "Asia/Jakarta")
        assert event.decision.distance == 4.5
        assert event.decision.liveness == "not_checked"
        assert session.get_one(Kiosk, "front-door").direction == "alternate"
    told = recorded_for(result)
    assert told is not None
    assert (told.outcome, told.name, told.direction) == (Outcome.RECORDED, "Name of E-1", "in")
    assert (told.local_date, told.local_time) == ("2026-11-24", "07:00")
    assert arrival_for(result).code == "E-1"


def test_a_kiosk_goes_by_the_clock_of_its_site(factory, keep, person, make_decision) -> None:
    with factory.begin() as session:
        session.add(Site(id=1, name="Plant", time_zone="Asia/Jayapura"))
        session.add(Site(id=2, name="Mars base", time_zone="Mars/Olympus"))  # of a newer machine, say
        session.flush()
        session.add_all([Kiosk(name="plant-door", site_id=1), Kiosk(name="mars-door", site_id=2)])
    for kiosk, zone, clock in (("plant-door", "Asia/Jayapura", "09:00"), ("mars-door", "Asia/Jakarta", "07:00")):
        result = keep(make_decision(person, kiosk=kiosk))
        told = recorded_for(result)
        assert result.event is not None
        assert told is not None
        assert (result.event.time_zone, told.local_time, arrival_for(result).local_time) == (zone, clock, clock)


def test_somebody_who_stays_longer_than_the_gap_is_one_punch(factory, keep, person, make_decision) -> None:
    """Whoever decided: the worker that named them, another one after it, or the backlog of an outage."""
    first = make_decision(person)
    keep(first)
    for seconds in (20, 40, 75, 130, 185):
        result = keep(make_decision(person, captured_ms=first.captured_ms + seconds * 1000))
        assert (result.status, result.record.duplicate_of) == ("duplicate", first.event_id)
    assert keep(make_decision(person, captured_ms=first.captured_ms + 246_000)).status == "recorded"


def test_a_decision_that_names_the_one_it_repeats_needs_no_gap(settings, factory, person, make_decision) -> None:
    settings = settings.model_copy(update={"presence_gap_s": 0})

    def keep(decision: Decision) -> Result:
        with factory.begin() as session:
            return record(session, decision, decision.captured_ms, settings)

    first = make_decision(person)
    keep(first)
    again = keep(make_decision(person, captured_ms=first.captured_ms + 20_000, repeats=first.event_id))
    assert (again.status, again.record.duplicate_of) == ("duplicate", first.event_id)
    lost = keep(make_decision(person, captured_ms=first.captured_ms + 90_000, repeats="never-arrived"))
    assert lost.status == "recorded"


def test_a_second_decision_within_the_gap_repeats_the_first_punch(settings, keep, person, make_decision) -> None:
    first = make_decision(person)
    keep(first)
    for apart_ms in (MINUTE_MS, -MINUTE_MS, 0):
        result = keep(make_decision(person, captured_ms=first.captured_ms + apart_ms))
        assert (result.status, result.record.duplicate_of) == ("duplicate", first.event_id)
    told = recorded_for(result)
    assert told is not None
    assert (told.event_id, told.decision_id) == (first.event_id, result.record.event_id)
    assert told.outcome is Outcome.DUPLICATE


def test_other_doors_and_later_times_are_punches_of_their_own(keep, person, make_decision) -> None:
    first = make_decision(person)
    directions = [
        keep(first).direction,
        keep(make_decision(person, kiosk="back-door", captured_ms=first.captured_ms + 1_000)).direction,
        keep(make_decision(person, captured_ms=first.captured_ms + MINUTE_MS + 1)).direction,
    ]
    assert directions == ["in", "out", "in"]


def test_a_new_day_begins_with_in_and_a_late_entry_counts_at_its_own_time(keep, person, make_decision) -> None:
    first = make_decision(person)
    assert keep(first).direction == "in"
    next_day = make_decision(person, captured_ms=first.captured_ms + 24 * 60 * MINUTE_MS)
    assert keep(next_day).direction == "in"
    spooled = make_decision(person, captured_ms=first.captured_ms + 8 * 60 * MINUTE_MS, late=True)
    assert keep(spooled, received_ms=next_day.captured_ms).direction == "out"


@pytest.mark.parametrize(("rules", "direction"), [(None, "out"), ('{"of a newer product": 1}', "in")])
def test_leaving_after_midnight_is_out(factory, keep, person, make_decision, rules, direction) -> None:
    """A night shift's day has two dates. Rules that can't be read cost nobody a punch: then each date begins anew."""
    evening = day_bounds_ms(date(2026, 11, 24), ZoneInfo("Asia/Jakarta"))[0] + 22 * 60 * MINUTE_MS
    with factory.begin() as session:
        night = Pattern((Shift(22 * 60, 30 * 60),))
        version = save_pattern(session, "Night", night, date(2026, 1, 1), by="hr", now_ms=1)
        version.rules_json = rules or version.rules_json
        assign(session, date(2026, 1, 1), employee_id=person, pattern_id=version.pattern_id, by="hr", now_ms=1)
    assert keep(make_decision(person, captured_ms=evening)).direction == "in"
    assert keep(make_decision(person, captured_ms=evening + 450 * MINUTE_MS)).direction == direction  # 05:30


def test_who_forgot_to_leave_comes_in_the_next_day(keep, person, make_decision) -> None:
    """Without a shift a day turns at 04:00."""
    evening = day_bounds_ms(date(2026, 11, 24), ZoneInfo("Asia/Jakarta"))[0] + 22 * 60 * MINUTE_MS
    at = [evening, evening + 210 * MINUTE_MS, evening + 24 * 60 * MINUTE_MS, evening + 31 * 60 * MINUTE_MS]
    directions = [keep(make_decision(person, captured_ms=moment)).direction for moment in at]
    assert directions == ["in", "out", "in", "in"]


def test_a_door_may_have_its_own_direction(factory, keep, person, make_decision) -> None:
    with factory.begin() as session:
        session.add(Kiosk(name="front-door", label="Exit", direction="out"))
    assert keep(make_decision(person)).direction == "out"


def test_whoever_is_deactivated_or_unknown_is_inactive(factory, settings, keep, person, make_decision) -> None:
    before = make_decision(person)
    with factory.begin() as session:
        deactivate(session, person, now_ms=before.captured_ms + 1)
    assert keep(before).status == "recorded"
    after = make_decision(person, captured_ms=before.captured_ms + 1)
    assert keep(after).status == "inactive"
    erased = keep(make_decision("nobody"))
    assert erased.status == "inactive"
    told = recorded_for(erased)
    assert told is not None
    assert (told.outcome, told.name) == (Outcome.INACTIVE, "")
    with reading(factory) as session:
        assert session.scalar(select(func.count()).select_from(AttendanceEvent)) == 1


def test_strangers_are_records_without_a_punch_and_without_a_name(settings, keep, make_decision) -> None:
    result = keep(make_decision())
    assert result.status == "not_a_punch"
    assert recorded_for(result) is None
    arrival = arrival_for(result)
    assert (arrival.outcome, arrival.name, arrival.employee_id) == (Outcome.UNKNOWN, None, None)


def test_the_same_event_id_again_finds_what_was_stored(factory, settings, keep, person, make_decision) -> None:
    decision = make_decision(person)
    first = keep(decision)
    again = keep(decision.model_copy(update={"captured_ms": decision.captured_ms + 5 * MINUTE_MS}))
    assert again.redelivered
    assert replace(again, redelivered=False, record=first.record, event=first.event, employee=first.employee) == first
    assert recorded_for(again) == recorded_for(first)
    with reading(factory) as session:
        assert session.scalar(select(func.count()).select_from(DecisionRecord)) == 1


@pytest.mark.parametrize(("ahead_ms", "uncertain"), [(5_000, False), (5_001, True), (86_400_000, True), (-1, False)])
def test_a_capture_from_the_future_is_flagged_and_kept(keep, person, make_decision, ahead_ms, uncertain) -> None:
    decision = make_decision(person)
    result = keep(decision, received_ms=decision.captured_ms - ahead_ms)
    assert result.record.time_uncertain is uncertain
    assert result.status == "recorded"


def test_accepted_without_saying_whom_is_refused(factory, keep, make_decision) -> None:
    with pytest.raises(BadEntry, match="employee_id"):
        keep(make_decision(outcome=Outcome.ACCEPTED))
    with reading(factory) as session:
        assert session.scalar(select(func.count()).select_from(DecisionRecord)) == 0
        assert session.scalar(select(func.count()).select_from(Employee)) == 0
