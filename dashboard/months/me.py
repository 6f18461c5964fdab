"""What an employee sees of themselves: the days and the punches of a month. The account is linked to the person by HR."""

from functools import partial

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from dashboard.access.auth import sight
from dashboard.correcting import correction_marks
from dashboard.database import count, now_ms, reading
from dashboard.days.month import totals
from dashboard.models import AttendanceEvent, Employee, Kiosk
from dashboard.months import asked_month, day_words
from dashboard.months.day_store import days_of
from dashboard.recording.attendance_rules import day_bounds_ms
from dashboard.web.answers import page_number, services

pages = Blueprint("me", __name__)


@pages.get("/me")
def month() -> ResponseReturnValue:
    settings, chosen = services().settings, asked_month.asked()
    page, size = page_number(), settings.page_size
    start_ms = day_bounds_ms(chosen.first, settings.zone)[0]
    end_ms = day_bounds_ms(chosen.last, settings.zone)[1]
    employee_id = sight().employee_id
    with reading(services().sessions) as session:
        person = session.get(Employee, employee_id) if employee_id else None
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
            .where(
                AttendanceEvent.employee_id == (person.id if person else None),
                AttendanceEvent.captured_ms >= start_ms,
                AttendanceEvent.captured_ms < end_ms,
            )
            .order_by(AttendanceEvent.captured_ms, AttendanceEvent.event_id)
        )
        total = count(session, query)
        rows = session.execute(query.limit(size).offset((page - 1) * size)).all()
        whose = [person.id] if person else []
        found = days_of(session, whose, chosen.first, chosen.last, now_ms(), settings.zone)
        days = found[person.id] if person else ()
        marks = correction_marks.of_days(session, days) | correction_marks.marks(
            session, [row.event_id for row in rows]
        )
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
        total=total,
        page=page,
        pages=max(1, -(-total // size)),
        zone_name=settings.zone.key,
        link=lambda number: url_for("me.month", month=chosen.text, page=number),
    )
