"""The attendance log: filtered, paged, and the same rows as CSV."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard import audit, csv_export, log_query
from dashboard.attendance_rules import local_date
from dashboard.audit_actions import Action
from dashboard.auth import actor, sight
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.employees import departments
from dashboard.models import EventPicture
from dashboard.settings import DashboardSettings
from dashboard.web import page_number, services

EXPORT_BATCH = 500
"""Rows read from the database at a time while an export streams."""

pages = Blueprint("attendance", __name__)


def quick_ranges(today: date) -> list[tuple[str, str, str]]:
    """Words, first and last day of the ranges that are asked for most."""
    ranges = (
        ("Today", today, today),
        ("Yesterday", today - timedelta(days=1), today - timedelta(days=1)),
        ("Last 7 days", today - timedelta(days=6), today),
        ("This month", today.replace(day=1), today),
    )
    return [(words, first.isoformat(), last.isoformat()) for words, first, last in ranges]


@pages.get("/attendance")
def log() -> ResponseReturnValue:
    settings = services().settings
    page, size = page_number(), settings.page_size
    with reading(services().sessions) as session:
        kiosks = log_query.known_kiosks(session)
        known_departments = departments(session, sight().only_departments)
        chosen, problems = log_query.read_filter(request.args, kiosks)
        query = log_query.rows(chosen, settings.zone, sight().only_departments)
        total = 0 if problems else log_query.count(session, query)
        rows = [] if problems else session.execute(query.limit(size).offset((page - 1) * size)).all()
    # not only this machine's clock: what is shown must stay shown
    as_of = chosen.as_of_ms or max([now_ms(), *(row.received_ms for row in rows)])
    kept: dict[str, Any] = {**chosen.query_string(), "as_of": as_of}
    content = render_template(
        "attendance.html",
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // size)),
        chosen=chosen,
        typed={name: request.args.get(name, "")[: log_query.LONGEST_TEXT] for name in log_query.FIELDS},
        problems=problems,
        kiosks=kiosks,
        departments=known_departments,
        kinds=log_query.KINDS,
        quick=quick_ranges(local_date(now_ms(), settings.zone)),
        zone_name=settings.zone.key,
        export_link=url_for("attendance.export", **kept),
        link=lambda number: url_for("attendance.log", **kept, page=number),
    )
    return content, 400 if problems else 200


@pages.get("/attendance/<event_id>.jpg")
def picture(event_id: str) -> ResponseReturnValue:
    """The face that a record was decided on; 404 where the site keeps none, or not any more."""
    with reading(services().sessions) as session:
        kept = session.get(EventPicture, event_id)
    if kept is None or kept.expires_ms <= now_ms() or not services().settings.picture_days:
        abort(404)
    return Response(kept.jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@pages.get("/attendance.csv")
def export() -> ResponseReturnValue:
    """Everything that the page's filter finds, not one page of it; that it was exported is in the audit trail."""
    with reading(services().sessions) as session:
        kiosks = log_query.known_kiosks(session)
    chosen, problems = log_query.read_filter(request.args, kiosks)
    if problems:
        abort(400, " ".join(problems))
    days = [day.isoformat() for day in (chosen.start, chosen.end) if day]
    name = "_".join(["attendance", *dict.fromkeys(days)])
    query = log_query.rows(chosen, services().settings.zone, sight().only_departments)
    with services().sessions.begin() as session:
        audit.add(session, actor(), Action.ATTENDANCE_EXPORTED, after=log_query.noted(chosen))
    return Response(
        _stream(services().sessions, services().settings, query),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _stream(sessions: SessionFactory, settings: DashboardSettings, query: Any) -> Iterator[str]:
    """Runs after the request is over, so it takes what it needs along. One transaction: one consistent picture."""
    with reading(sessions) as session:
        yield from csv_export.lines(session.execute(query.execution_options(yield_per=EXPORT_BATCH)), settings.zone)
