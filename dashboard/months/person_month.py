"""A person's month as a calendar: by day the first time in and the last time out, as punched. Working times follow rules
and are worked out elsewhere; here a night shift's end stands on the day that it fell on."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.log.log_walk import rows_of
from dashboard.models import AttendanceEvent
from dashboard.months.asked_month import AskedMonth
from dashboard.recording.attendance_rules import day_bounds_ms
from dashboard.web import words
from dashboard.web.locales import first_weekday

EVENTS_SHOWN = 50
DAY_MS = 86_400_000


@dataclass
class Day:
    date: date
    punches: int = 0
    first_in: str = ""
    """HH:MM, empty without one; likewise last_out."""
    last_out: str = ""


@dataclass(frozen=True)
class Month:
    asked: AskedMonth
    weeks: list[list[Day | None]]
    """From the first day of the language's week; None outside the month."""
    days_present: int
    punches: int
    events: list[Any] = field(default_factory=list)
    """The newest of them, as the log has them: rows of log_query.rows."""


def weeks_of(first: date, punches: Iterable[tuple[datetime, str]]) -> list[list[Day | None]]:
    """The month's weeks with its punches (local time and direction, oldest first); those of other months are left out."""
    days = {
        day: Day(day) for day in calendar.Calendar().itermonthdates(first.year, first.month) if day.month == first.month
    }
    for moment, direction in punches:
        day = days.get(moment.date())
        if day is None:
            continue
        day.punches += 1
        if direction == "in":
            day.first_in = day.first_in or f"{moment:%H:%M}"
        else:
            day.last_out = f"{moment:%H:%M}"
    weeks = calendar.Calendar(first_weekday()).monthdatescalendar(first.year, first.month)
    return [[days.get(day) for day in week] for week in weeks]


def read(session: Session, employee_id: str, asked: AskedMonth, zone: ZoneInfo) -> Month:
    """A month of the calendar of the zone that each punch was recorded in."""
    first, last = asked.first, asked.last
    low, high = day_bounds_ms(first, zone)[0] - DAY_MS, day_bounds_ms(last, zone)[1] + DAY_MS  # zones may have changed
    event = AttendanceEvent
    query = select(event.event_id, event.captured_ms, event.direction, event.time_zone)
    query = query.where(event.employee_id == employee_id, event.captured_ms >= low, event.captured_ms < high)
    found = [
        (words.local(row.captured_ms, row.time_zone, zone), row)
        for row in session.execute(query.order_by(event.captured_ms, event.event_id))
    ]
    inside = [(moment, row) for moment, row in found if (moment.year, moment.month) == (first.year, first.month)]
    weeks = weeks_of(first, ((moment, row.direction) for moment, row in inside))
    present = sum(day is not None and day.punches > 0 for week in weeks for day in week)
    newest = [(row.captured_ms, row.event_id) for _, row in inside[-EVENTS_SHOWN:]]
    return Month(asked, weeks, present, len(inside), rows_of(session, newest))


def last_seen(session: Session, employee_id: str) -> tuple[int, str] | None:
    """Time and zone of the newest punch."""
    newest = (
        select(func.max(AttendanceEvent.captured_ms))
        .where(AttendanceEvent.employee_id == employee_id)
        .scalar_subquery()
    )
    query = select(AttendanceEvent.captured_ms, AttendanceEvent.time_zone)
    query = query.where(AttendanceEvent.employee_id == employee_id, AttendanceEvent.captured_ms == newest).limit(1)
    row = session.execute(query).first()
    return (row[0], row[1]) if row else None
