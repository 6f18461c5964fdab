"""Erasing a person for good: what goes and what stays is said first, and their code must be typed."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from dashboard.access.auth import actor, viewer_name
from dashboard.database import reading
from dashboard.models import Correction, Employee, User
from dashboard.people import erasing
from dashboard.people.employees import EmployeeError
from dashboard.people.erasing import ErasingError
from dashboard.web.answers import services

pages = Blueprint("erasing", __name__, url_prefix="/people/<employee_id>/erase")


@pages.get("")
def form(employee_id: str) -> ResponseReturnValue:
    return _erased_already(employee_id) if _found(employee_id).erased_ms is not None else _form(employee_id, {}, {})


def _found(employee_id: str) -> Employee:
    with reading(services().sessions) as session:
        person = session.get(Employee, employee_id)
    if person is None:
        abort(404)
    return person


def _form(employee_id: str, typed: dict[str, str], problems: dict[str, str]) -> str:
    person = _found(employee_id)
    with reading(services().sessions) as session:
        asked = (Correction.employee_id == employee_id) & (Correction.state == "asked")
        waiting = session.scalar(select(func.count()).select_from(Correction).where(asked)) or 0
        account = session.scalar(select(User.name).where(User.employee_id == employee_id))
    return render_template(
        "person_erase.html",
        person=person,
        waiting=waiting,
        account=account,
        reasons=erasing.REASONS,
        typed=typed,
        problems=problems,
    )


def _erased_already(employee_id: str) -> ResponseReturnValue:
    flash(_("This person is erased already."), "info")
    return redirect(url_for("people.person", employee_id=employee_id))


@pages.post("")
def erase(employee_id: str) -> ResponseReturnValue:
    """A second click finds it done."""
    app, typed = services(), {name: request.form.get(name, "")[:200] for name in ("code", "reason")}
    try:
        name, wiped = erasing.erase_for_good(
            app.sessions, app.settings, employee_id, typed["code"], typed["reason"], by=viewer_name(), actor=actor()
        )
    except ErasingError as error:
        return _form(employee_id, typed, {error.field: str(error)}), 422
    except EmployeeError:
        _found(employee_id)
        return _erased_already(employee_id)
    flash(_("The person is erased. Their records stay as those of “%(name)s”.", name=name), "good")
    if not wiped:
        flash(
            _("Free pages of the database’s file may still hold traces. Have “attendance people wipe” run there."),
            "warn",
        )
    return redirect(url_for("people.person", employee_id=employee_id))
