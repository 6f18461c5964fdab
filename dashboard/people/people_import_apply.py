"""An import's plan put into the database: all of it in one transaction, or nothing."""

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.models import Employee
from dashboard.people.employees import queue_everywhere
from dashboard.people.people_import import CHUNK, ImportRow, Plan
from dashboard.web.folding import folded, searched
from dashboard.webhooks import changes
from worker.protocol.entries import new_id


class PlanChanged(RuntimeError):
    """The database changed since the plan was shown: the same file would do something else now."""


def apply(
    session: Session, shown_digest: str, fresh: Plan, by: str, now_ms: int, actor: audit.Actor = audit.COMMAND
) -> tuple[int, int]:
    """Do what `fresh`, made in this same transaction, says; returns the numbers of new and of changed people.

    The audit trail has a row for each of them, as if they had been entered one by one, and one for the import. Raises
    PlanChanged where it isn't what was shown, and ValueError where a row has a problem.
    """
    if fresh.digest != shown_digest:
        raise PlanChanged
    if fresh.count("problem"):
        raise ValueError(f"{fresh.count('problem')} rows have a problem; nothing was imported")
    new = ((place, row) for place, row in enumerate(fresh.rows) if row.kind == "new")
    while chunk := list(islice(new, CHUNK)):
        session.execute(insert(Employee), [_values(row, by, now_ms, place) for place, row in chunk])
        _tell_others(session, [row for _, row in chunk])
    changed = (row for row in fresh.rows if row.kind == "changed")
    while some := list(islice(changed, CHUNK)):
        _change(session, some, by, now_ms)
        _tell_others(session, some)
    audit.add_all(session, actor, _told(fresh))
    return fresh.count("new"), fresh.count("changed")


def _tell_others(session: Session, rows: list[ImportRow]) -> None:
    changes.queue_changes(session, changes.EMPLOYEE_CHANGED, [row.employee_id for row in rows if row.employee_id])


def _told(plan: Plan) -> Iterator[audit.Entry]:
    """What the trail tells of it; of a name only that it changed (audit.py says why)."""
    for row in plan.rows:
        person = audit.Subject("person", row.employee_id or "")
        if row.kind == "new":
            yield audit.Entry(Action.PERSON_CREATED, person, after={"department": row.department})
        details = [change for change in row.changes if change.column != "consent"]
        if details:
            before = {change.column: change.before for change in details if change.column != "name"}
            after = {change.column: "changed" if change.column == "name" else change.after for change in details}
            yield audit.Entry(Action.PERSON_CHANGED, person, before, after)
        if (row.kind == "new" and row.consent) or len(details) < len(row.changes):
            yield audit.Entry(Action.CONSENT_GIVEN, person)
    counts = {kind: plan.count(kind) for kind in ("new", "changed")}
    yield audit.Entry(Action.PEOPLE_IMPORTED, after=counts)


def _values(row: ImportRow, by: str, now_ms: int, place: int) -> dict[str, object]:
    """Entered a millisecond apart, so that the list by what was entered last keeps the file's order."""
    row.employee_id = new_id()
    return {
        "id": row.employee_id,
        "code": row.code,
        "name": row.name,
        "department": row.department,
        "name_key": folded(row.name),
        "search_text": searched(row.code, row.name, row.department),
        "created_ms": now_ms - place,
        "consent_ms": now_ms if row.consent else None,
        "consent_by": by[:64] if row.consent else None,
    }


def _change(session: Session, rows: list[ImportRow], by: str, now_ms: int) -> None:
    """Kiosks greet with the new names."""
    by_id = {row.employee_id: row for row in rows}
    rows_of = select(Employee).where(Employee.id.in_(list(by_id))).with_for_update()
    people = session.scalars(rows_of.execution_options(populate_existing=True)).all()
    if any(person.erased_ms is not None for person in people):
        raise PlanChanged
    renamed = []
    for person in people:
        for change in by_id[person.id].changes:
            if change.column == "consent":
                person.consent_ms, person.consent_by = now_ms, by[:64]
            else:
                setattr(person, change.column, change.after)
                renamed += [person.id] if change.column == "name" else []
    queue_everywhere(session, renamed, "put")
    session.flush()
    session.expunge_all()
