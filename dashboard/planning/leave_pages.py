"""A person's leave: entered, listed, and withdrawn; nothing is deleted."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from dashboard.access.auth import actor, viewer_name
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import count, now_ms, reading
from dashboard.models import Employee, Leave
from dashboard.web.answers import page_number, services
from dashboard.web.forms import Form
from dashboard.webhooks import changes

LONGEST_DAYS = 366
KINDS = {
    "annual": lazy_gettext("Annual leave"),
    "sick": lazy_gettext("Sick"),
    "parental": lazy_gettext("Parental"),
    "family": lazy_gettext("Family"),
    "business": lazy_gettext("On business"),
    "other": lazy_gettext("Other"),
}
HALVES = {"": lazy_gettext("Whole days"), "first": lazy_gettext("First half"), "second": lazy_gettext("Second half")}
PAID = {"yes": lazy_gettext("Paid"), "no": lazy_gettext("Unpaid")}

pages = Blueprint("leave", __name__)


@pages.get("/people/<employee_id>/leave")
def index(employee_id: str) -> ResponseReturnValue:
    return _index(employee_id, {}, {})


def _index(employee_id: str, typed: dict[str, str], problems: dict[str, str]) -> str:
    page, size = page_number(), services().settings.page_size
    with reading(services().sessions) as session:
        person = session.get(Employee, employee_id)
        if person is None:
            abort(404)
        mine = select(Leave).where(Leave.employee_id == employee_id)
        total = count(session, mine)
        newest = mine.order_by(Leave.last_day.desc(), Leave.id.desc())
        rows = session.scalars(newest.limit(size).offset((page - 1) * size)).all()
    return render_template(
        "leave.html",
        person=person,
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // size)),
        link=lambda number: url_for("leave.index", employee_id=employee_id, page=number),
        kinds=KINDS,
        halves=HALVES,
        paid=PAID,
        typed=typed,
        problems=problems,
    )


@pages.post("/people/<employee_id>/leave")
def enter(employee_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    first, last = form.day("first_day", _("First day")), form.day("last_day", _("Last day"))
    kind, half = form.choice("kind", _("Kind"), KINDS), form.choice("half", _("Free"), HALVES)
    paid, note = form.choice("paid", _("Paid"), PAID) == "yes", form.text("note", _("Note"), 500, needed=False)
    if first and last and not 0 <= (last - first).days < LONGEST_DAYS:
        form.problems["last_day"] = _(
            "Last day %(last)s: from the first day %(first)s on, at most %(longest)s days",
            last=last,
            first=first,
            longest=LONGEST_DAYS,
        )
    if form.problems or first is None or last is None:
        typed = {name: value[:500] for name, value in request.form.items()}
        return _index(employee_id, typed, form.problems), 422
    with services().sessions.begin() as session:
        person = session.get(Employee, employee_id, with_for_update=True)
        if person is None or person.erased_ms is not None:
            abort(404)
        entered = {"entered_ms": now_ms(), "entered_by": viewer_name()}
        days = {"first_day": first, "last_day": last, "half": half or None}
        row = Leave(employee_id=employee_id, **days, kind=kind, paid=paid, note=note, **entered)
        session.add(row)
        session.flush()
        changes.queue_change(session, changes.DAYS_CHANGED, employee_id)
        audit.add(session, actor(), Action.LEAVE_ENTERED, audit.person(person), after=_noted(row))
    flash(_("Leave is entered."), "good")
    return redirect(url_for("leave.index", employee_id=employee_id))


def _noted(row: Leave) -> dict[str, object]:
    """As the audit trail tells of it: not the kind or the note, which may be about somebody's health."""
    return {"leave": row.id, "first_day": row.first_day.isoformat(), "last_day": row.last_day.isoformat()}


@pages.post("/people/<employee_id>/leave/<int:leave_id>/withdraw")
def withdraw(employee_id: str, leave_id: int) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        row = session.get(Leave, leave_id, with_for_update=True)
        if row is None or row.employee_id != employee_id:
            abort(404)
        if row.withdrawn_ms is not None:
            flash(_("%(withdrawn_by)s has withdrawn it already.", withdrawn_by=row.withdrawn_by), "warn")
        else:
            row.withdrawn_ms, row.withdrawn_by = now_ms(), viewer_name()
            person = session.get_one(Employee, employee_id)
            changes.queue_change(session, changes.DAYS_CHANGED, employee_id)
            audit.add(session, actor(), Action.LEAVE_WITHDRAWN, audit.person(person), before=_noted(row))
            flash(_("Leave is withdrawn; it stays in the list and counts no more."), "good")
    return redirect(url_for("leave.index", employee_id=employee_id))
