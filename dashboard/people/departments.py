"""Departments, which are their names: a text on each employee. Renaming one changes it on all of them.

They have no table of their own: there is nothing to store about one but its name, an import makes one by writing it, and
one without people needs no page. What else refers to a department does so by the same name, and follows `rename`: who
looks after it, and which shifts it works.
"""

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from dashboard.models import Assignment, Employee, UserDepartment
from dashboard.people.employees import MAX_NAME, EmployeeError, clean
from dashboard.webhooks import changes

CHUNK = 500


@dataclass(frozen=True)
class Department:
    name: str
    """Empty: those without one."""
    people: int
    active: int


def listed(session: Session) -> list[Department]:
    """All that are in use, by name, with their people; those who are in none come first."""
    columns = (Employee.department, func.count(), func.count(Employee.deactivated_ms))
    query = select(*columns).group_by(Employee.department).order_by(Employee.department)
    return [Department(row[0], row[1], row[1] - row[2]) for row in session.execute(query)]


def rename(session: Session, before: str, after: str) -> int:
    """Call the department `after` from now on; where that is one already, the two become one. Returns how many people moved.

    Whoever looks after `before` looks after `after` then. Its shifts go along where `after` has none of its own; else
    those of `after` hold for all, on days that are over too. Raises EmployeeError with words for the form.
    """
    after = clean("department", after, MAX_NAME, required=True)
    if after == before:
        raise EmployeeError("department", _("department: that is its name already; type another one"))
    moved = 0
    while True:
        some = (
            select(Employee).where(Employee.department == before).order_by(Employee.id).limit(CHUNK).with_for_update()
        )
        people = session.scalars(some).all()
        if not people:
            break
        for person in people:
            person.department = after
        moved += len(people)
        changes.queue_changes(session, changes.EMPLOYEE_CHANGED, [person.id for person in people])
        session.flush()
        session.expunge_all()
    if not moved:
        raise EmployeeError(
            "department", _("department “%(before)s”: nobody is in it (any more); reload the page", before=before[:80])
        )
    _take_along(session, before, after)
    return moved


def _take_along(session: Session, before: str, after: str) -> None:
    both = select(UserDepartment.user_id).where(UserDepartment.department == after)
    session.execute(
        delete(UserDepartment).where(UserDepartment.department == before, UserDepartment.user_id.in_(both)),
        execution_options={"synchronize_session": False},
    )
    session.execute(update(UserDepartment).where(UserDepartment.department == before).values(department=after))
    if not session.scalar(select(exists().where(Assignment.department == after))):
        session.execute(update(Assignment).where(Assignment.department == before).values(department=after))
