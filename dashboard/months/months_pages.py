"""Months: a department's people with their totals, and a person's month day by day."""

from datetime import datetime
from functools import partial

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from dashboard.access.auth import may
from dashboard.correcting import correction_marks
from dashboard.database import now_ms, reading
from dashboard.days.month import totals
from dashboard.models import Employee
from dashboard.months import asked_month, day_words
from dashboard.months.day_store import days_of
from dashboard.months.department_days import listed
from dashboard.web import saved_filters
from dashboard.web.answers import services
from dashboard.web.saved_filters import PAGES

pages = Blueprint("months", __name__)


@pages.get("/months")
def index() -> ResponseReturnValue:
    month, today = asked_month.asked(), datetime.now(services().settings.zone).date()
    with reading(services().sessions) as session:
        found = listed(session, "months.index", {"month": month.text}, month.first, month.last)
        saved = saved_filters.of_account(session, current_user.user_id, "months", today)
    return render_template(
        "months.html",
        rows=[(one, totals(days)) for one, days in found.rows],
        month=month,
        hours=day_words.hours,
        saved=saved,
        saved_days=PAGES["months"].days,
        **found.values,
    )


@pages.get("/people/<employee_id>/month")
def person(employee_id: str) -> ResponseReturnValue:
    month, settings = asked_month.asked(), services().settings
    with reading(services().sessions) as session:
        employee = session.get(Employee, employee_id)
        if employee is None:
            abort(404)
        days = days_of(session, [employee_id], month.first, month.last, now_ms(), settings.zone)[employee_id]
        marks = correction_marks.of_days(session, days)
    return render_template(
        "person_month.html",
        person=employee,
        days=days,
        sums=totals(days),
        month=month,
        day_words=day_words,
        marks=marks,
        reasons=may("corrections.index"),
        correct=partial(url_for, "corrections.enter", employee_id=employee_id) if may("corrections.enter") else None,
    )
