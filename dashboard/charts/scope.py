"""Whose punches the charts count, at which doors and from when to when, as conditions that an index serves.

People are looked up through their own index, event_by_employee or decision_by_employee. Without people in the filter it
is the doors', event_by_kiosk or decision_by_kiosk, or that of the time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.charts.chart_filter import NO_SITE, ChartFilter
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, Kiosk, Site
from dashboard.recording.attendance_rules import day_bounds_ms

MOST_PUNCHES = 150_000
"""So many are counted while somebody waits; a page with more asks for a shorter period or a department."""


@dataclass(frozen=True)
class Scope:
    """From `start_ms` up to, and without, `end_ms`, on the clock of `zone`."""

    zone: ZoneInfo
    start_ms: int
    end_ms: int
    people: Any | None
    """A query for their ids; None: everybody."""
    doors: tuple[str, ...] | None
    """Names of kiosks; None: all."""

    def punches(self) -> list[Any]:
        """Conditions on attendance events."""
        event = AttendanceEvent
        return [*self._where(event.employee_id, event.kiosk), *self._between(event.captured_ms)]

    def rows_of_punches(self, around_ms: int) -> list[Any]:
        """The same with those up to `around_ms` before and after, at all doors, of everybody who was at the scope's."""
        event = AttendanceEvent
        people = self.people
        if people is None and self.doors is not None:
            people = select(event.employee_id).where(
                event.kiosk.in_(self.doors), *self._between(event.captured_ms, around_ms)
            )
        return [
            *([] if people is None else [event.employee_id.in_(people)]),
            *self._between(event.captured_ms, around_ms),
        ]

    def decisions(self) -> list[Any]:
        """Conditions on decisions."""
        row = DecisionRecord
        return [*self._where(row.employee_id, row.kiosk), *self._between(row.captured_ms)]

    def _between(self, captured_ms: Any, around_ms: int = 0) -> list[Any]:
        return [captured_ms >= self.start_ms - around_ms, captured_ms < self.end_ms + around_ms]

    def _where(self, employee_id: Any, kiosk: Any) -> list[Any]:
        """Text is joined to the door where there are people, so that only the people's own index fits."""
        conditions = [] if self.people is None else [employee_id.in_(self.people)]
        if self.doors is not None:
            conditions.append((kiosk if self.people is None else kiosk.concat("")).in_(self.doors))
        return conditions


def scope_of(session: Session, chosen: ChartFilter, only: Collection[str] | None, default_zone: ZoneInfo) -> Scope:
    """`only` are the departments that whoever asks may see; None: all. The clock is the chosen site's."""
    zone, doors = default_zone, None
    if chosen.site:
        site = None if chosen.site == NO_SITE else session.get_one(Site, int(chosen.site))
        zone = default_zone if site is None else ZoneInfo(site.time_zone)
        there = Kiosk.site_id.is_(None) if site is None else Kiosk.site_id == site.id
        doors = tuple(session.scalars(select(Kiosk.name).where(there)))
    start_ms, end_ms = day_bounds_ms(chosen.start, zone)[0], day_bounds_ms(chosen.end, zone)[1]
    return Scope(zone, start_ms, end_ms, people_of(chosen.department, only), doors)


def people_of(department: str, only: Collection[str] | None) -> Any | None:
    """A query for the ids of a department's people, within the departments `only`; None for everybody."""
    if not department and only is None:
        return None
    query = select(Employee.id)
    if department:
        query = query.where(Employee.department == department)
    return query if only is None else query.where(Employee.department.in_(only))


def too_many(session: Session, scope: Scope) -> bool:
    """Whether the period holds more than MOST_PUNCHES of these people; counts no further."""
    event = AttendanceEvent
    conditions = [event.captured_ms >= scope.start_ms, event.captured_ms < scope.end_ms]
    if scope.people is not None:
        conditions.append(event.employee_id.in_(scope.people))
    elif scope.doors is not None:
        conditions.append(event.kiosk.in_(scope.doors))
    some = select(event.captured_ms).where(*conditions).limit(MOST_PUNCHES + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > MOST_PUNCHES
