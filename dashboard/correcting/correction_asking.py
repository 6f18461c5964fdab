"""The form that asks for a correction, the same for employees about themselves and for HR about somebody."""

from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, viewer_name
from dashboard.correcting import correction_form, correction_requests
from dashboard.correcting.correction_form import Asked
from dashboard.correcting.corrections import CorrectionError, ask, ask_to_add
from dashboard.database import now_ms, reading
from dashboard.days.corrections import CorrectedPunch
from dashboard.models import AttendanceEvent, Employee
from dashboard.months.asked_days import day_range
from dashboard.months.day_store import days_of
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import services, short_text
from dashboard.web.forms import Form


def answer(employee_id: str, back: str, after: str) -> ResponseReturnValue:
    """The form for `?punch=…` or `?day=…`, or what was typed into it; `after` is where it leads once it is asked."""
    zone, now = services().settings.zone, now_ms()
    punch_id = short_text("punch", 64)
    with reading(services().sessions) as session:
        person = session.get(Employee, employee_id)
        punch = correction_requests.punch_of(session, employee_id, punch_id) if person and punch_id else None
        if person is None or (punch_id and punch is None):
            abort(404)
        here = correction_requests.zone_of(session, employee_id, local_date(punch.at_ms if punch else now, zone), zone)
        begins = {"day": short_text("day", 10), "direction": _missing(session, employee_id, now)}
        if punch is not None:
            begins = correction_form.fields_of(punch, here)
        shown: dict[str, Any] = {"person": person, "punch": punch, "zone_name": here.key, "back": back}
        if request.method == "GET":
            return _page(shown, begins, {})
        form = Form(request.form)
        asked = correction_form.read(
            form, punch, lambda day: correction_requests.zone_of(session, employee_id, day, zone), now
        )
    typed = {name: value[:500] for name, value in request.form.items()}
    if asked is None:
        return _page(shown, typed, form.problems), 422
    try:
        _ask(employee_id, punch, asked, now)
    except CorrectionError as error:
        return _page(shown, typed, {"": str(error)}), 422
    flash(_("It is asked for, and counts once somebody else has approved it."), "good")
    return redirect(after)


def _missing(session: Session, employee_id: str, now: int) -> str:
    """What most likely lacks on `?day=…`: out where somebody came and never left, else in."""
    day = day_range({"from": short_text("day", 10), "to": ""}, [])[0]
    days = days_of(session, [employee_id], day, day, now, services().settings.zone) if day else {}
    return "out" if any("missing_out" in one.statuses for one in days.get(employee_id, ())) else "in"


def _page(shown: dict[str, Any], typed: dict[str, str], problems: dict[str, str]) -> str:
    choices = {"whats": correction_form.WHATS, "directions": correction_form.DIRECTIONS}
    return render_template("correction_ask.html", **shown, **choices, typed=typed, problems=problems)


def _ask(employee_id: str, punch: CorrectedPunch | None, asked: Asked, now: int) -> None:
    by: dict[str, Any] = {"reason": asked.reason, "by": viewer_name(), "now_ms": now, "actor": actor()}
    with services().sessions.begin() as session:
        punch_id = punch.id if punch else None
        correction_requests.refuse_second(session, employee_id, punch_id, asked.new_ms, asked.direction)
        if punch is None:
            if asked.new_ms is None or asked.direction is None:
                raise CorrectionError(_("correction: an added punch needs a time and a direction"))
            ask_to_add(session, employee_id, asked.new_ms, asked.direction, **by)
            return
        recorded = session.get(AttendanceEvent, punch.id) is not None
        ask(
            session,
            "void" if asked.what == "void" else "change",
            event_id=punch.id if recorded else None,
            corrects_id=None if recorded else correction_requests.added_by(session, punch.id),
            new_ms=asked.new_ms,
            new_direction=asked.direction,
            **by,
        )
