"""Punches that no kiosk recorded and a correction added: they stand beside the log of what was recorded, not in it."""

from collections.abc import Sequence

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from dashboard.log.log_walk import LogWalk
from dashboard.models import Correction, Employee

SHOWN = 20
"""The newest of them; all are under the corrections."""


def added(session: Session, walk: LogWalk) -> Sequence[tuple[Correction, Employee]]:
    """The newest that the log's filter would find, had a kiosk recorded them; none where it asks for other records."""
    if walk.chosen.kiosk or walk.chosen.kind not in ("punches", "all"):
        return []
    row = Correction
    query = select(row, Employee).join(Employee, Employee.id == row.employee_id)
    query = query.where(row.action == literal_column("'add'"), row.state == "approved")  # as the partial index has it
    if walk.people is not None:
        query = query.where(row.employee_id.in_(walk.people))
    if walk.start_ms is not None:
        query = query.where(row.new_ms >= walk.start_ms)
    if walk.end_ms is not None:
        query = query.where(row.new_ms < walk.end_ms)
    return [(one, person) for one, person in session.execute(query.order_by(row.new_ms.desc(), row.id).limit(SHOWN))]
