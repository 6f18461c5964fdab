"""The reminder to enrol people again: faces change, and pictures that are years old cost people their punch at the door.

Who is due is the list of people with the filter “To re-enrol” (people_list.py) by the months of the settings; 0 turns the
reminder off. It stands above the list and, for HR, on the start page. People without pictures aren't due again: they are
still to be enrolled at all, which their state says.
"""

from datetime import datetime
from typing import Any

from flask import Flask, url_for

from dashboard.access.auth import sight
from dashboard.database import reading
from dashboard.people import people_list
from dashboard.people.people_list import PeopleFilter, months_before
from dashboard.web.answers import services


def reminder() -> dict[str, Any] | None:
    """How many are due of those whom the account sees (None: more than are counted), and where they are listed; None while
    there are none."""
    app = services()
    months = app.settings.reenrol_months
    if not months:
        return None
    due, now = PeopleFilter(state="old_pictures", months=months), datetime.now(app.settings.zone)
    with reading(app.sessions) as session:
        total = people_list.count(session, due, now, sight().only_departments)
    if total == 0:
        return None
    kept: dict[str, Any] = {**due.query_string()}
    return {"total": total, "most": people_list.COUNTED, "link": url_for("people.index", **kept)}


def is_due(newest_ms: int | None) -> bool:
    """Whether somebody whose newest picture is of then is."""
    settings = services().settings
    if newest_ms is None or not settings.reenrol_months:
        return False
    return newest_ms < months_before(datetime.now(settings.zone), settings.reenrol_months).timestamp() * 1000


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(reenrolment_reminder=reminder, is_due=is_due)
