"""What is planned for people's days: assignments, versions of patterns, sites, holidays and leave, in six queries."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dashboard import models
from dashboard.days.calendar import Plan
from dashboard.days.days_off import Holiday, Leave
from dashboard.days.month import turns_of
from dashboard.days.policy import Pattern
from dashboard.planning.patterns import rules_of
from dashboard.recording.attendance_rules import local_date, zone_named

Dated = tuple[date, int]
"""First day and id: what came later holds."""


@dataclass
class Rules:
    """What the range of days needs, by the keys that it is looked up with."""

    default_zone: ZoneInfo
    own: dict[str, list[tuple[Dated, models.Assignment]]] = field(default_factory=dict)
    of_department: dict[str, list[tuple[Dated, models.Assignment]]] = field(default_factory=dict)
    versions: dict[int, list[tuple[Dated, Pattern]]] = field(default_factory=dict)
    zones: dict[int, ZoneInfo] = field(default_factory=dict)
    holidays: dict[date, list[tuple[int | None, Holiday]]] = field(default_factory=dict)
    leaves: dict[str, list[tuple[date, date, Leave]]] = field(default_factory=dict)
    drawn: dict[tuple[str, tuple[Any, ...]], list[Plan]] = field(default_factory=dict)
    """Plans without leave, which people with the same assignments share."""


def load_plans(
    session: Session,
    employee_ids: Collection[str],
    first_day: date,
    last_day: date,
    default_zone: ZoneInfo,
    rules_as_of_ms: int | None = None,
) -> dict[str, list[Plan]]:
    """A plan for each person and day, both ends included. People that aren't known are left out.

    With `rules_as_of_ms`, versions and assignments that were made later are passed over: the days as they were then.
    """
    known = select(models.Employee.id, models.Employee.department).where(models.Employee.id.in_(employee_ids))
    departments = {row.id: row.department for row in session.execute(known)}
    rules = _load(session, departments, first_day, last_day, default_zone, rules_as_of_ms)
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    return {person: _plans(rules, person, department, days) for person, department in departments.items()}


def day_begins_ms(session: Session, employee_id: str, at_ms: int, default_zone: ZoneInfo) -> int:
    """When the person's day began that a punch at `at_ms` is in: a night shift's goes on after midnight.

    Raises ValueError where a pattern's rules are of a newer product.
    """
    day = local_date(at_ms, default_zone)  # the person's own clock may be a day off
    around = day - timedelta(days=3), day + timedelta(days=2)
    turns = turns_of(load_plans(session, [employee_id], *around, default_zone)[employee_id])
    return turns[bisect_right(turns, at_ms) - 1]


def sites_on(session: Session, employee_ids: Collection[str], day: date, default_zone: ZoneInfo) -> dict[str, str]:
    """The name of the site that each works at on `day`, by the same rules as plans; empty where none is said."""
    known = select(models.Employee.id, models.Employee.department).where(models.Employee.id.in_(employee_ids))
    departments = {row.id: row.department for row in session.execute(known)}
    rules = _load(session, departments, day, day, default_zone, None)
    names = {row.id: row.name for row in session.execute(select(models.Site.id, models.Site.name))}
    found = {person: _assignment(rules, person, department, day) for person, department in departments.items()}
    return {
        person: names.get(one.site_id, "") if one is not None and one.site_id is not None else ""
        for person, one in found.items()
    }


def _load(
    session: Session,
    departments: dict[str, str],
    first_day: date,
    last_day: date,
    default_zone: ZoneInfo,
    rules_as_of_ms: int | None,
) -> Rules:
    rules = Rules(default_zone)
    assigned = select(models.Assignment).where(
        or_(
            models.Assignment.employee_id.in_(departments),
            models.Assignment.department.in_(set(departments.values())),
        ),
        models.Assignment.first_day <= last_day,
    )
    versions = select(models.ShiftPatternVersion).where(models.ShiftPatternVersion.first_day <= last_day)
    if rules_as_of_ms is not None:
        assigned = assigned.where(models.Assignment.made_ms <= rules_as_of_ms)
        versions = versions.where(models.ShiftPatternVersion.made_ms <= rules_as_of_ms)
    patterns = set()
    for row in session.scalars(assigned.order_by(models.Assignment.first_day, models.Assignment.id)):
        by_whom = rules.own if row.employee_id is not None else rules.of_department
        by_whom.setdefault(row.employee_id or row.department or "", []).append(((row.first_day, row.id), row))
        patterns.add(row.pattern_id)
    versions = versions.where(models.ShiftPatternVersion.pattern_id.in_(patterns - {None}))
    for version in session.scalars(
        versions.order_by(models.ShiftPatternVersion.first_day, models.ShiftPatternVersion.id)
    ):
        dated = (version.first_day, version.id), rules_of(version.rules_json)
        rules.versions.setdefault(version.pattern_id, []).append(dated)
    sites = session.execute(select(models.Site.id, models.Site.time_zone))
    rules.zones = {site.id: zone_named(site.time_zone, default_zone) for site in sites}
    free = select(models.Holiday).where(models.Holiday.day.between(first_day, last_day)).order_by(models.Holiday.id)
    for holiday in session.scalars(free):
        rules.holidays.setdefault(holiday.day, []).append((holiday.site_id, Holiday(holiday.name, holiday.half)))  # type: ignore[arg-type]
    away = (
        select(models.Leave)
        .where(
            models.Leave.employee_id.in_(departments),
            models.Leave.first_day <= last_day,
            models.Leave.last_day >= first_day,
            models.Leave.withdrawn_ms.is_(None),
        )
        .order_by(models.Leave.id)
    )
    for leave in session.scalars(away):
        one = Leave(leave.kind, leave.paid, leave.half)  # type: ignore[arg-type]
        rules.leaves.setdefault(leave.employee_id, []).append((leave.first_day, leave.last_day, one))
    return rules


def _newest(dated: Sequence[tuple[Dated, Any]], day: date) -> Any | None:
    """What holds on `day`: the one with the latest first day that isn't after it, of equal ones the last made."""
    place = bisect_right(dated, day, key=lambda one: one[0][0])
    return dated[place - 1][1] if place else None


