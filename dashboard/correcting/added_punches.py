"""Punches that no kiosk recorded and a correction added: beside the log of what was recorded on its page, marked in its files."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import and_, literal_column, or_, select
from sqlalchemy.orm import Session

from dashboard.log.log_walk import LogWalk
from dashboard.models import Correction, Employee

SHOWN = 20
"""The newest of them; all are under the corrections."""
BATCH = 500
"""Rows read at a time while all of them stream."""


def added(session: Session, walk: LogWalk) -> Sequence[tuple[Correction, Employee]]:
    """The newest that the log's filter would find, had a kiosk recorded them; none where it asks for other records."""
    query = _query(walk, Correction, Employee)
    return [] if query is None else [(one, person) for one, person in session.execute(query.limit(SHOWN))]


def every(session: Session, walk: LogWalk) -> Iterator[Any]:
    """All of them, the newest first, a batch at a time: rows with `id`, `punch_id`, `captured_ms`, direction, and who."""
    row = Correction
    columns = (row.id, row.punch_id, row.new_ms.label("captured_ms"), row.new_direction.label("direction"))
    query = _query(walk, *columns, Employee.code, Employee.name, Employee.department)
    if query is None:
        return
    found = session.execute(query.limit(BATCH)).all()
    while found:
        yield from found
        last = found[-1]
        beyond = or_(row.new_ms < last.captured_ms, and_(row.new_ms == last.captured_ms, row.id > last.id))
        found = session.execute(query.where(beyond).limit(BATCH)).all()


def _query(walk: LogWalk, *columns: Any) -> Any | None:
    if walk.chosen.kiosk or walk.chosen.kind not in ("punches", "all"):
        return None
    row = Correction
    query: Any = select(*columns).join(Employee, Employee.id == row.employee_id)
    query = query.where(row.action == literal_column("'add'"), row.state == "approved")  # as the partial index has it
    if walk.people is not None:
        query = query.where(row.employee_id.in_(walk.people))
    start_ms, end_ms = walk.chosen.span_ms(walk.zone)  # no door: the main clock, which their times are shown by
    if start_ms is not None:
        query = query.where(row.new_ms >= start_ms)
    if end_ms is not None:
        query = query.where(row.new_ms < end_ms)
    return query.order_by(row.new_ms.desc(), row.id)
