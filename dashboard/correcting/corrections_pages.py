"""Requests for corrections: who looks after the person decides, with the day before and after; HR may ask for anybody.

Nobody decides on what they asked for themselves, or on their own punches: the second pair of eyes is the point of it.
"""

from typing import Any, Literal

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user

from dashboard.access.auth import actor, may, sight, viewer_name
from dashboard.correcting import correction_asking, correction_requests
from dashboard.correcting.correction_requests import STATES
from dashboard.correcting.corrections import LONGEST_TEXT, CorrectionError
from dashboard.correcting.corrections import decide as decide_on
from dashboard.database import now_ms, reading
from dashboard.models import Correction
from dashboard.months import day_words
from dashboard.people.employees import departments
from dashboard.web import cursors
from dashboard.web.answers import services, short_text
from dashboard.web.forms import Form

pages = Blueprint("corrections", __name__)
PLACES = (int, int)
MOST_ROWS = 20
"""On a page: each that waits has its days computed."""
DECISIONS = {"approved": lazy_gettext("Approved"), "refused": lazy_gettext("Refused")}
DECIDED = {
    "approved": lazy_gettext("The correction is approved."),
    "refused": lazy_gettext("The correction is refused."),
}


@pages.get("/corrections")
def index() -> ResponseReturnValue:
    return _index({}, {})


def own(row: Correction) -> bool:
    """Whether the viewer asked for it, or it is about them."""
    return row.asked_by == viewer_name() or row.employee_id == current_user.employee_id


def _kept() -> dict[str, Any]:
    """The filter and place of this page, for links and forms that lead back to it."""
    names = ("state", "department", "after", "before")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _index(typed: dict[str, str], problems: dict[int, str]) -> str:
    settings, seen = services().settings, sight().only_departments
    state, department, place = short_text("state", 20), short_text("department"), cursors.read_place(PLACES)
    if state not in STATES:
        abort(400, _("state “%(state)s”: use one of %(known)s.", state=state, known=", ".join(filter(None, STATES))))
    with reading(services().sessions) as session:
        rows, before, after = correction_requests.page(
            session, place, min(settings.page_size, MOST_ROWS), state=state, department=department, only=seen
        )
        now = now_ms()
        rows = [correction_requests.with_days(session, row, now, settings.zone) for row in rows]
        known = departments(session, seen)
    chosen: dict[str, Any] = {name: value for name, value in (("state", state), ("department", department)) if value}
    return render_template(
        "corrections.html",
        rows=rows,
        states=STATES,
        state=state,
        department=department,
        departments=known,
        first=url_for("corrections.index", **chosen),
        before=url_for("corrections.index", **chosen, before=cursors.pack(before)) if before else None,
        after=url_for("corrections.index", **chosen, after=cursors.pack(after)) if after else None,
        beyond=place is not None,
        kept=_kept(),
        own=own,
        may_decide=may("corrections.decide"),
        day_words=day_words,
        typed=typed,
        problems=problems,
        longest=LONGEST_TEXT,
    )


def _found(row: Correction | None, employee_id: str) -> Correction:
    return row if row is not None and row.employee_id == employee_id else abort(404)


@pages.post("/people/<employee_id>/corrections/<int:correction_id>/decide")
def decide(employee_id: str, correction_id: int) -> ResponseReturnValue:
    form = Form(request.form)
    decision = form.choice("decision", _("Decision"), DECISIONS)
    note = form.text("note", _("Words"), LONGEST_TEXT, needed=decision == "refused")
    with services().sessions.begin() as session:
        row = _found(session.get(Correction, correction_id), employee_id)
        if own(row):
            abort(403)
        if not form.problems:
            state: Literal["approved", "refused"] = "refused" if decision == "refused" else "approved"
            try:
                decide_on(session, correction_id, state, by=viewer_name(), now_ms=now_ms(), note=note, actor=actor())
                flash(str(DECIDED[state]), "good")
            except CorrectionError as error:
                flash(f"{error}.", "warn")
            return redirect(url_for("corrections.index", **_kept()))
    return _index({"note": request.form.get("note", "")[:LONGEST_TEXT]}, {correction_id: _words(form)}), 422


def _words(form: Form) -> str:
    return "; ".join(form.problems.values())


@pages.route("/people/<employee_id>/corrections/new", methods=["GET", "POST"])
def enter(employee_id: str) -> ResponseReturnValue:
    """HR asks for somebody; another log-in decides."""
    month = url_for("months.person", employee_id=employee_id)
    return correction_asking.answer(employee_id, month, url_for("corrections.index"))


@pages.post("/people/<employee_id>/corrections/<int:correction_id>/withdraw")
def withdraw(employee_id: str, correction_id: int) -> ResponseReturnValue:
    """Who asked for somebody takes it back."""
    with services().sessions.begin() as session:
        row = _found(session.get(Correction, correction_id), employee_id)
        if row.asked_by != viewer_name():
            abort(403)
        try:
            decide_on(session, correction_id, "withdrawn", by=viewer_name(), now_ms=now_ms(), actor=actor())
            flash(_("It is withdrawn."), "good")
        except CorrectionError as error:
            flash(f"{error}.", "warn")
    return redirect(url_for("corrections.index", **_kept()))
