"""Days of many people: what they need is read in at most eleven queries, however many people and days, then computed.

Every query goes through an index (tests/dashboard/test_day_store.py asks SQLite for its plans):

    attendance_events   event_by_employee (employee_id, captured_ms)
    decisions           decision_time_uncertain, a partial index of the few that are
    corrections         correction_by_punch_time, correction_by_new_time, then correction_by_punch
    assignments         assignment_by_employee, assignment_by_department
    leave               leave_by_employee
    holidays            ix_holidays_day
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from dashboard import models
from dashboard.days.calendar import Plan
from dashboard.days.corrections import Correction, Direction, Punch, corrected
from dashboard.days.day import Day
from dashboard.days.due import due_of
from dashboard.days.lateness import PlannedDay, came_as_corrected, came_as_recorded, planned_days
from dashboard.days.month import days_in_row, turns_of
from dashboard.models import AttendanceEvent, DecisionRecord
from dashboard.planning.plans import load_plans

MOST_DAYS = 400
"""A year and a bit in one go; more is a mistake in a link."""
ROWS_AT_ONCE = 1_000


def days_of(
    session: Session,
    employee_ids: Collection[str],
    first_day: date,
    last_day: date,
    as_of_ms: int,
    default_zone: ZoneInfo,
    rules_as_of_ms: int | None = None,
) -> dict[str, tuple[Day, ...]]:
    """The days from `first_day` to `last_day`, both included, by employee; people that aren't known are left out.

    `as_of_ms` is now: days that aren't over yet say so. `default_zone` is the clock of people without a site.
    `rules_as_of_ms` asks for the days by the rules as they were then. Raises ValueError for a range that can't be.
    """
    found = _rows(session, employee_ids, first_day, last_day, default_zone, rules_as_of_ms)
    return {
        person: days_in_row(row.plans, row.turns, corrected(row.punches, row.corrections), as_of_ms)
        for person, row in found.items()
    }


def planned_of(
    session: Session,
    employee_ids: Collection[str],
    first_day: date,
    last_day: date,
    as_of_ms: int,
    default_zone: ZoneInfo,
) -> Iterator[tuple[str, list[PlannedDay]]]:
    """By person when they were due at a fixed time and how late they came, as days_of has it, at a fraction of its time.

    Nearly all punches were never corrected: of these only times and directions are read.
    """
    around = first_day - timedelta(days=1), last_day + timedelta(days=1)
    plans = load_plans(session, employee_ids, *around, default_zone)
    if not plans:
        return
    distinct = {id(one): one for one in plans.values()}
    turns = {key: turns_of(planned) for key, planned in distinct.items()}
    dues = {key: [due_of(plan) for plan in planned] for key, planned in distinct.items()}
    from_ms, to_ms = min(turn[0] for turn in turns.values()), max(turn[-1] for turn in turns.values())
    about = _corrections(session, plans, from_ms, to_ms)
    mended = _punches(session, about, from_ms, to_ms, about) if about else {}
    came = {
        person: came_as_recorded(plans[person], turns[id(plans[person])], times)
        for person, times in _times(session, plans.keys() - about.keys(), from_ms, to_ms)
    }
    for person, corrections in about.items():
        row = corrected(mended[person], corrections)
        came[person] = came_as_corrected(plans[person], turns[id(plans[person])], row)
    for person, planned in plans.items():
        times = came.get(person) or came_as_recorded(planned, (), ())
        yield person, planned_days(planned, dues[id(planned)], times, as_of_ms)


def days_if(
    session: Session,
    correction: models.Correction,
    first_day: date,
    last_day: date,
    as_of_ms: int,
    default_zone: ZoneInfo,
) -> tuple[tuple[Day, ...], tuple[Day, ...]]:
    """The days of the correction's person as they are, and as they would be if it were approved now."""
    row = _rows(session, [correction.employee_id], first_day, last_day, default_zone)[correction.employee_id]
    as_if = [
        replace(one, state="approved", decided_ms=as_of_ms) if one.id == correction.id else one
        for one in row.corrections
    ]
    now, then = (
        days_in_row(row.plans, row.turns, corrected(row.punches, about), as_of_ms) for about in (row.corrections, as_if)
    )
    return now, then


@dataclass(frozen=True, slots=True)
class _Row:
    """What the days of one person are made of."""

    plans: Sequence[Plan]
    turns: Sequence[int]
    punches: Sequence[Punch]
    corrections: Sequence[Correction]


