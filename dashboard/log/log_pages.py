"""The attendance log: filtered, paged, and the same rows as a file."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, sight
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.correcting import added_punches, correction_marks
from dashboard.database import now_ms, reading
from dashboard.log import door_clocks, log_export, log_query
from dashboard.log.log_walk import COUNTED, LogWalk
from dashboard.models import EventPicture
from dashboard.people.employees import departments
from dashboard.recording.attendance_rules import local_date
from dashboard.tables import downloads
from dashboard.tables.xlsx_export import Value
from dashboard.web import cursors, saved_filters
from dashboard.web.answers import services
from dashboard.web.filter_texts import LONGEST_TEXT
from dashboard.web.locales import number_words
from dashboard.web.saved_filters import PAGES

pages = Blueprint("attendance", __name__)


def quick_ranges(today: date) -> list[tuple[str, str, str]]:
    """Words, first and last day of the ranges that are asked for most."""
    ranges = (
        (_("Today"), today, today),
        (_("Yesterday"), today - timedelta(days=1), today - timedelta(days=1)),
        (_("Last 7 days"), today - timedelta(days=6), today),
        (_("This month"), today.replace(day=1), today),
    )
    return [(name, first.isoformat(), last.isoformat()) for name, first, last in ranges]


@pages.get("/attendance")
def log() -> ResponseReturnValue:
    settings = services().settings
    place = cursors.read_place((int, str))
    with reading(services().sessions) as session:
        kiosks = log_query.known_kiosks(session)
        known_departments = departments(session, sight().only_departments)
        chosen, problems = log_query.read_filter(request.args, kiosks)
        clocks = door_clocks.of_doors(session, chosen.kiosk, settings.zone)
        here = ZoneInfo(next(iter(clocks))) if len(clocks) == 1 else settings.zone
        rows: list[Any] = []
        newer = older = total = None
        added: Sequence[Any] = ()
        if not problems:
            walk = LogWalk(session, chosen, settings.zone, sight().only_departments)
            rows, newer, older = walk.page(place, settings.page_size)
            clocks = door_clocks.of_rows(rows, settings.zone) or clocks
            total = walk.count() if not newer else None
            added = added_punches.added(session, walk) if place is None else ()
        punches = [row.event_id for row in rows] + [one.punch_id for one, _ in added]
        marks = correction_marks.marks(session, punches)
        saved = saved_filters.of_account(session, current_user.user_id, "log", local_date(now_ms(), here))
    # not only this machine's clock: what is shown must stay shown
    as_of = chosen.as_of_ms or max([now_ms(), *(row.received_ms for row in rows)])
    shown: dict[str, Any] = {**chosen.query_string()}
    kept = {**shown, "as_of": as_of}
    content = render_template(
        "attendance.html",
        rows=rows,
        added=added,
        marks=marks,
        words=_count_words(total, newer is not None),
        first=url_for("attendance.log", **shown),
        newer=url_for("attendance.log", **kept, before=cursors.pack(newer)) if newer else None,
        older=url_for("attendance.log", **kept, after=cursors.pack(older)) if older else None,
        beyond=place is not None,
        chosen=chosen,
        typed={name: request.args.get(name, "")[:LONGEST_TEXT] for name in log_query.FIELDS},
        problems=problems,
        kiosks=kiosks,
        departments=known_departments,
        kinds=log_query.KINDS,
        quick=quick_ranges(local_date(now_ms(), here)),
        clock=next(iter(clocks)) if len(clocks) == 1 else None,
        zone_name=settings.zone.key,
        saved=saved,
        saved_days=PAGES["log"].days,
        exports={suffix: url_for("attendance.export", suffix=suffix, **kept) for suffix in ("csv", "xlsx")},
    )
    return content, 400 if problems else 200


def _count_words(total: int | None, further: bool) -> str:
    if further:
        return _("further records")
    return (
        _("more than %(count)s records", count=number_words(COUNTED))
        if total is None
        else ngettext("%(count)s record", "%(count)s records", total, count=number_words(total))
    )


@pages.get("/attendance/<event_id>.jpg")
def picture(event_id: str) -> ResponseReturnValue:
    """The face that a record was decided on; 404 where the site keeps none, or not any more."""
    with reading(services().sessions) as session:
        kept = session.get(EventPicture, event_id)
    if kept is None or kept.expires_ms <= now_ms() or not services().settings.picture_days:
        abort(404)
    return Response(kept.jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@pages.get("/attendance.<any(csv, xlsx):suffix>")
def export(suffix: str) -> ResponseReturnValue:
    """Everything that the page's filter finds, not one page of it; that it was exported is in the audit trail."""
    sessions, zone, departments_seen = services().sessions, services().settings.zone, sight().only_departments
    with reading(sessions) as session:
        kiosks = log_query.known_kiosks(session)
    chosen, problems = log_query.read_filter(request.args, kiosks)
    if problems:
        abort(400, " ".join(problems))
    days = [day.isoformat() for day in (chosen.start, chosen.end) if day]
    name = "_".join(["attendance", *dict.fromkeys(days)])
    with sessions.begin() as session:
        told = {**log_query.noted(chosen), "format": suffix}
        audit.add(session, actor(), Action.ATTENDANCE_EXPORTED, after=told)

    def found(session: Session) -> Iterator[tuple[Value, ...]]:
        return log_export.found(session, LogWalk(session, chosen, zone, departments_seen), zone)

    if suffix == "csv":
        return downloads.csv(name, sessions, lambda session: log_export.texts(found(session)))
    return downloads.xlsx(name, _("Attendance"), log_export.COLUMNS, sessions, found)
