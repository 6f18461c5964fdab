"""Requests for corrections as the pages need them: lists, the punch that one is about, and whether it was asked already."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import case, func, literal_column, select, tuple_
from sqlalchemy.orm import Session

from dashboard.correcting.corrections import CorrectionError
from dashboard.days.corrections import CorrectedPunch, Punch, corrected
from dashboard.days.corrections import Correction as Said
from dashboard.days.day import Day
from dashboard.models import AttendanceEvent, Correction, Employee
from dashboard.months.day_store import days_if
from dashboard.planning.plans import load_plans
from dashboard.recording.attendance_rules import local_date
from dashboard.web.cursors import Place, Value

STATES = {
    "": lazy_gettext("All"),
    "asked": lazy_gettext("Waiting"),
    "approved": lazy_gettext("Approved"),
    "refused": lazy_gettext("Refused"),
    "withdrawn": lazy_gettext("Withdrawn"),
}
WIDEST = timedelta(days=60)
"""How far apart the days of a correction may lie for both to be drawn."""
COUNTED = 100
"""Up to so many that wait are counted for the bar at the top."""
RANK = case((Correction.state == "asked", 0), else_=1)


@dataclass(frozen=True)
class Request:
    correction: Correction
    person: Employee
    days: tuple[tuple[Day, Day], ...] = ()
    """Each day that it touches, as it is and as it would be; none once it was decided."""
    zone_name: str | None = None
    """The clock of the person's days."""


def page(
    session: Session,
    place: Place | None,
    size: int,
    *,
    state: str = "",
    department: str = "",
    only: Collection[str] | None = None,
    employee_id: str | None = None,
) -> tuple[list[Request], tuple[Value, ...] | None, tuple[Value, ...] | None]:
    """Those that wait first, the newest first; and the places before and after this page, None where there is none.

    `only` bounds it to departments.
    """
    query = select(Correction, Employee).join(Employee, Employee.id == Correction.employee_id)
    if state:
        query = query.where(Correction.state == state)
    if department:
        query = query.where(Employee.department == department)
    if only is not None:
        query = query.where(Employee.department.in_(only))
    if employee_id is not None:
        query = query.where(Correction.employee_id == employee_id)
    backwards = place is not None and place.backwards
    key = (RANK, -Correction.id)
    if place is not None:
        here: Any = tuple_(*key)
        query = query.where(here < tuple_(*place.values) if backwards else here > tuple_(*place.values))
    query = query.order_by(*(column.desc() if backwards else column for column in key)).limit(size + 1)
    rows = [Request(*row) for row in session.execute(query)]
    further = len(rows) > size
    rows = rows[:size][:: -1 if backwards else 1]
    has_before = further if backwards else place is not None
    has_after = True if backwards else further
    return rows, _place(rows[0]) if rows and has_before else None, _place(rows[-1]) if rows and has_after else None


def _place(row: Request) -> tuple[Value, ...]:
    return 0 if row.correction.state == "asked" else 1, -row.correction.id


def waiting(session: Session, only: Collection[str] | None) -> int:
    """How many wait for a decision, at most COUNTED; `only` bounds it to departments."""
    query = select(Correction.id).where(Correction.state == literal_column("'asked'"))  # as the partial index has it
    if only is not None:
        query = query.join(Employee, Employee.id == Correction.employee_id).where(Employee.department.in_(only))
    return session.scalar(select(func.count()).select_from(query.limit(COUNTED).subquery())) or 0


def with_zone(session: Session, request: Request, zone: ZoneInfo) -> Request:
    """The same with the clock that its times are shown by."""
    row = request.correction
    here = zone_of(session, row.employee_id, local_date(row.punch_ms, zone), zone)
    return replace(request, zone_name=here.key)


def with_days(session: Session, request: Request, as_of_ms: int, zone: ZoneInfo) -> Request:
    """The same with its clock and, while nobody has decided on it, the days that it touches."""
    request = with_zone(session, request, zone)
    row = request.correction
    moments = [row.punch_ms] if row.new_ms is None else sorted((row.punch_ms, row.new_ms))
    first, last = local_date(moments[0], zone) - timedelta(days=1), local_date(moments[-1], zone) + timedelta(days=1)
    if row.state != "asked" or last - first > WIDEST:
        return request
    now, then = days_if(session, row, first, last, as_of_ms, zone)
    touched = tuple(
        (before, after)
        for before, after in zip(now, then, strict=True)
        if _counts(before) != _counts(after) or any(before.begins_ms <= ms < before.ends_ms for ms in moments)
    )
    return replace(request, days=touched)


def _counts(day: Day) -> Any:
    return day.minutes, day.statuses, [use.role for use in day.punches]


def zone_of(session: Session, employee_id: str, day: date, default_zone: ZoneInfo) -> ZoneInfo:
    """The clock of the site that the person works at on that day."""
    return load_plans(session, [employee_id], day, day, default_zone)[employee_id][0].zone


def punch_of(session: Session, employee_id: str, punch_id: str) -> CorrectedPunch | None:
    """The person's punch as it counts now; None where they have none of that name."""
    event = session.get(AttendanceEvent, punch_id)
    if event is not None and event.employee_id != employee_id:
        return None
    given = []
    if event is not None:
        given = [Punch(event.event_id, event.captured_ms, cast(Any, event.direction), event.kiosk)]
    mine = select(Correction).where(Correction.punch_id == punch_id, Correction.employee_id == employee_id)
    about = [
        Said(
            row.id,
            row.punch_id,
            cast(Any, row.action),
            cast(Any, row.state),
            row.decided_ms,
            row.new_ms,
            cast(Any, row.new_direction),
            row.corrects_id,
        )
        for row in session.scalars(mine)
    ]
    return next(iter(corrected(given, about).punches), None)


def added_by(session: Session, punch_id: str) -> int | None:
    """The correction that added a punch which no kiosk recorded."""
    root = select(Correction.id).where(Correction.punch_id == punch_id, Correction.action == "add")
    return session.scalar(root.order_by(Correction.id).limit(1))


def refuse_second(
    session: Session, employee_id: str, punch_id: str | None, new_ms: int | None, direction: str | None
) -> None:
    """Raise CorrectionError where the same waits, or stands, already. Takes turns for the person, so that two clicks are one."""
    session.scalar(select(Employee.id).where(Employee.id == employee_id).with_for_update())
    row = Correction
    if punch_id is not None:
        same = select(row).where(row.punch_id == punch_id, row.state == "asked")
    else:
        same = select(row).where(
            row.action == "add",
            row.state.in_(("asked", "approved")),
            row.new_ms == new_ms,
            row.new_direction == direction,
        )
    found = session.scalar(same.where(row.employee_id == employee_id).order_by(row.id).limit(1))
    if found is None:
        return
    if found.state == "approved":
        raise CorrectionError(_("correction: such a punch was added already; look at the month"))
    raise CorrectionError(
        _("correction: %(asked_by)s has asked about this already; it waits for a decision", asked_by=found.asked_by)
    )
