"""Lateness: of the people who were due at a fixed time, who came late, and by how much. By the rules, as Months has it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dashboard.charts.chart_filter import NO_SITE, ChartFilter
from dashboard.charts.scope import Scope
from dashboard.models import Employee, Site
from dashboard.months.day_store import planned_of
from dashboard.planning.plans import sites_on

MOST_PEOPLE = 1_000
MOST_PERSON_DAYS = 20_000
"""So many are worked out while somebody waits: a month of 640 people."""
BATCH = 200
"""People whose punches are in memory at a time."""

ByDay = Mapping[date, Sequence[int]]
"""Minutes late of everybody who was planned on a day; 0: in time, or not come."""


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


def read(session: Session, chosen: ChartFilter, scope: Scope, as_of_ms: int, default_zone: ZoneInfo) -> ByDay | None:
    """Of the people in the filter, until they were deactivated; None for more than MOST_PEOPLE or MOST_PERSON_DAYS.

    A site means those who are planned to work there on the period's last day.
    """
    most = min(MOST_PEOPLE, MOST_PERSON_DAYS // len(chosen.days))
    query = select(Employee.id, Employee.deactivated_ms)
    query = query.where(or_(Employee.deactivated_ms.is_(None), Employee.deactivated_ms >= scope.start_ms))
    if scope.people is not None:
        query = query.where(Employee.id.in_(scope.people))
    until = {row.id: row.deactivated_ms for row in session.execute(query.limit(most + 1))}
    if len(until) > most:
        return None
    found: dict[date, list[int]] = defaultdict(list)
    for some in _batches(list(until)):
        here = _at_site(session, some, chosen, default_zone)
        for person, days in planned_of(session, here, chosen.start, chosen.end, as_of_ms, default_zone):
            left_ms = until[person]
            for one in days:
                if left_ms is None or one.start_ms < left_ms:
                    found[one.day].append(one.late_min)
        session.expunge_all()
    return found


def _batches(people: Sequence[str]) -> Iterator[Sequence[str]]:
    return (people[start : start + BATCH] for start in range(0, len(people), BATCH))


def _at_site(session: Session, people: Sequence[str], chosen: ChartFilter, default_zone: ZoneInfo) -> Collection[str]:
    if not chosen.site:
        return people
    name = "" if chosen.site == NO_SITE else session.get_one(Site, int(chosen.site)).name
    sites = sites_on(session, people, chosen.end, default_zone)
    return [person for person in people if sites.get(person, "") == name]


def by_day(days: Sequence[date], late: ByDay) -> list[LateDay]:
    """A line for each of `days`."""
    return [_late_day(day, late.get(day, ())) for day in days]


def _late_day(day: date, everybody: Sequence[int]) -> LateDay:
    minutes = [late_min for late_min in everybody if late_min]
    return LateDay(day, len(everybody), len(minutes), median(minutes) if minutes else None)


def whole_median(late: ByDay) -> float | None:
    """Median minutes of all who came late; None without any."""
    minutes = [late_min for everybody in late.values() for late_min in everybody if late_min]
    return median(minutes) if minutes else None
