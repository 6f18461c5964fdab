"""Rows as the API and webhooks tell them, and the ETag of an employee's state."""

import hashlib
import json
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.api.schemas import moment
from dashboard.models import AttendanceEvent, DecisionRecord, Employee
from dashboard.web import words


def employee_view(employee: Employee) -> dict[str, Any]:
    """As schemas.Employee describes it."""
    return {
        "id": employee.id,
        "code": employee.code,
        "name": employee.name,
        "department": employee.department,
        "active": employee.deactivated_ms is None,
        "created_at": moment(employee.created_ms),
        "consent_at": moment(employee.consent_ms),
        "deactivated_at": moment(employee.deactivated_ms),
    }


def etag_of(employee: Employee) -> str:
    """Names the state of an employee (unquoted): whoever changes it says which state they have seen."""
    text = json.dumps(employee_view(employee), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def event_rows() -> Any:
    """Punches with what event_view needs, in no order yet."""
    return (
        select(AttendanceEvent, DecisionRecord, Employee.code)
        .join(DecisionRecord, DecisionRecord.event_id == AttendanceEvent.event_id)
        .join(Employee, Employee.id == AttendanceEvent.employee_id)
    )


def event_view(row: Any) -> dict[str, Any]:
    """As schemas.Event describes it; `row` is of event_rows. The local time is the one that the person saw."""
    event, decision, code = row
    local = words.local(event.captured_ms, event.time_zone, ZoneInfo("UTC"))  # UTC where this machine lacks the zone
    return {
        "id": event.event_id,
        "employee_id": event.employee_id,
        "employee_code": code,
        "kiosk": event.kiosk,
        "direction": event.direction,
        "captured_at": moment(event.captured_ms),
        "local_time": local.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "time_zone": event.time_zone,
        "received_at": moment(decision.received_ms),
        "late": decision.late,
        "time_uncertain": decision.time_uncertain,
        "liveness": decision.liveness,
    }


def one_event(session: Session, event_id: str) -> dict[str, Any] | None:
    row = session.execute(event_rows().where(AttendanceEvent.event_id == event_id)).one_or_none()
    return event_view(row) if row is not None else None
