"""A page of a department's people with their days: what months, weeks and days of a department have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from dashboard.access.auth import sight
from dashboard.database import now_ms
from dashboard.days.day import Day
from dashboard.models import Employee
from dashboard.months.day_store import days_of
from dashboard.people import people_list
from dashboard.people.employees import departments
from dashboard.web import cursors
from dashboard.web.answers import services, short_text

NAMES = people_list.SORTS["name"][2]
"""The types of a place in the list, which is by name."""


@dataclass(frozen=True)
class Listed:
    rows: list[tuple[Employee, tuple[Day, ...]]]
    values: dict[str, Any]
    """For the template: the department and all that there are, how many people, and the links to the other pages of them."""


def listed(session: Session, endpoint: str, asked: Mapping[str, str], first: date, last: date) -> Listed:
    """Those of the request's department and place in the list; `asked` is what `endpoint` is asked for beside these."""
    settings, seen = services().settings, sight().only_departments
    department, place = short_text("department"), cursors.read_place(NAMES)
    chosen, now = people_list.PeopleFilter(department=department), datetime.now(settings.zone)
    rows, before, after = people_list.page(session, chosen, now, place, settings.page_size, seen)
    people = [row.employee for row in rows]
    days = days_of(session, [one.id for one in people], first, last, now_ms(), settings.zone)
    total = people_list.count(session, chosen, now, seen) if before is None else None
    of_department = {"department": department} if department else {}
    kept: dict[str, Any] = {**asked, **of_department}
    values = {
        "words": people_list.count_words(total, before is not None),
        "first": url_for(endpoint, **kept),
        "before": url_for(endpoint, **kept, before=cursors.pack(before)) if before else None,
        "after": url_for(endpoint, **kept, after=cursors.pack(after)) if after else None,
        "beyond": place is not None,
        "kept": kept,
        "department": department,
        "of_department": of_department,
        "departments": departments(session, seen),
    }
    return Listed([(one, days[one.id]) for one in people], values)