def _assignment(rules: Rules, person: str, department: str, day: date) -> models.Assignment | None:
    own: models.Assignment | None = _newest(rules.own.get(person, ()), day)
    if own is not None and own.pattern_id is not None:
        return own
    return _newest(rules.of_department.get(department, ()), day)


def _plans(rules: Rules, person: str, department: str, days: Sequence[date]) -> list[Plan]:
    own = tuple(row.id for _, row in rules.own.get(person, ()))
    shared = rules.drawn.get((department, own))
    if shared is None:
        shared = [_plan(rules, person, department, day) for day in days]
        rules.drawn[department, own] = shared
    leaves = rules.leaves.get(person)
    if not leaves:
        return shared
    by_day: dict[date, list[Leave]] = defaultdict(list)
    for first, last, leave in leaves:
        for day in days:
            if first <= day <= last:
                by_day[day].append(leave)
    return [replace(plan, leaves=tuple(by_day[plan.day])) if plan.day in by_day else plan for plan in shared]


def _plan(rules: Rules, person: str, department: str, day: date) -> Plan:
    assignment = _assignment(rules, person, department, day)
    site_id = assignment.site_id if assignment else None
    zone = rules.zones.get(site_id, rules.default_zone) if site_id is not None else rules.default_zone
    holidays = tuple(one for where, one in rules.holidays.get(day, ()) if where is None or where == site_id)
    pattern_id = assignment.pattern_id if assignment else None
    pattern: Pattern | None = _newest(rules.versions.get(pattern_id, ()), day) if pattern_id is not None else None
    if pattern is None:
        return Plan(day, zone, holidays=holidays, has_pattern=False)
    return Plan(day, zone, pattern.shift_on(day), pattern.policy, holidays)
