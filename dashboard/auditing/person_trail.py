"""What the audit trail tells of a person's details; audit.py says why never a name."""

from typing import Any

from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.models import Employee


def details(employee: Employee) -> dict[str, Any]:
    """As they are now; to be given to `tell_change` later."""
    return {"name": employee.name, "department": employee.department}


def tell_created(session: Session, actor: audit.Actor, employee: Employee) -> None:
    entered = {"department": employee.department}
    audit.add(session, actor, Action.PERSON_CREATED, audit.person(employee), after=entered)


def tell_change(session: Session, actor: audit.Actor, employee: Employee, before: dict[str, Any]) -> None:
    """Nothing where nothing changed; of a name only that it did."""
    was, now = audit.changes(before, details(employee))
    was.pop("name", None)
    if "name" in now:
        now["name"] = "changed"
    if now:
        audit.add(session, actor, Action.PERSON_CHANGED, audit.person(employee), was, now)
