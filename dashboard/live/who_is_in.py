"""Who is in now, who isn't yet, and who is late today, by site and department; and the last arrival at each door.

The numbers come from today's days by the rules. They are kept for a few seconds, so that many open boards cost one look.
With more people than days are worked out for in a blink, they are counted by the direction of their last punch instead.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.database import now_ms, reading
from dashboard.days.day import Day
from dashboard.log.log_query import rows
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, Kiosk
from dashboard.months.day_store import days_of
from dashboard.planning.plans import sites_on
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import Services

KEPT_S = 15.0
MOST_KEPT = 64
"""Sets of departments that numbers are kept for."""
MOST_BY_RULES = 2_000
"""People whose days are worked out; more are counted by their last punch."""
BATCH = 500
LAST_PUNCH_MS = 16 * 3_600_000
"""Whoever came in longer ago has forgotten to punch out."""
DOOR_MS = 24 * 3_600_000
MOST_GROUPS, MOST_DOORS = 100, 50
"""What one board shows; the sums are of everybody."""
EXTENSION = "attendance_who_is_in"


@dataclass(frozen=True)
class Group:
    """`awaited` are due today and haven't come yet; `late` came late, or should have come by now. None: not worked out."""

    site: str
    department: str
    here: int
    awaited: int | None
    late: int | None


@dataclass(frozen=True)
class Door:
    name: str
    last: Any | None
    """The newest punch of a day's time, a row of log_query.rows; None without one."""


@dataclass(frozen=True)
class Who:
    groups: tuple[Group, ...]
    sums: Group
    doors: tuple[Door, ...]
    further: int
    """Groups that aren't shown."""


# --- the rules -------------------------------------------------------------------------------------------------------


def is_here(day: Day, as_of_ms: int) -> bool:
    """Whether the last punch that counts says in. Where the day's first and last punch count, what the door said decides."""
    used = [use for use in day.punches if use.role not in ("collapsed", "voided") and use.punch.at_ms <= as_of_ms]
    if not used:
        return False
    if any(use.role == "between" for use in used):
        return used[-1].punch.direction == "in"
    return used[-1].role in ("in", "already_in")


def is_awaited(day: Day) -> bool:
    """Due today, after holidays and leave, and not come."""
    m = day.minutes
    return m.required - m.holiday - m.leave > 0 and "present" not in day.statuses


def is_late(day: Day) -> bool:
    return day.minutes.late > 0 or any(note.code == "not_in_yet" for note in day.notes)


def today_of(days: Iterable[Day], as_of_ms: int) -> Day | None:
    """The day that a punch would belong to now: a night shift's is yesterday's until it is over."""
    return next((day for day in days if day.begins_ms <= as_of_ms < day.ends_ms), None)


# --- reading ---------------------------------------------------------------------------------------------------------


def look(session: Session, only: Collection[str] | None, as_of_ms: int, zone: ZoneInfo) -> Who:
    """Of active people in the departments `only`; of all of them for None."""
    query = select(Employee.id, Employee.department).where(Employee.deactivated_ms.is_(None), *_seen(only))
    people = {row.id: row.department for row in session.execute(query.limit(MOST_BY_RULES + 1))}
    few = len(people) <= MOST_BY_RULES
    groups = _by_rules(session, people, as_of_ms, zone) if few else _by_last_punch(session, only, as_of_ms)
    sums = Group("", "", sum(one.here for one in groups), None, None)
    if few:
        sums = Group("", "", sums.here, sum(one.awaited or 0 for one in groups), sum(one.late or 0 for one in groups))
    further = max(0, len(groups) - MOST_GROUPS)
    return Who(tuple(groups[:MOST_GROUPS]), sums, _doors(session, only, as_of_ms), further)


def _seen(only: Collection[str] | None) -> list[Any]:
    return [] if only is None else [Employee.department.in_(only)]


def _by_rules(session: Session, people: dict[str, str], as_of_ms: int, zone: ZoneInfo) -> list[Group]:
    today, one_day = local_date(as_of_ms, zone), timedelta(days=1)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    ids = list(people)
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        sites = sites_on(session, some, today, zone)
        for person, days in days_of(session, some, today - one_day, today + one_day, as_of_ms, zone).items():
            count, day = counts[sites.get(person, ""), people[person]], today_of(days, as_of_ms)
            if day is not None:
                said = {"here": is_here(day, as_of_ms), "awaited": is_awaited(day), "late": is_late(day)}
                count.update(name for name, holds in said.items() if holds)
    return [
        Group(site, department, count["here"], count["awaited"], count["late"])
        for (site, department), count in sorted(counts.items())
    ]


def _by_last_punch(session: Session, only: Collection[str] | None, as_of_ms: int) -> list[Group]:
    """One query: each person's newest punch through event_by_employee."""
    event = AttendanceEvent
    last = (
        select(event.direction)
        .where(event.employee_id == Employee.id, event.captured_ms > as_of_ms - LAST_PUNCH_MS)
        .where(event.captured_ms <= as_of_ms)
        .order_by(event.captured_ms.desc())
        .limit(1)
        .scalar_subquery()
    )
    each = select(Employee.department, last.label("last")).where(Employee.deactivated_ms.is_(None), *_seen(only))
    found = each.subquery()
    here = func.count().filter(found.c.last == "in")
    query = select(found.c.department, here).group_by(found.c.department).order_by(found.c.department)
    return [Group("", department, count, None, None) for department, count in session.execute(query)]


def _doors(session: Session, only: Collection[str] | None, as_of_ms: int) -> tuple[Door, ...]:
    """By name; each door's newest punch through event_by_kiosk."""
    event = AttendanceEvent
    newest = select(event.event_id).where(event.kiosk == Kiosk.name, event.captured_ms > as_of_ms - DOOR_MS)
    if only is not None:
        newest = newest.join(Employee, Employee.id == event.employee_id).where(*_seen(only))
    last = newest.order_by(event.captured_ms.desc()).limit(1).scalar_subquery()
    doors = session.execute(select(Kiosk.name, Kiosk.label, last).order_by(Kiosk.name).limit(MOST_DOORS)).all()
    wanted = [event_id for _, _, event_id in doors if event_id]
    found = {row.event_id: row for row in session.execute(rows().where(DecisionRecord.event_id.in_(wanted)))}
    return tuple(Door(label or name, found.get(event_id)) for name, label, event_id in doors)


# --- kept for a few seconds ------------------------------------------------------------------------------------------


class Kept:
    """What boards are shown, by the departments that they may see; one look at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[frozenset[str] | None, tuple[float, Who]] = {}

    def get(self, app: Services, only: frozenset[str] | None) -> Who:
        with self._lock:
            at, who = self._found.get(only, (0.0, None))
            if who is not None and time.monotonic() - at < KEPT_S:
                return who
            with reading(app.sessions) as session:
                who = look(session, only, now_ms(), app.settings.zone)
            if len(self._found) >= MOST_KEPT:
                self._found.clear()
            self._found[only] = time.monotonic(), who
            return who


def shown(app: Services, only: frozenset[str] | None) -> Who:
    kept: Kept = current_app.extensions[EXTENSION]
    return kept.get(app, only)


def init_app(app: Flask) -> None:
    app.extensions[EXTENSION] = Kept()
