"""What an employee sees of themselves: the punches of a month. The account is linked to the person by HR."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from dashboard.attendance_rules import day_bounds_ms, local_date
from dashboard.auth import sight
from dashboard.database import now_ms, reading
from dashboard.models import AttendanceEvent, Employee, Kiosk
from dashboard.web import page_number, services

FIRST_YEAR, LAST_YEAR = 2000, 2099
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

pages = Blueprint("me", __name__)


@dataclass(frozen=True)
class Month:
    """A month of the site's calendar."""

    year: int
    number: int

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def words(self) -> str:
        return f"{MONTHS[self.number - 1]} {self.year}"

    @property
    def text(self) -> str:
        return f"{self.year}-{self.number:02}"

    @property
    def before(self) -> "Month":
        return of(self.first - timedelta(days=1))

    @property
    def after(self) -> "Month":
        return of(self.first + timedelta(days=31))


def of(day: date) -> Month:
    return Month(day.year, day.month)


def read_month(text: str, today: date) -> Month:
    """`2026-11` from the query, this month without it; raises ValueError with words otherwise."""
    if not text:
        return of(today)
    year, dash, number = text.partition("-")
    plain = dash and text.isascii() and year.isdecimal() and number.isdecimal() and len(text) <= 7
    if not plain or not FIRST_YEAR <= int(year) <= LAST_YEAR or not 1 <= int(number) <= 12:
        raise ValueError(f"Month “{text[:40]}”: write it as 2026-11, of {FIRST_YEAR} to {LAST_YEAR}.")
    return Month(int(year), int(number))


@pages.get("/me")
def month() -> ResponseReturnValue:
    settings = services().settings
    today = local_date(now_ms(), settings.zone)
    try:
        chosen = read_month(request.args.get("month", "").strip(), today)
    except ValueError as error:
        abort(400, str(error))
    page, size = page_number(), settings.page_size
    start_ms = day_bounds_ms(chosen.first, settings.zone)[0]
    end_ms = day_bounds_ms(chosen.after.first, settings.zone)[0]
    employee_id = sight().employee_id
    with reading(services().sessions) as session:
        person = session.get(Employee, employee_id) if employee_id else None
        query = (
            select(
                AttendanceEvent.captured_ms,
                AttendanceEvent.time_zone,
                AttendanceEvent.direction,
                AttendanceEvent.kiosk,
                Kiosk.label,
            )
            .outerjoin(Kiosk, Kiosk.name == AttendanceEvent.kiosk)
            .where(
                AttendanceEvent.employee_id == (person.id if person else None),
                AttendanceEvent.captured_ms >= start_ms,
                AttendanceEvent.captured_ms < end_ms,
            )
            .order_by(AttendanceEvent.captured_ms, AttendanceEvent.event_id)
        )
        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        rows = session.execute(query.limit(size).offset((page - 1) * size)).all()
    return render_template(
        "me.html",
        person=person,
        month=chosen,
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // size)),
        zone_name=settings.zone.key,
        link=lambda number: url_for("me.month", month=chosen.text, page=number),
    )
