"""Punches over the API, by person, door and time, or in the order in which they came in."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy import tuple_

from dashboard.api import cursors, schemas
from dashboard.api.blueprint import gives, operation
from dashboard.api.problems import Refusal
from dashboard.api.representations import event_rows, event_view, one_event
from dashboard.api.schemas import EventPath, EventQuery, to_ms
from dashboard.database import reading
from dashboard.models import AttendanceEvent, DecisionRecord, Employee
from dashboard.web.answers import services

TAG = "Events"


@operation(
    "get",
    "/events",
    scope="events:read",
    tag=TAG,
    summary="List punches",
    answers={200: gives(schemas.EventPage, "a page, oldest first")},
)
def list_events(query: EventQuery) -> Response:
    """In the order of capture; with `received_after` in the order in which they were received.

    To sync, keep the newest `received_at` that you have and ask for what came after it, minus an hour: a part of a large
    site that was cut off catches up late. Event ids tell what you have already.
    """
    chosen = query.filter()
    after = cursors.read("events", chosen, query.cursor)
    by_receipt = query.received_after is not None
    first: Any = DecisionRecord.received_ms if by_receipt else AttendanceEvent.captured_ms
    second: Any = DecisionRecord.event_id if by_receipt else AttendanceEvent.event_id
    rows: Any = event_rows().order_by(first, second).limit(query.limit + 1)
    if query.employee_id is not None:
        rows = rows.where(AttendanceEvent.employee_id == query.employee_id)
    if query.employee_code is not None:
        rows = rows.where(Employee.code == query.employee_code)
    if query.kiosk is not None:
        rows = rows.where(AttendanceEvent.kiosk == query.kiosk)
    if query.captured_from is not None:
        rows = rows.where(AttendanceEvent.captured_ms >= to_ms(query.captured_from))
    if query.captured_before is not None:
        rows = rows.where(AttendanceEvent.captured_ms < to_ms(query.captured_before))
    if query.received_after is not None:
        rows = rows.where(DecisionRecord.received_ms > to_ms(query.received_after))
    if after is not None:
        rows = rows.where(tuple_(first, second) > tuple_(*after))
    with reading(services().sessions) as session:
        found = session.execute(rows).all()

    def place(row: Any) -> list[Any]:
        event, decision, _ = row
        return [decision.received_ms if by_receipt else event.captured_ms, event.event_id]

    shown, next_cursor = cursors.page("events", chosen, found, query.limit, place)
    return jsonify(items=[event_view(row) for row in shown], next_cursor=next_cursor)


@operation(
    "get",
    "/events/<string:event_id>",
    scope="events:read",
    tag=TAG,
    summary="Read a punch",
    answers={200: gives(schemas.Event, "the punch")},
    refusals=(404,),
)
def get_event(path: EventPath) -> Response:
    """By its id, as webhooks name it."""
    with reading(services().sessions) as session:
        found = one_event(session, path.event_id)
    if found is None:
        raise Refusal(404, "event_id: there is no such punch")
    return jsonify(found)
