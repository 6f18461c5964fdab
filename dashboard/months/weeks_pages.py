"""A department's week and day: who was there when, person by person, by the rules as the months have them."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from dashboard.database import reading
from dashboard.months import asked_month, day_words
from dashboard.months.asked_days import FIRST_DAY, LAST_DAY, one_day
from dashboard.months.department_days import listed
from dashboard.web.answers import services
from dashboard.web.locales import day_of_year, first_weekday

pages = Blueprint("weeks", __name__)

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
    with reading(services().sessions) as session:
        found = listed(session, endpoint, {"day": first.isoformat()}, first, last)
    of_department: dict[str, Any] = found.values["of_department"]
    step = (last - first) + timedelta(days=1)
    return render_template(
        "week.html" if endpoint == "weeks.week" else "day.html",
        rows=found.rows,
        first_day=first,
        month=asked_month.of(first).text,
        title=_title(first, last),
        here=endpoint,
        earlier=url_for(endpoint, day=first - step, **of_department) if first - step >= FIRST_DAY else None,
        later=url_for(endpoint, day=last + timedelta(days=1), **of_department) if last < LAST_DAY else None,
        columns=[first + timedelta(days=n) for n in range(step.days)],
        day_words=day_words,
        **found.values,
    )


def _title(first: date, last: date) -> str:
    if first == last:
        return day_of_year(first)
    return _("%(first)s to %(last)s", first=day_of_year(first), last=day_of_year(last))
