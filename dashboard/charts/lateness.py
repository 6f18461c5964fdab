"""Lateness: of the people who were due at a fixed time, who came late, and by how much. By the rules, as Months has it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dashboard.charts.chart_filter import NO_SITE, ChartFilter
from dashboard.charts.scope import Scope
from dashboard.days.lateness import PlannedDay
from dashboard.models import Employee, Site
from dashboard.months.day_store import planned_of
from dashboard.planning.plans import sites_on

MOST_PERSON_DAYS = 20_000
"""So many are worked out while somebody waits: a month of 640 people, or a day of everybody on a large site."""
BATCH = 200
"""People whose punches are in memory at a time."""


@dataclass(frozen=True, slots=True)
class LateDay:
    day: date
    planned: int
    late: int
    median_min: float | None
    """Of those who came late; None without any."""

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where nobody was planned."""
        return self.late / self.planned if self.planned else None


def read(
    session: Session, chosen: ChartFilter, scope: Scope, as_of_ms: int, default_zone: ZoneInfo
) -> list[PlannedDay] | None:
    """What was planned for the people in the filter until they were deactivated; None for more than MOST_PERSON_DAYS.

    A site means those who are planned to work there on the period's last day.
    """
    most = MOST_PERSON_DAYS // len(chosen.days)
    query = select(Employee.id, Employee.deactivated_ms)
    query = query.where(or_(Employee.deactivated_ms.is_(None), Employee.deactivated_ms >= scope.start_ms))
    if scope.people is not None:
        query = query.where(Employee.id.in_(scope.people))
    until = {row.id: row.deactivated_ms for row in session.execute(query.limit(most + 1))}
    if len(until) > most:
        return None
    ids, found = list(until), []
    for start in range(0, len(ids), BATCH):
        some = _at_site(session, ids[start : start + BATCH], chosen, default_zone)
        planned = planned_of(session, some, chosen.start, chosen.end, as_of_ms, default_zone)
        for person, days in planned.items():
            left_ms = until[person]
            found += days if left_ms is None else [day for day in days if day.start_ms < left_ms]
        session.expunge_all()
    return found


def _at_site(session: Session, people: Sequence[str], chosen: ChartFilter, default_zone: ZoneInfo) -> Collection[str]:
    if not chosen.site:
        return people
    name = "" if chosen.site == NO_SITE else session.get_one(Site, int(chosen.site)).name
    sites = sites_on(session, people, chosen.end, default_zone)
    return [person for person in people if sites.get(person, "") == name]


def by_day(days: Sequence[date], planned: Iterable[PlannedDay]) -> list[LateDay]:
    """A line for each of `days`."""
    late: dict[date, list[int]] = defaultdict(list)
    for one in planned:
        late[one.day].append(one.late_min)
    found = []
    for day in days:
        minutes = [value for value in late[day] if value]
        found.append(LateDay(day, len(late[day]), len(minutes), median(minutes) if minutes else None))
    return found


def whole_median(planned: Iterable[PlannedDay]) -> float | None:
    """Median minutes of all who came late; None without any."""
    minutes = [one.late_min for one in planned if one.late_min]
    return median(minutes) if minutes else None
