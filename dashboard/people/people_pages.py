"""Employees: the list, adding one, and a person's page with details, consent and state."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, sight, viewer_name
from dashboard.auditing import audit, person_trail
from dashboard.auditing.audit_actions import Action
from dashboard.correcting import correction_marks
from dashboard.database import now_ms, reading
from dashboard.enrolling import picture_quality
from dashboard.models import Employee
from dashboard.months import asked_month, person_month
from dashboard.people import employees, people_export, people_list
from dashboard.people.employees import EmployeeError
from dashboard.tables import downloads
from dashboard.web import cursors
from dashboard.web.answers import services

FIELDS = ("code", "name", "department")

pages = Blueprint("people", __name__)


@pages.get("/people")
def index() -> ResponseReturnValue:
    settings, seen = services().settings, sight().only_departments
    chosen = _chosen()
    place = cursors.read_place(people_list.SORTS[chosen.sort][2])
    now = datetime.now(settings.zone)
    kept: dict[str, Any] = {**chosen.query_string()}
    with reading(services().sessions) as session:
        rows, before, after = people_list.page(session, chosen, now, place, settings.page_size, seen)
        total = people_list.count(session, chosen, now, seen) if before is None else None
        known_departments = employees.departments(session, seen)
    return render_template(
        "people.html",
        rows=rows,
        words=people_list.count_words(total, before is not None),
        first=url_for("people.index", **kept),
        before=url_for("people.index", **kept, before=cursors.pack(before)) if before else None,
        after=url_for("people.index", **kept, after=cursors.pack(after)) if after else None,
        beyond=place is not None,
        chosen=chosen,
        kept=kept,
        states=people_list.STATES,
        sorts={name: sort[0] for name, sort in people_list.SORTS.items()},
        departments=known_departments,
        exports={suffix: url_for("people.export", suffix=suffix, **kept) for suffix in ("csv", "xlsx")},
    )


@pages.get("/people.<any(csv, xlsx):suffix>")
def export(suffix: str) -> ResponseReturnValue:
    """Everybody that the page's filter finds, in its order; that they were exported is in the audit trail."""
    sessions, zone, seen = services().sessions, services().settings.zone, sight().only_departments
    chosen, now = _chosen(), datetime.now(zone)
    with sessions.begin() as session:
        told = {**people_list.noted(chosen), "format": suffix}
        audit.add(session, actor(), Action.PEOPLE_EXPORTED, after=told)

    def found(session: Session) -> Iterator[people_list.PersonRow]:
        return people_list.everybody(session, chosen, now, seen)

    if suffix == "csv":
        return downloads.csv("people", sessions, lambda session: people_export.texts(found(session), zone))
    return downloads.xlsx(
        "people",
        _("People"),
        people_export.COLUMNS,
        sessions,
        lambda session: (people_export.values(row, zone) for row in found(session)),
    )


def _chosen() -> people_list.PeopleFilter:
    try:
        return people_list.read_filter(request.args)
    except people_list.BadFilter as error:
        abort(400, str(error))


@pages.route("/people/new", methods=["GET", "POST"])
def create() -> ResponseReturnValue:
    typed = {name: request.form.get(name, "") for name in FIELDS}
    consent = bool(request.form.get("consent"))
    if request.method == "GET":
        return _new_form(typed, consent)
    try:
        with services().sessions.begin() as session:
            employee = employees.create_employee(
                session, **typed, consent_by=viewer_name() if consent else None, now_ms=now_ms()
            )
            person_trail.tell_created(session, actor(), employee)
            if consent:
                audit.add(session, actor(), Action.CONSENT_GIVEN, audit.person(employee))
    except EmployeeError as error:
        return _new_form(typed, consent, {error.field: str(error)}), 422
    except IntegrityError:  # somebody else entered the same code in the same moment
        return _new_form(typed, consent, {"code": _("code: another employee has it already; use a different one")}), 422
    entered = _("%(name)s is entered. Now add face pictures.") if consent else _("%(name)s is entered.")
    flash(entered % {"name": employee.name}, "good")
    return redirect(url_for("people.person", employee_id=employee.id))


