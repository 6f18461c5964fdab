"""Departments and kiosks over the API."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy import func, select

from dashboard import kiosks
from dashboard.api import cursors, schemas
from dashboard.api.blueprint import gives, operation
from dashboard.api.schemas import Query, moment
from dashboard.database import reading
from dashboard.models import Employee, Kiosk
from dashboard.operating.running import running
from dashboard.web.answers import services


@operation(
    "get",
    "/departments",
    scope="employees:read",
    tag="Departments",
    summary="List departments",
    answers={200: gives(schemas.DepartmentPage, "a page, by name")},
)
def list_departments(query: Query) -> Response:
    """Those that employees are in; a department is there while somebody is in it."""
    after = cursors.read("departments", {}, query.cursor)
    active = func.count().filter(Employee.deactivated_ms.is_(None))
    rows: Any = (
        select(Employee.department, active)
        .where(Employee.department != "")
        .group_by(Employee.department)
        .order_by(Employee.department)
        .limit(query.limit + 1)
    )
    if after is not None:
        rows = rows.where(Employee.department > after[0])
    with reading(services().sessions) as session:
        found = session.execute(rows).all()
    shown, next_cursor = cursors.page("departments", {}, found, query.limit, lambda row: [row[0]])
    return jsonify(items=[{"name": name, "employees": number} for name, number in shown], next_cursor=next_cursor)


@operation(
    "get",
    "/kiosks",
    scope="kiosks:read",
    tag="Kiosks",
    summary="List kiosks",
    answers={200: gives(schemas.KioskPage, "a page, by name")},
)
def list_kiosks(query: Query) -> Response:
    """Every door that is set up or announces itself, and whether it runs at this moment."""
    after = cursors.read("kiosks", {}, query.cursor)
    now = running(services().lives)
    with reading(services().sessions) as session:
        known = list(session.scalars(select(Kiosk)))
    doors = [door for door in kiosks.doors(known, now) if after is None or door.name > after[0]]
    shown, next_cursor = cursors.page("kiosks", {}, doors, query.limit, lambda door: [door.name])
    return jsonify(items=[_view(door, now.reachable) for door in shown], next_cursor=next_cursor)


def _view(door: kiosks.Door, reachable: bool) -> dict[str, Any]:
    state = "running" if door.alive else "not_running" if reachable else "unknown"
    return {
        "name": door.name,
        "label": door.label,
        "direction": door.direction,
        "state": state,
        "last_seen_at": moment(door.last_seen_ms),
        "clock_offset_ms": door.clock_offset_ms if door.alive else None,
    }
