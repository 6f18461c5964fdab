"""Days over the API: minutes by kind, states and notes as codes, computed by the rules as they are now."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy import select, tuple_

from dashboard.api import cursors, schemas_days
from dashboard.api.blueprint import gives, operation
from dashboard.api.problems import Refusal
from dashboard.api.schemas import moment
from dashboard.api.schemas_days import MOST_DAYS, DayQuery
from dashboard.database import now_ms, reading
from dashboard.days.day import Day
from dashboard.models import Employee
from dashboard.months.day_store import days_of
from dashboard.web.answers import services


@operation(
    "get",
    "/days",
    scope="days:read",
    tag="Days",
    summary="List days of employees",
    answers={200: gives(schemas_days.DaysPage, "a page of employees, the longest known first, each with their days")},
)
def list_days(query: DayQuery) -> Response:
    """At most 31 days of at most 50 employees at a time.

    Days are computed from punches, rules and corrections whenever they are asked for: those that are over change when one
    of these does. A webhook of `days.changed` tells of leave and corrections.
    """
    first, last = query.days()
    if not 0 <= (last - first).days < MOST_DAYS:
        words = f"last_day: from first_day on, at most {MOST_DAYS} days"
        raise Refusal(422, words, [("last_day", words)])
    chosen = query.filter()
    after = cursors.read("days", chosen, query.cursor)
    rows: Any = select(Employee).order_by(Employee.created_ms, Employee.id).limit(query.limit + 1)
    if query.employee_id is not None:
        rows = rows.where(Employee.id == query.employee_id)
    if query.employee_code is not None:
        rows = rows.where(Employee.code == query.employee_code)
    if query.department is not None:
        rows = rows.where(Employee.department == query.department)
    if after is not None:
        rows = rows.where(tuple_(Employee.created_ms, Employee.id) > tuple_(*after))
    with reading(services().sessions) as session:
        found = list(session.scalars(rows))
        shown, next_cursor = cursors.page("days", chosen, found, query.limit, lambda one: [one.created_ms, one.id])
        days = days_of(session, [one.id for one in shown], first, last, now_ms(), services().settings.zone)
    items = [
        {"employee_id": one.id, "employee_code": one.code, "days": [day_view(day) for day in days[one.id]]}
        for one in shown
    ]
    return jsonify(items=items, next_cursor=next_cursor)


def day_view(day: Day) -> dict[str, Any]:
    """As schemas_days.Day describes it."""
    minutes = day.minutes
    sums = {name: getattr(minutes, name) for name in schemas_days.Minutes.model_fields if name != "overtime"}
    overtime = [{"percent": part.percent, "minutes": part.minutes} for part in minutes.overtime]
    return {
        "day": day.day.isoformat(),
        "time_zone": day.zone_name,
        "shift_starts_at": moment(day.shift_start_ms),
        "shift_ends_at": moment(day.shift_end_ms),
        "states": list(day.statuses),
        "minutes": {**sums, "overtime": overtime},
        "notes": [{"code": note.code, "value": note.value, "about": note.about} for note in day.notes],
    }
