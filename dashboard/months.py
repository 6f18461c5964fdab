"""Months: a department's people with their totals, and a person's month day by day."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard import day_words
from dashboard.attendance_rules import local_date
from dashboard.database import now_ms, reading
from dashboard.day_store import days_of
from dashboard.days.month import totals
from dashboard.employees import departments, list_employees
from dashboard.forms import FIRST_DAY, LAST_DAY
from dashboard.models import Employee
from dashboard.web import page_number, services, short_text

pages = Blueprint("months", __name__)


def month_of(text: str, today: date) -> tuple[date, date]:
    """First and last day of `2026-11`, of today's month when it is empty; 400 with words otherwise."""
    try:
        first = date.fromisoformat(f"{text[:10]}-01") if text else today.replace(day=1)
    except ValueError:
        abort(400, f"month “{text[:40]}”: write it as 2026-11.")
    if not FIRST_DAY <= first <= LAST_DAY:
        abort(400, f"month “{text[:40]}”: outside {FIRST_DAY.year} to {LAST_DAY.year}.")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _asked() -> tuple[date, date]:
    today = local_date(now_ms(), services().settings.zone)
    return month_of(request.args.get("month", "").strip(), today)


def _month(day: date) -> str:
    return day.isoformat()[:7]


@pages.get("/months")
def index() -> ResponseReturnValue:
    page, settings = page_number(), services().settings
    department = short_text("department")
    first, last = _asked()
    with reading(services().sessions) as session:
        size = settings.page_size
        rows, total = list_employees(session, "", department or None, True, limit=size, offset=(page - 1) * size)
        people = [row.employee for row in rows]
        days = days_of(session, [one.id for one in people], first, last, now_ms(), settings.zone)
        known = departments(session)
    kept: dict[str, Any] = {"month": _month(first), **({"department": department} if department else {})}
    return render_template(
        "months.html",
        rows=[(one, totals(days[one.id])) for one in people],
        total=total,
        page=page,
        pages=max(1, -(-total // size)),
        link=lambda number: url_for("months.index", **kept, page=number),
        month=_month(first),
        department=department,
        departments=known,
        hours=day_words.hours,
    )


@pages.get("/people/<employee_id>/month")
def person(employee_id: str) -> ResponseReturnValue:
    first, last = _asked()
    settings = services().settings
    with reading(services().sessions) as session:
        employee = session.get(Employee, employee_id)
        if employee is None:
            abort(404)
        days = days_of(session, [employee_id], first, last, now_ms(), settings.zone)[employee_id]
    return render_template(
        "person_month.html",
        person=employee,
        days=days,
        sums=totals(days),
        month=_month(first),
        before=_month(first - timedelta(days=1)),
        after=_month(last + timedelta(days=1)),
        words=day_words,
    )
