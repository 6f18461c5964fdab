"""What an employee asks for about their own punches: the form, the list with what became of it, and taking it back."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from dashboard.access.auth import actor, sight, viewer_name
from dashboard.correcting import correction_asking, correction_requests
from dashboard.correcting.corrections import CorrectionError, decide
from dashboard.database import now_ms, reading
from dashboard.models import Correction
from dashboard.web import cursors
from dashboard.web.answers import services

pages = Blueprint("my_corrections", __name__)
PLACES = (int, int)


def _own() -> str:
    """The person that the account belongs to; 404 without one."""
    found = sight().employee_id
    return found if found else abort(404)


@pages.get("/my-corrections")
def index() -> ResponseReturnValue:
    place, size = cursors.read_place(PLACES), services().settings.page_size
    with reading(services().sessions) as session:
        rows, before, after = correction_requests.page(session, place, size, employee_id=sight().employee_id or "")
        rows = [correction_requests.with_zone(session, row, services().settings.zone) for row in rows]
    return render_template(
        "my_corrections.html",
        rows=rows,
        states=correction_requests.STATES,
        first=url_for("my_corrections.index"),
        before=url_for("my_corrections.index", before=cursors.pack(before)) if before else None,
        after=url_for("my_corrections.index", after=cursors.pack(after)) if after else None,
    )


@pages.route("/my-corrections/new", methods=["GET", "POST"])
def ask() -> ResponseReturnValue:
    return correction_asking.answer(_own(), url_for("me.month"), url_for("my_corrections.index"))


@pages.post("/my-corrections/<int:correction_id>/withdraw")
def withdraw(correction_id: int) -> ResponseReturnValue:
    own = _own()
    with services().sessions.begin() as session:
        row = session.get(Correction, correction_id)
        if row is None or row.employee_id != own or row.asked_by != viewer_name():
            abort(404)
        try:
            decide(session, correction_id, "withdrawn", by=viewer_name(), now_ms=now_ms(), actor=actor())
            flash(_("It is withdrawn."), "good")
        except CorrectionError as error:
            flash(f"{error}.", "warn")
    return redirect(url_for("my_corrections.index"))
