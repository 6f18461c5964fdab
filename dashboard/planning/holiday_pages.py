"""The holidays of each site, and of all: entered, or imported after a preview."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from dashboard.access.auth import actor, viewer_name
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms, reading
from dashboard.models import Holiday
from dashboard.planning import holiday_store
from dashboard.planning.holiday_calendars import (
    LONGEST_NAME,
    MOST_BYTES,
    CalendarError,
    FoundHoliday,
    FoundHolidays,
    of_country,
    of_icalendar,
)
from dashboard.planning.sites import site_or_all, subject, typed_fields
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import services, whole_number
from dashboard.web.forms import Form

MOST_PICKED = 1_000
HALVES = {"": lazy_gettext("The whole day"), "first": lazy_gettext("First half"), "second": lazy_gettext("Second half")}

pages = Blueprint("holidays", __name__)


@pages.get("/sites/<int:site_id>/holidays")
def index(site_id: int) -> ResponseReturnValue:
    """`site_id` 0 stands for all sites together."""
    today = local_date(now_ms(), services().settings.zone)
    return _page(site_id, whole_number("year", today.year, 2000, 2099), {}, {})


def _page(
    site_id: int,
    year: int,
    typed: dict[str, str],
    problems: dict[str, str],
    found: FoundHolidays | None = None,
    **more: Any,
) -> str:
    with reading(services().sessions) as session:
        site = site_or_all(session, site_id)
        rows = holiday_store.of_year(session, year, site_id or None)
        preview = holiday_store.preview(session, found.days, year, site_id or None) if found else None
    if site and not typed:
        typed = {"country": site.country, "subdivision": site.subdivision}
    shown = {
        "site": site,
        "site_id": site_id,
        "year": year,
        "rows": rows,
        "preview": preview,
        "found": found,
        "halves": HALVES,
    }
    return render_template("holidays.html", **shown, typed=typed, problems=problems, **more)


@pages.post("/sites/<int:site_id>/holidays")
def add(site_id: int) -> ResponseReturnValue:
    form = Form(request.form)
    name, day = form.text("name", _("Name"), LONGEST_NAME), form.day("day", _("Day"))
    half = form.choice("half", _("Free"), HALVES)
    if form.problems or day is None:
        return _page(site_id, local_date(now_ms(), services().settings.zone).year, typed_fields(), form.problems), 422
    return _stored(site_id, [FoundHoliday(day, name)], day.year, "entered", half or None)


@pages.post("/sites/<int:site_id>/holidays/preview")
def preview(site_id: int) -> ResponseReturnValue:
    """What a file, or a country's calendar, would add; nothing is stored."""
    form = Form(request.form)
    year = form.number("year", _("Year"), 2000, 2099)
    if year is None:
        abort(400, form.problems.get("year", _("Year: is missing.")))
    file = request.files.get("file")
    try:
        if file is not None and file.filename:
            found, source = of_icalendar(file.stream.read(MOST_BYTES + 1), year), "icalendar"
        else:
            country = form.text("country", _("Country"), 2).upper()
            joint = bool(request.form.get("joint_leave"))
            found, source = (
                of_country(country, form.text("subdivision", _("Region"), 16, needed=False), year, joint),
                "country",
            )
    except CalendarError as error:
        return _page(site_id, year, typed_fields(), {"import": str(error)}), 422
    return _page(site_id, year, typed_fields(), {}, found, source=source)


@pages.post("/sites/<int:site_id>/holidays/import")
def import_them(site_id: int) -> ResponseReturnValue:
    """Those that were picked in the preview, each as `2026-08-17 Name`."""
    picked: list[FoundHoliday] = []
    for text in request.form.getlist("pick")[:MOST_PICKED]:
        form = Form({"day": text[:10], "name": text[10:]})
        day, name = form.day("day", _("Day")), form.text("name", _("Name"), LONGEST_NAME)
        if form.problems or day is None:
            abort(400, "; ".join(form.problems.values()))
        picked.append(FoundHoliday(day, name))
    source = "icalendar" if request.form.get("source") == "icalendar" else "country"
    if not picked:
        flash(_("Nothing was picked, so nothing was imported."), "warn")
        return redirect(url_for("holidays.index", site_id=site_id))
    return _stored(site_id, picked, picked[0].day.year, source)  # type: ignore[arg-type]


def _stored(
    site_id: int, new: list[FoundHoliday], year: int, source: holiday_store.Source, half: Any = None
) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        site = site_or_all(session, site_id)
        entered = {"by": viewer_name(), "now_ms": now_ms()}
        count = holiday_store.add(session, new, site_id or None, source=source, half=half, **entered)  # type: ignore[arg-type]
        if count:
            told = {"days": sorted({one.day.isoformat() for one in new}), "new": count, "source": source}
            audit.add(session, actor(), Action.HOLIDAYS_ADDED, subject(site), after=told)
    said = ngettext("%(num)s holiday is entered.", "%(num)s holidays are entered.", count)
    flash(said if count else _("It is there already."), "good" if count else "warn")
    return redirect(url_for("holidays.index", site_id=site_id, year=year))


@pages.post("/sites/<int:site_id>/holidays/<int:holiday_id>/remove")
def remove(site_id: int, holiday_id: int) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        row = session.get(Holiday, holiday_id)
        if row is None or (row.site_id or 0) != site_id:
            abort(404)
        day: date = row.day
        told = {"day": day.isoformat(), "name": row.name}
        holiday_store.remove(session, holiday_id)
        audit.add(session, actor(), Action.HOLIDAY_REMOVED, subject(site_or_all(session, site_id)), before=told)
    flash(_("%(day)s is no holiday any more; the days’ figures follow.", day=day.isoformat()), "good")
    return redirect(url_for("holidays.index", site_id=site_id, year=day.year))
