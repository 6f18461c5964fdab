"""Occupancy: how many people are in at each quarter of an hour.

Somebody is in from a punch in until their next punch at any door, if that comes within 16 hours; without one, until now,
if the punch in is no older. A punch in that nothing follows in that time (the out was forgotten) counts for nothing, and
how many there are is told. With a site in the filter they are those who came in by its doors.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func, null, select
from sqlalchemy.orm import Session

from dashboard.charts.quarters import QUARTER_MS, place
from dashboard.charts.scope import Scope
from dashboard.models import AttendanceEvent

LONGEST_MS = 16 * 3_600_000

ByDay = Mapping[date, Mapping[int, int]]
"""People in, by day and quarter of its clock (0 to 95)."""


@dataclass(frozen=True, slots=True)
class Stays:
    """`count` people were in at the quarters from `first` up to, and without, `end`; None: nobody knows until when."""

    first: int
    end: int | None
    count: int


@dataclass(frozen=True, slots=True)
class AtTime:
    """Of the days on which anybody was in."""

    mean: float
    highest: int


def read(session: Session, scope: Scope, as_of_ms: int) -> list[Stays]:
    """Those that begin before the period's end, and from 16 hours before it on. Paired and counted by the database."""
    event = AttendanceEvent
    following = func.lead(event.captured_ms).over(partition_by=event.employee_id, order_by=event.captured_ms)
    columns = (event.captured_ms, event.direction, event.kiosk, func.coalesce(following, as_of_ms).label("until_ms"))
    punch = select(*columns).where(*scope.rows_of_punches(LONGEST_MS)).subquery().c
    here = [] if scope.doors is None else [punch.kiosk.in_(scope.doors)]
    known = punch.until_ms - punch.captured_ms <= LONGEST_MS
    end = case((known, _quarter_from(punch.until_ms)), else_=null())
    stay = (
        select(_quarter_from(punch.captured_ms).label("first"), end.label("end"))
        .where(punch.direction == "in", punch.captured_ms < scope.end_ms, *here)
        .subquery()
        .c
    )
    rows = session.execute(select(stay.first, stay.end, func.count()).group_by(stay.first, stay.end))
    return [Stays(*row) for row in rows]


def _quarter_from(ms: Any) -> Any:
    """The first quarter that begins at `ms` or later."""
    return (ms + (QUARTER_MS - 1)) // QUARTER_MS


def by_day(stays: Iterable[Stays], scope: Scope, as_of_ms: int) -> dict[date, dict[int, int]]:
    """People in at each quarter of the period that is over. Where clocks are put back and a time comes twice, the higher."""
    changes: Counter[int] = Counter()
    for stay in stays:
        if stay.end is not None and stay.end > stay.first:
            changes[stay.first] += stay.count
            changes[stay.end] -= stay.count
    start, end = scope.start_ms // QUARTER_MS, min(scope.end_ms // QUARTER_MS, as_of_ms // QUARTER_MS + 1)
    inside = sum(count for quarter, count in changes.items() if quarter < start)
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for quarter in range(start, end):
        inside += changes[quarter]
        day, time = place(quarter, scope.zone)
        found[day][time] = max(inside, found[day].get(time, 0))
    return dict(found)


def forgotten(stays: Iterable[Stays], scope: Scope) -> int:
    """Punches in within the period that nothing followed."""
    return sum(stay.count for stay in stays if stay.end is None and stay.first * QUARTER_MS >= scope.start_ms)


def by_time(days: ByDay) -> dict[int, AtTime]:
    """Mean and highest at each quarter of the clock, from the first to the last at which anybody was in."""
    values: dict[int, list[int]] = defaultdict(list)
    for counts in days.values():
        if any(counts.values()):
            for quarter, count in counts.items():
                values[quarter].append(count)
    used = [quarter for quarter, counts in values.items() if any(counts)]
    if not used:
        return {}
    return {
        quarter: AtTime(sum(values[quarter]) / len(values[quarter]), max(values[quarter]))
        for quarter in range(min(used), min(max(used) + 2, max(values) + 1))
        if values[quarter]
    }


def fullest(days: ByDay) -> tuple[int, date, int] | None:
    """The most people in at once, with the first day and quarter of the clock at which they were; None without any."""
    counted = ((count, day, quarter) for day, counts in days.items() for quarter, count in counts.items())
    best = max(counted, key=lambda one: (one[0], -one[1].toordinal(), -one[2]), default=None)
    return best if best is not None and best[0] else None
