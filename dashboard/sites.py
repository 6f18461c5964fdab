"""Sites: their clocks, and the holidays of each: entered, or imported after a preview."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from dashboard import holiday_store
from dashboard.attendance_rules import local_date
from dashboard.auth import viewer_name
from dashboard.database import now_ms, reading
from dashboard.forms import Form
from dashboard.holiday_calendars import (
    LONGEST_NAME,
    MOST_BYTES,
    CalendarError,
    FoundHoliday,
    FoundHolidays,
    countries,
    of_country,
    of_icalendar,
)
from dashboard.models import Holiday, Site
from dashboard.web import services, whole_number

MOST_SITES = 500
MOST_PICKED = 1_000
HALVES = {"": "The whole day", "first": "First half", "second": "Second half"}

pages = Blueprint("sites", __name__)


@pages.get("/sites")
def index() -> ResponseReturnValue:
    return _index({}, {})


def _index(typed: dict[str, str], problems: dict[str, str]) -> str:
    with reading(services().sessions) as session:
        sites = session.scalars(select(Site).order_by(Site.name).limit(MOST_SITES)).all()
    zone = services().settings.zone.key
    return render_template("sites.html", sites=sites, typed={"time_zone": zone, **typed}, problems=problems, zone=zone)


@pages.post("/sites")
def create() -> ResponseReturnValue:
    form, typed = Form(request.form), _typed()
    name, country = form.text("name", "Name", 200), form.text("country", "Country", 2, needed=False).upper()
    zone, subdivision = form.text("time_zone", "Time zone", 64), form.text("subdivision", "Region", 16, needed=False)
    if "time_zone" not in form.problems and not _zone_exists(zone):
        form.problems["time_zone"] = f"Time zone “{zone[:40]}”: not known; use a name such as Asia/Jakarta"
    if "country" not in form.problems and country and country not in countries():
        form.problems["country"] = f"Country “{country}”: not known; use a code of two letters such as ID"
    elif country and subdivision and subdivision not in countries()[country]:
        form.problems["subdivision"] = (
            f"Region “{subdivision}” of {country}: not known; leave it empty, or see ISO 3166-2"
        )
    if form.problems:
        return _index(typed, form.problems), 422
    try:
        with services().sessions.begin() as session:
            session.add(Site(name=name, time_zone=zone, country=country, subdivision=subdivision))
    except IntegrityError:
        return _index(typed, {"name": f"Name “{name[:40]}”: another site has it already"}), 422
    flash(f"{name}: saved.", "good")
    return redirect(url_for("sites.index"))


def _typed() -> dict[str, str]:
    return {name: value[:LONGEST_NAME] for name, value in request.form.items()}


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@pages.get("/sites/<int:site_id>/holidays")
def holidays(site_id: int) -> ResponseReturnValue:
    """`site_id` 0 stands for all sites together."""
    today = local_date(now_ms(), services().settings.zone)
    return _holidays(site_id, whole_number("year", today.year, 2000, 2099), {}, {})


def _holidays(
    site_id: int,
    year: int,
    typed: dict[str, str],
    problems: dict[str, str],
    found: FoundHolidays | None = None,
    **more: Any,
) -> str:
    with reading(services().sessions) as session:
        site = _site(session, site_id)
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


def _site(session: Any, site_id: int) -> Site | None:
    site: Site | None = session.get(Site, site_id)
    if site is None and site_id:
        abort(404)
    return site


@pages.post("/sites/<int:site_id>/holidays")
def add(site_id: int) -> ResponseReturnValue:
    form = Form(request.form)
    name, day = form.text("name", "Name", LONGEST_NAME), form.day("day", "Day")
    half = form.choice("half", "Free", HALVES)
    if form.problems or day is None:
        return _holidays(site_id, local_date(now_ms(), services().settings.zone).year, _typed(), form.problems), 422
    return _stored(site_id, [FoundHoliday(day, name)], day.year, "entered", half or None)


@pages.post("/sites/<int:site_id>/holidays/preview")
def preview(site_id: int) -> ResponseReturnValue:
    """What a file, or a country's calendar, would add; nothing is stored."""
    form = Form(request.form)
    year = form.number("year", "Year", 2000, 2099)
    if year is None:
        abort(400, form.problems.get("year", "Year: is missing."))
    file = request.files.get("file")
    try:
        if file is not None and file.filename:
            found, source = of_icalendar(file.stream.read(MOST_BYTES + 1), year), "icalendar"
        else:
            country = form.text("country", "Country", 2).upper()
            joint = bool(request.form.get("joint_leave"))
            found, source = (
                of_country(country, form.text("subdivision", "Region", 16, needed=False), year, joint),
                "country",
            )
    except CalendarError as error:
        return _holidays(site_id, year, _typed(), {"import": str(error)}), 422
    return _holidays(site_id, year, _typed(), {}, found, source=source)


@pages.post("/sites/<int:site_id>/holidays/import")
def import_them(site_id: int) -> ResponseReturnValue:
    """Those that were picked in the preview, each as `2026-08-17 Name`."""
    picked: list[FoundHoliday] = []
    for text in request.form.getlist("pick")[:MOST_PICKED]:
        form = Form({"day": text[:10], "name": text[10:]})
        day, name = form.day("day", "Day"), form.text("name", "Name", LONGEST_NAME)
        if form.problems or day is None:
            abort(400, "; ".join(form.problems.values()))
        picked.append(FoundHoliday(day, name))
    source = "icalendar" if request.form.get("source") == "icalendar" else "country"
    if not picked:
        flash("Nothing was picked, so nothing was imported.", "warn")
        return redirect(url_for("sites.holidays", site_id=site_id))
    return _stored(site_id, picked, picked[0].day.year, source)  # type: ignore[arg-type]


def _stored(
    site_id: int, new: list[FoundHoliday], year: int, source: holiday_store.Source, half: Any = None
) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        _site(session, site_id)
        entered = {"by": viewer_name(), "now_ms": now_ms()}
        count = holiday_store.add(session, new, site_id or None, source=source, half=half, **entered)  # type: ignore[arg-type]
    flash(f"{count} entered." if count else "It is there already.", "good" if count else "warn")
    return redirect(url_for("sites.holidays", site_id=site_id, year=year))


@pages.post("/sites/<int:site_id>/holidays/<int:holiday_id>/remove")
def remove(site_id: int, holiday_id: int) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        row = session.get(Holiday, holiday_id)
        if row is None or (row.site_id or 0) != site_id:
            abort(404)
        day: date = row.day
        holiday_store.remove(session, holiday_id)
    flash(f"{day.isoformat()} is no holiday any more; the days’ figures follow.", "good")
    return redirect(url_for("sites.holidays", site_id=site_id, year=day.year))
