"""The page of charts: a filter, and four charts with their tables."""

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.access.auth import sight
from dashboard.charts import arrivals, chart_filter, chart_tables, lateness, occupancy, outcomes, scope
from dashboard.charts.chart_filter import NO_SITE, ChartFilter
from dashboard.charts.chart_tables import Chart
from dashboard.database import now_ms, reading
from dashboard.log.log_query import known_kiosks
from dashboard.models import Site
from dashboard.people.employees import departments
from dashboard.planning.sites import MOST_SITES
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import services
from dashboard.web.filter_texts import LONGEST_TEXT
from dashboard.web.locales import day_of_some_year

pages = Blueprint("charts", __name__)


@pages.get("/charts")
def index() -> ResponseReturnValue:
    zone, seen, as_of_ms = services().settings.zone, sight().only_departments, now_ms()
    today = local_date(as_of_ms, zone)
    with reading(services().sessions) as session:
        sites = _sites(session)
        chosen, problems = chart_filter.read_filter(request.args, today, sites)
        known = departments(session, seen)
        asked = scope.scope_of(session, chosen, seen, zone)
        charts = [] if problems else _charts(session, chosen, asked, as_of_ms)
    content = render_template(
        "charts.html",
        charts=charts,
        chosen=chosen,
        typed={name: request.args.get(name, "")[:LONGEST_TEXT] for name in chart_filter.FIELDS},
        problems=problems,
        departments=known,
        sites=sites,
        quick=[
            (words, first == chosen.start and last == chosen.end, _link(chosen, first, last))
            for words, first, last in chart_filter.quick_ranges(today)
        ],
        day_words=day_of_some_year,
        zone_name=asked.zone.key,
    )
    return content, 400 if problems else 200


def _sites(session: Session) -> dict[str, str]:
    """What may be chosen: numbers of sites, and NO_SITE, with their words; nothing while there are no sites."""
    found = session.execute(select(Site.id, Site.name).order_by(Site.name).limit(MOST_SITES)).all()
    return {**{str(row.id): row.name for row in found}, NO_SITE: _("Without a site")} if found else {}


def _link(chosen: ChartFilter, first: date, last: date) -> str:
    days: dict[str, Any] = {"from": first.isoformat(), "to": last.isoformat()}
    return url_for("charts.index", **{**chosen.query_string(), **days, "day": None})


def _charts(session: Session, chosen: ChartFilter, asked: scope.Scope, as_of_ms: int) -> list[Chart]:
    zone, kiosks = services().settings.zone, known_kiosks(session)
    if scope.too_many(session, asked):
        came = chart_tables.too_many("arrivals", _("Arrivals by time of day"), scope.MOST_PUNCHES)
        present = chart_tables.too_many("occupancy", _("People in by time of day"), scope.MOST_PUNCHES)
    else:
        came = chart_tables.arrivals(arrivals.by_time(arrivals.read(session, asked), asked.zone))
        present = _people_in(session, chosen, asked, as_of_ms)
    planned = lateness.read(session, chosen, asked, as_of_ms, zone)
    if planned is None:
        late = chart_tables.too_many_planned(lateness.MOST_PEOPLE, lateness.MOST_PERSON_DAYS)
    else:
        late = chart_tables.lateness(lateness.by_day(chosen.days, planned), lateness.whole_median(planned))
    doors = outcomes.by_door(outcomes.read(session, asked, kiosks))
    return [came, late, present, chart_tables.outcomes(doors, kiosks, asked.people is not None)]


def _people_in(session: Session, chosen: ChartFilter, asked: scope.Scope, as_of_ms: int) -> Chart:
    stays = occupancy.read(session, asked, as_of_ms)
    days = occupancy.by_day(stays, asked, as_of_ms)
    if chosen.day:
        days = {chosen.day: days.get(chosen.day, {})}
    one_day = chosen.day is not None or chosen.start == chosen.end
    return chart_tables.people_in(days, one_day, occupancy.forgotten(stays, asked))
