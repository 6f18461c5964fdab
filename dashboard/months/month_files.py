"""A month as files: totals and days as CSV or XLSX, and sheets for signature as PDF. Each is told of in the audit trail."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, sight
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms, reading
from dashboard.models import Employee
from dashboard.months import asked_month, month_rows, month_sheet
from dashboard.months.asked_month import AskedMonth
from dashboard.months.month_rows import Person
from dashboard.planning import plans
from dashboard.recording.attendance_rules import day_bounds_ms
from dashboard.tables import downloads
from dashboard.tables.xlsx_export import MAX_ROWS
from dashboard.web.answers import services, short_text
from dashboard.web.locales import number_words
from dashboard.web.words import date_words, time_words

pages = Blueprint("month_files", __name__)

UNSAFE = re.compile(r"[^A-Za-z0-9-]+")
"""What a file's name doesn't take from a person's code."""
MOST_IN_CSV = 20_000
MOST_IN_BOOK = MAX_ROWS // 31
MOST_IN_PDF = 1_000
"""People in one file; more take minutes. A sheet takes about 10 ms and 5 KB of memory."""


@pages.get("/months/totals.csv")
def totals() -> ResponseReturnValue:
    asked = Asked("csv", MOST_IN_CSV)

    def rows(session: Session) -> Iterator[list[str]]:
        found = (month_rows.totals_row(one, days) for one, days in asked.days(session))
        return month_rows.texts(month_rows.TOTALS, found)

    return downloads.csv(f"{asked.name}_totals", services().sessions, rows)


@pages.get("/months/days.csv")
def days() -> ResponseReturnValue:
    asked = Asked("csv", MOST_IN_CSV)

    def rows(session: Session) -> Iterator[list[str]]:
        found = (row for one, days in asked.days(session) for row in month_rows.day_rows(session, one, days))
        return month_rows.texts(month_rows.DAYS, found)

    return downloads.csv(f"{asked.name}_days", services().sessions, rows)


@pages.get("/months.xlsx")
def book() -> ResponseReturnValue:
    asked = Asked("xlsx", MOST_IN_BOOK)

    def rows(session: Session) -> Iterator[tuple[int, Any]]:
        for one, days in asked.days(session):
            yield 0, month_rows.totals_row(one, days)
            for row in month_rows.day_rows(session, one, days):
                yield 1, row

    sheets = [(_("Totals"), month_rows.TOTALS), (_("Days"), month_rows.DAYS)]
    return downloads.workbook(asked.name, sheets, services().sessions, rows)


@pages.get("/months.pdf")
def sheets() -> ResponseReturnValue:
    """For signature, a page for each; 404 where there is nobody."""
    asked = Asked("pdf", MOST_IN_PDF)
    if not asked.people:
        abort(404, _("Nobody is in that department in that month: there is nothing to sign."))
    return _pdf(asked.name, asked.month, asked.people)


@pages.get("/people/<employee_id>/month.pdf")
def sheet(employee_id: str) -> ResponseReturnValue:
    return _of_one(employee_id)


@pages.get("/me/month.pdf")
def own_sheet() -> ResponseReturnValue:
    """404 for an account that belongs to nobody."""
    return _of_one(sight().employee_id)


class Asked:
    """What a file of many is asked for: the month and its people; 400 where they are too many. Writes the audit trail."""

    def __init__(self, kind: str, most: int) -> None:
        app, self.month = services(), asked_month.asked()
        department = short_text("department")
        with reading(app.sessions) as session:
            self.people = month_rows.people_of(
                session, self.month, app.settings.zone, department, sight().only_departments, most + 1
            )
        if len(self.people) > most:
            abort(
                400,
                _(
                    "More than %(most)s people are too many for one file (.%(kind)s): choose a department, or CSV.",
                    most=number_words(most),
                    kind=kind,
                ),
            )
        told = {"month": self.month.text, "format": kind, "people": len(self.people)}
        if department:
            told["department"] = department
        with app.sessions.begin() as session:
            audit.add(session, actor(), Action.MONTH_EXPORTED, after=told)
        self.zone, self.as_of_ms = app.settings.zone, now_ms()
        self.name = f"month_{self.month.text}"

    def days(self, session: Session) -> Iterator[tuple[Person, Any]]:
        return month_rows.with_days(session, self.people, self.month, self.as_of_ms, self.zone)


def _of_one(employee_id: str | None) -> Response:
    month = asked_month.asked()
    with services().sessions.begin() as session:
        found = session.get(Employee, employee_id) if employee_id else None
        if found is None:
            abort(404)
        person = Person(found.id, found.code, found.name, found.department)
        audit.add(
            session,
            actor(),
            Action.MONTH_EXPORTED,
            audit.person(found),
            after={"month": month.text, "format": "pdf"},
        )
    return _pdf(f"month_{month.text}_{UNSAFE.sub('-', person.code)}", month, [person])


def _pdf(name: str, month: AskedMonth, people: Sequence[Person]) -> Response:
    """All in one transaction: one consistent picture."""
    zone, at_ms = services().settings.zone, now_ms()
    running = at_ms < day_bounds_ms(month.last, zone)[1]
    made = f"{date_words(at_ms, zone.key)}, {time_words(at_ms, zone.key)} ({zone.key})"
    with reading(services().sessions) as session:
        sites = plans.sites_on(session, [one.id for one in people], month.last, zone)
        found = (
            month_sheet.Sheet(one, sites.get(one.id, ""), days)
            for one, days in month_rows.with_days(session, people, month, at_ms, zone)
        )
        file = month_sheet.write(month, found, len(people), made, running)
    return downloads.pdf(name, file)
