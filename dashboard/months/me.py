"""What an employee sees of themselves: a month's days, and the punches of these days. HR links the account to the person."""

from functools import partial

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from dashboard.access.auth import sight
from dashboard.correcting import correction_marks
from dashboard.database import now_ms, reading
from dashboard.days.month import totals
from dashboard.log import door_clocks
from dashboard.models import AttendanceEvent, Employee, Kiosk
from dashboard.months import asked_month, day_words
from dashboard.months.day_store import days_of
from dashboard.web.answers import page_number, services

pages = Blueprint("me", __name__)


@pages.get("/me")
def month() -> ResponseReturnValue:
    settings, chosen = services().settings, asked_month.asked()
    page, size = page_number(), settings.page_size
    employee_id = sight().employee_id
    with reading(services().sessions) as session:
        person = session.get(Employee, employee_id) if employee_id else None
        whose = [person.id] if person else []
        found = days_of(session, whose, chosen.first, chosen.last, now_ms(), settings.zone)
        days = found[person.id] if person else ()
        uses = [use for day in days for use in day.punches if use.punch.original_ms is not None]
        shown = {use.punch.id: use for use in uses[(page - 1) * size : page * size]}
        query = (
            select(
                AttendanceEvent.event_id,
                AttendanceEvent.captured_ms,
                AttendanceEvent.time_zone,
                AttendanceEvent.direction,
                AttendanceEvent.kiosk,
                Kiosk.label,
            )
            .outerjoin(Kiosk, Kiosk.name == AttendanceEvent.kiosk)
            .where(AttendanceEvent.event_id.in_(list(shown)))
        )
        events = {row.event_id: row for row in session.execute(query)}
        rows = [events[one] for one in shown]
        marks = correction_marks.of_days(session, days) | correction_marks.marks(session, list(shown))
    clocks = door_clocks.of_rows(rows, settings.zone)
    return render_template(
        "me.html",
        person=person,
        month=chosen,
        days=days,
        sums=totals(days),
        day_words=day_words,
        marks=marks,
        reasons=True,
        correct=partial(url_for, "my_corrections.ask"),
        rows=rows,
        directions={row.event_id: day_words.direction(shown[row.event_id], row.direction) for row in rows},
        total=len(uses),
        page=page,
        pages=max(1, -(-len(uses) // size)),
        clock=next(iter(clocks)) if len(clocks) == 1 else None,
        link=lambda number: url_for("me.month", month=chosen.text, page=number),
    )
