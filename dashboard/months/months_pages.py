"""Months: a department's people with their totals, and a person's month day by day."""

from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from dashboard.access.auth import may, sight
from dashboard.correcting import correction_marks
from dashboard.database import now_ms, reading
from dashboard.days.month import totals
from dashboard.models import Employee
from dashboard.months import asked_month, day_words
from dashboard.months.day_store import days_of
from dashboard.people import people_list
from dashboard.people.employees import departments
from dashboard.web import cursors, saved_filters
from dashboard.web.answers import services, short_text
from dashboard.web.saved_filters import PAGES

pages = Blueprint("months", __name__)


NAMES = people_list.SORTS["name"][2]
"""The types of a place in the list, which is by name."""


@pages.get("/months")
def index() -> ResponseReturnValue:
    settings, seen = services().settings, sight().only_departments
    department, month, place = short_text("department"), asked_month.asked(), cursors.read_place(NAMES)
    chosen, now = people_list.PeopleFilter(department=department), datetime.now(settings.zone)
    with reading(services().sessions) as session:
        rows, before, after = people_list.page(session, chosen, now, place, settings.page_size, seen)
        people = [row.employee for row in rows]
        days = days_of(session, [one.id for one in people], month.first, month.last, now_ms(), settings.zone)
        total = people_list.count(session, chosen, now, seen) if before is None else None
        known = departments(session, seen)
        saved = saved_filters.of_account(session, current_user.user_id, "months", now.date())
    kept: dict[str, Any] = {"month": month.text, **({"department": department} if department else {})}
    return render_template(
        "months.html",
        rows=[(one, totals(days[one.id])) for one in people],
        words=people_list.count_words(total, before is not None),
        first=url_for("months.index", **kept),
        before=url_for("months.index", **kept, before=cursors.pack(before)) if before else None,
        after=url_for("months.index", **kept, after=cursors.pack(after)) if after else None,
        beyond=place is not None,
        month=month,
        department=department,
        departments=known,
        hours=day_words.hours,
        kept=kept,
        saved=saved,
        saved_days=PAGES["months"].days,
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