def _rows(
    session: Session,
    employee_ids: Collection[str],
    first_day: date,
    last_day: date,
    default_zone: ZoneInfo,
    rules_as_of_ms: int | None = None,
) -> dict[str, _Row]:
    if not 0 <= (last_day - first_day).days < MOST_DAYS:
        raise ValueError(f"days {first_day} to {last_day}: from 1 to {MOST_DAYS} days, the first one first")
    around = first_day - timedelta(days=1), last_day + timedelta(days=1)
    plans = load_plans(session, employee_ids, *around, default_zone, rules_as_of_ms)
    if not plans:
        return {}
    turns = {id(planned): turns_of(planned) for planned in {id(one): one for one in plans.values()}.values()}
    from_ms, to_ms = min(turn[0] for turn in turns.values()), max(turn[-1] for turn in turns.values())
    about = _corrections(session, plans, from_ms, to_ms)
    punches = _punches(session, plans, from_ms, to_ms, about)
    return {
        person: _Row(planned, turns[id(planned)], punches[person], about[person]) for person, planned in plans.items()
    }


def _corrections(session: Session, people: Collection[str], from_ms: int, to_ms: int) -> dict[str, list[Correction]]:
    """All corrections of punches that are, or were, or were asked to be in the range."""
    row = models.Correction
    touched = union(
        select(row.punch_id).where(row.employee_id.in_(people), row.punch_ms >= from_ms, row.punch_ms < to_ms),
        select(row.punch_id).where(row.employee_id.in_(people), row.new_ms >= from_ms, row.new_ms < to_ms),
    ).subquery()
    columns = (
        row.employee_id,
        row.id,
        row.punch_id,
        row.action,
        row.state,
        row.decided_ms,
        row.new_ms,
        row.new_direction,
        row.corrects_id,
    )
    query = select(*columns).where(row.punch_id.in_(select(touched.c.punch_id)))
    found: dict[str, list[Correction]] = defaultdict(list)
    rows: Sequence[Any] = session.execute(query).all()
    for person, *values in rows:
        found[person].append(Correction(*values))
    return found


def _punches(
    session: Session,
    people: Collection[str],
    from_ms: int,
    to_ms: int,
    corrections: dict[str, list[Correction]],
) -> dict[str, list[Punch]]:
    """The punches of the range, and those from elsewhere that a correction may have moved into it."""
    event = AttendanceEvent
    columns = (event.employee_id, event.event_id, event.captured_ms, event.direction, event.kiosk)
    inside = select(*columns).where(
        event.employee_id.in_(people), event.captured_ms >= from_ms, event.captured_ms < to_ms
    )
    rows: list[Any] = list(session.execute(inside))
    here = {row.event_id for row in rows}
    corrected_ids = {one.punch_id for about in corrections.values() for one in about}
    if corrected_ids - here:
        rows += session.execute(
            select(*columns).where(event.event_id.in_(corrected_ids - here), event.employee_id.in_(people))
        )
    uncertain = _uncertain(session, from_ms, to_ms, corrected_ids - here)
    found: dict[str, list[Punch]] = defaultdict(list)
    for person, event_id, captured_ms, direction, kiosk in rows:
        found[person].append(Punch(event_id, captured_ms, direction, kiosk, event_id in uncertain))
    return found


def _times(
    session: Session, people: Collection[str], from_ms: int, to_ms: int
) -> Iterator[tuple[str, Iterator[tuple[int, Direction]]]]:
    """By person the times and directions of the punches of the range, in order of time; a few rows in memory at once."""
    event = AttendanceEvent
    query = select(event.employee_id, event.captured_ms, event.direction).where(
        event.employee_id.in_(people), event.captured_ms >= from_ms, event.captured_ms < to_ms
    )
    ordered = query.order_by(event.employee_id, event.captured_ms).execution_options(yield_per=ROWS_AT_ONCE)
    rows: Iterator[Any] = iter(session.execute(ordered))
    for person, theirs in groupby(rows, key=itemgetter(0)):
        yield person, ((at_ms, direction) for _, at_ms, direction in theirs)


def _uncertain(session: Session, from_ms: int, to_ms: int, elsewhere: Collection[str]) -> set[str]:
    """Events whose clock can't be trusted; few, so that joining all of them with their decisions would be a waste."""
    row = DecisionRecord
    query = select(row.event_id).where(row.time_uncertain, row.captured_ms >= from_ms, row.captured_ms < to_ms)
    found = set(session.scalars(query))
    if elsewhere:
        found |= set(session.scalars(select(row.event_id).where(row.event_id.in_(elsewhere), row.time_uncertain)))
    return found
