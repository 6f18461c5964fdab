"""A department's week and day: who was there when, person by person, by the rules as the months have them."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from dashboard.access.auth import sight
from dashboard.database import now_ms, reading
from dashboard.months import day_words
from dashboard.months.asked_days import FIRST_DAY, LAST_DAY, one_day
from dashboard.months.day_store import days_of
from dashboard.people import people_list
from dashboard.people.employees import departments
from dashboard.web import cursors
from dashboard.web.answers import services, short_text
from dashboard.web.locales import day_of_year, first_weekday

pages = Blueprint("weeks", __name__)

NAMES = people_list.SORTS["name"][2]
"""The types of a place in the list, which is by name."""
WEEK = 7


@pages.get("/week")
def week() -> ResponseReturnValue:
    """The week that `day` lies in, beginning as weeks do in the page's language."""
    day = _asked()
    first = max(day - timedelta(days=(day.weekday() - first_weekday()) % WEEK), FIRST_DAY)
    return _page("weeks.week", first, min(first + timedelta(days=WEEK - 1), LAST_DAY))


@pages.get("/day")
def day() -> ResponseReturnValue:
    asked = _asked()
    return _page("weeks.day", asked, asked)


def _asked() -> date:
    """`day` of the query, else today; 400 with words for what is none."""
    problems: list[str] = []
    found = one_day(_("Day"), request.args.get("day", "").strip(), problems)
    if problems:
        abort(400, " ".join(problems))
    return found or datetime.now(services().settings.zone).date()


def _page(endpoint: str, first: date, last: date) -> str:
    settings, seen = services().settings, sight().only_departments
    department, place = short_text("department"), cursors.read_place(NAMES)
    chosen, now = people_list.PeopleFilter(department=department), datetime.now(settings.zone)
    with reading(services().sessions) as session:
        rows, before, after = people_list.page(session, chosen, now, place, settings.page_size, seen)
        people = [row.employee for row in rows]
        days = days_of(session, [one.id for one in people], first, last, now_ms(), settings.zone)
        total = people_list.count(session, chosen, now, seen) if before is None else None
        known = departments(session, seen)
    of_department: dict[str, Any] = {"department": department} if department else {}
    kept: dict[str, Any] = {"day": first.isoformat(), **of_department}
    step = (last - first) + timedelta(days=1)
    return render_template(
        "week.html" if endpoint == "weeks.week" else "day.html",
        rows=[(one, days[one.id]) for one in people],
        first_day=first,
        words=people_list.count_words(total, before is not None),
        title=day_of_year(first)
        if first == last
        else _("%(first)s to %(last)s", first=day_of_year(first), last=day_of_year(last)),
        first=url_for(endpoint, **kept),
        before=url_for(endpoint, **kept, before=cursors.pack(before)) if before else None,
        after=url_for(endpoint, **kept, after=cursors.pack(after)) if after else None,
        beyond=place is not None,
        here=endpoint,
        earlier=url_for(endpoint, day=first - step, **of_department) if first - step >= FIRST_DAY else None,
        later=url_for(endpoint, day=last + timedelta(days=1), **of_department) if last < LAST_DAY else None,
        columns=[first + timedelta(days=n) for n in range(step.days)],
        of_department=of_department,
        department=department,
        departments=known,
        day_words=day_words,
    )


def _title(first: date, last: date) -> str:
    if first == last:
        return day_of_year(first)
    return _("%(first)s to %(last)s", first=day_of_year(first), last=day_of_year(last))
