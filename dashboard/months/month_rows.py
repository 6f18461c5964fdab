"""A month of many people as rows: totals by person, and days. Typed for XLSX, and as text for CSV."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dashboard.correcting import correction_marks
from dashboard.days.day import Day
from dashboard.days.month import totals
from dashboard.models import Employee
from dashboard.months import day_words
from dashboard.months.asked_month import AskedMonth
from dashboard.months.day_store import days_of
from dashboard.recording.attendance_rules import day_bounds_ms
from dashboard.tables.xlsx_export import Columns, Value
from dashboard.web.words import local

BATCH = 200
"""People whose days are in memory at a time."""

WHO: Columns = ((lazy_gettext("Code"), 14), (lazy_gettext("Name"), 28), (lazy_gettext("Department"), 20))
TOTALS: Columns = (
    *WHO,
    (lazy_gettext("Required"), 10),
    (lazy_gettext("Worked"), 10),
    (lazy_gettext("Regular"), 10),
    (lazy_gettext("Overtime"), 10),
    (lazy_gettext("Overtime by rate"), 28),
    (lazy_gettext("Missing"), 10),
    (lazy_gettext("Leave"), 10),
    (lazy_gettext("Holiday"), 10),
    (lazy_gettext("Late"), 10),
    (lazy_gettext("Left early"), 10),
    (lazy_gettext("Days present"), 12),
    (lazy_gettext("Days absent"), 12),
    (lazy_gettext("Days late"), 10),
    (lazy_gettext("Days left early"), 14),
    (lazy_gettext("Ins missing"), 12),
    (lazy_gettext("Outs missing"), 12),
)
DAYS: Columns = (
    *WHO,
    (lazy_gettext("Date"), 12),
    (lazy_gettext("State"), 22),
    (lazy_gettext("Shift begins"), 20),
    (lazy_gettext("Shift ends"), 20),
    (lazy_gettext("In"), 20),
    (lazy_gettext("Out"), 20),
    (lazy_gettext("Required"), 10),
    (lazy_gettext("Worked"), 10),
    (lazy_gettext("Regular"), 10),
    (lazy_gettext("Overtime"), 10),
    (lazy_gettext("Missing"), 10),
    (lazy_gettext("Leave"), 10),
    (lazy_gettext("Holiday"), 10),
    (lazy_gettext("Late"), 10),
    (lazy_gettext("Left early"), 10),
    (lazy_gettext("Notes"), 60),
    (lazy_gettext("Corrections"), 60),
)


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    code: str
    name: str
    department: str


def people_of(
    session: Session, month: AskedMonth, zone: ZoneInfo, department: str, only: Collection[str] | None, most: int
) -> list[Person]:
    """Those of the department (of all without one), by name, at most `most`; without who was deactivated before the month.

    `only` are the departments that whoever asks may see; None: all.
    """
    begins_ms = day_bounds_ms(month.first, zone)[0]
    query = select(Employee.id, Employee.code, Employee.name, Employee.department)
    query = query.where(or_(Employee.deactivated_ms.is_(None), Employee.deactivated_ms >= begins_ms))
    if department:
        query = query.where(Employee.department == department)
    if only is not None:
        query = query.where(Employee.department.in_(only))
    found = session.execute(query.order_by(Employee.name_key, Employee.id).limit(most))
    return [Person(*row) for row in found]


def with_days(
    session: Session, people: Sequence[Person], month: AskedMonth, as_of_ms: int, zone: ZoneInfo
) -> Iterator[tuple[Person, tuple[Day, ...]]]:
    """Each with the month's days, a batch of people at a time; whoever was deleted meanwhile is left out."""
    for start in range(0, len(people), BATCH):
        some = people[start : start + BATCH]
        days = days_of(session, [one.id for one in some], month.first, month.last, as_of_ms, zone)
        yield from ((one, days[one.id]) for one in some if one.id in days)
        session.expunge_all()


def _length(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


def totals_row(person: Person, days: Sequence[Day]) -> tuple[Value, ...]:
    sums = totals(days)
    m, count = sums.minutes, sums.statuses.get
    lengths = (m.required, m.worked, m.regular, m.overtime_total)
    more = (m.missing, m.leave, m.holiday, m.late, m.early)
    return (
        person.code,
        person.name,
        person.department,
        *map(_length, lengths),
        day_words.overtime(m.overtime),
        *map(_length, more),
        count("present", 0),
        count("absent", 0),
        count("late", 0),
        count("early_leave", 0),
        count("missing_in", 0),
        count("missing_out", 0),
    )


def _minute(moment: datetime | None) -> datetime | None:
    """For a cell: of the site's clock, in whole minutes."""
    return moment.replace(tzinfo=None, second=0, microsecond=0) if moment else None


def _shift(day: Day, ms: int | None) -> datetime | None:
    return None if ms is None else _minute(local(ms, day.zone_name))


def day_rows(session: Session, person: Person, days: Sequence[Day]) -> Iterator[tuple[Value, ...]]:
    """The days with what was corrected of their punches."""
    marks = correction_marks.of_days(session, days)
    return (day_row(person, day, correction_marks.of_day(day, marks)) for day in days)


def day_row(person: Person, day: Day, corrections: str = "") -> tuple[Value, ...]:
    m = day.minutes
    return (
        person.code,
        person.name,
        person.department,
        day.day,
        ", ".join(day_words.status(code)[0] for code in day.statuses),
        _shift(day, day.shift_start_ms),
        _shift(day, day.shift_end_ms),
        _minute(day_words.first_in(day)),
        _minute(day_words.last_out(day)),
        *map(_length, (m.required, m.worked, m.regular, m.overtime_total)),
        *map(_length, (m.missing, m.leave, m.holiday, m.late, m.early)),
        "; ".join(day_words.notes(day)),
        corrections,
    )


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return day_words.hours(round(value.total_seconds()) // 60) or "0:00"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)


def texts(columns: Columns, rows: Iterator[tuple[Value, ...]]) -> Iterator[list[str]]:
    """The lines of a CSV file, titles first."""
    yield [str(title) for title, width in columns]
    for row in rows:
        yield [_text(value) for value in row]