def _new_form(typed: dict[str, str], consent: bool, problems: dict[str, str] | None = None) -> str:
    return render_template(
        "person_new.html",
        typed=typed,
        consent=consent,
        problems=problems or {},
        max_pictures=services().settings.max_pictures,
        picture_days=services().settings.picture_days,
    )


@pages.get("/people/<employee_id>")
def person(employee_id: str) -> ResponseReturnValue:
    return person_page(employee_id)


def person_page(employee_id: str, **more: Any) -> str:
    """A person's page; `more` is what a form that was refused adds (typed values, problems, verdicts). 404 if unknown."""
    settings = services().settings
    month_asked = asked_month.asked()
    with reading(services().sessions) as session:
        employee = session.get(Employee, employee_id)
        if employee is None:
            abort(404)
        pictures = picture_quality.pictures(session, employee_id)
        month = person_month.read(session, employee_id, month_asked, settings.zone)
        last_seen = person_month.last_seen(session, employee_id)
        marks = correction_marks.marks(session, [row.event_id for row in month.events])
        values = {
            "typed": {"name": employee.name, "department": employee.department},
            "problems": {},
            "verdicts": [],
            **more,
        }
        return render_template(
            "person.html",
            person=employee,
            pictures=pictures,
            quality=picture_quality.summary(pictures),
            month=month,
            last_seen=last_seen,
            marks=marks,
            room=max(0, settings.max_pictures - len(pictures)),
            max_pictures=settings.max_pictures,
            max_upload_mb=settings.max_upload_mb,
            picture_days=settings.picture_days,
            **values,
        )


@pages.post("/people/<employee_id>")
def change(employee_id: str) -> ResponseReturnValue:
    typed = {name: request.form.get(name, "") for name in ("name", "department")}
    try:
        with services().sessions.begin() as session:
            employee = employees.locked(session, employee_id)
            before = person_trail.details(employee)
            employees.update_employee(session, employee_id, **typed)
            person_trail.tell_change(session, actor(), employee, before)
    except EmployeeError as error:
        if error.field == "employee":
            abort(404)
        return person_page(employee_id, typed=typed, problems={error.field: str(error)}), 422
    flash(_("The details are saved."), "good")
    return redirect(url_for("people.person", employee_id=employee_id))


def _give_consent(session: Session, employee_id: str) -> tuple[Action, str]:
    employees.set_consent(session, employee_id, viewer_name(), now_ms())
    return Action.CONSENT_GIVEN, _("The consent is recorded. Now add face pictures.")


def _withdraw_consent(session: Session, employee_id: str) -> tuple[Action, str]:
    employees.withdraw_consent(session, employee_id)
    words = _("The consent is withdrawn; all face pictures and templates of this person are deleted.")
    return Action.CONSENT_WITHDRAWN, words


def _deactivate(session: Session, employee_id: str) -> tuple[Action, str]:
    employees.deactivate(session, employee_id, now_ms())
    return Action.PERSON_DEACTIVATED, _("Deactivated: kiosks accept this person no longer.")


def _reactivate(session: Session, employee_id: str) -> tuple[Action, str]:
    employees.reactivate(session, employee_id)
    return Action.PERSON_REACTIVATED, _("Reactivated: kiosks accept this person again.")


STEPS = {
    "give-consent": _give_consent,
    "withdraw-consent": _withdraw_consent,
    "deactivate": _deactivate,
    "reactivate": _reactivate,
}


@pages.post("/people/<employee_id>/<any('give-consent', 'withdraw-consent', deactivate, reactivate):step>")
def take_step(employee_id: str, step: str) -> ResponseReturnValue:
    try:
        with services().sessions.begin() as session:
            employee = employees.locked(session, employee_id)
            before = employee.consent_ms, employee.deactivated_ms
            action, told = STEPS[step](session, employee_id)
            if (employee.consent_ms, employee.deactivated_ms) != before:
                audit.add(session, actor(), action, audit.person(employee))
    except EmployeeError:
        abort(404)
    flash(told, "good")
    return redirect(url_for("people.person", employee_id=employee_id))
