"""Employees: who they are, whether they consented, whether they are let in. Each function works in the caller's transaction.

Whatever changes who the workers may recognise queues a change of the gallery in that same transaction.
"""

import unicodedata
from collections.abc import Collection, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dashboard.gallery.outbox import queue_change
from dashboard.log import event_pictures
from dashboard.models import Employee, EnrolmentPicture, Template
from dashboard.webhooks import changes
from worker.protocol.entries import new_id

MAX_CODE, MAX_NAME = 64, 200
"""Characters, as the columns have them."""
ERASED_CODE = "erased-"
"""What codes of erased people begin with, and nobody else's; see erasing.py."""


FIELDS = {
    "code": lazy_gettext("code"),
    "name": lazy_gettext("name"),
    "department": lazy_gettext("department"),
    "consent": lazy_gettext("consent"),
}
"""What errors call them."""


class EmployeeError(ValueError):
    """Something about an employee that can't be done; `field` names the form's field, the message is for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def clean(field: str, value: str, longest: int, required: bool) -> str:
    """`value` as it is stored; raises EmployeeError for what can't be a code, a name or a department."""
    text = unicodedata.normalize("NFC", value).strip()
    bad = next((c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")), None)
    if bad is not None:
        raise EmployeeError(
            field,
            _(
                "%(field)s: holds a character that can't be printed (U+%(number)s); remove it",
                field=FIELDS[field],
                number=format(ord(bad), "04X"),
            ),
        )
    if required and not text:
        raise EmployeeError(field, _("%(field)s: must not be empty", field=FIELDS[field]))
    if len(text) > longest:
        raise EmployeeError(
            field,
            _(
                "%(field)s: %(count)s characters, at most %(longest)s",
                field=FIELDS[field],
                count=len(text),
                longest=longest,
            ),
        )
    if field == "code" and text.casefold().startswith(ERASED_CODE):
        raise EmployeeError(
            field,
            _(
                "%(field)s: %(begin)s… is kept for people who were erased; use a different one",
                field=FIELDS[field],
                begin=ERASED_CODE,
            ),
        )
    return text


def create_employee(
    session: Session, code: str, name: str, department: str = "", consent_by: str | None = None, *, now_ms: int
) -> Employee:
    """Add an employee; `consent_by` is the user who saw the signed consent, None while there is none. Raises EmployeeError."""
    code = clean("code", code, MAX_CODE, required=True)
    name = clean("name", name, MAX_NAME, required=True)
    department = clean("department", department, MAX_NAME, required=False)
    if find_by_code(session, code) is not None:
        raise EmployeeError("code", _("code %(code)r: another employee has it already; use a different one", code=code))
    employee = Employee(id=new_id(), code=code, name=name, department=department, created_ms=now_ms)
    if consent_by is not None:
        employee.consent_ms, employee.consent_by = now_ms, consent_by[:64]
    session.add(employee)
    session.flush()
    _tell(session, employee.id)
    return employee


def update_employee(session: Session, employee_id: str, *, name: str, department: str) -> Employee:
    """Change name and department; kiosks greet with the new name. The code stays: payroll knows people by it."""
    employee = locked(session, employee_id)
    name = clean("name", name, MAX_NAME, required=True)
    employee.department = clean("department", department, MAX_NAME, required=False)
    if name != employee.name:
        employee.name = name
        queue_everywhere(session, [employee_id], "put")
    _tell(session, employee_id)
    return employee


def set_consent(session: Session, employee_id: str, by: str, now_ms: int) -> Employee:
    """Record that the employee agreed to the storing of face data, as seen by user `by`. Keeps an earlier consent's time."""
    employee = locked(session, employee_id)
    if employee.consent_ms is None:
        employee.consent_ms, employee.consent_by = now_ms, by[:64]
        _tell(session, employee_id)
    return employee


def withdraw_consent(session: Session, employee_id: str) -> Employee:
    """Delete pictures, those of records too, and templates at once, and have every worker forget the face.

    Attendance records stay.
    """
    employee = locked(session, employee_id)
    queue_everywhere(session, [employee_id], "remove")
    pictures = select(EnrolmentPicture.id).where(EnrolmentPicture.employee_id == employee_id)
    session.execute(delete(Template).where(Template.picture_id.in_(pictures)))
    session.execute(delete(EnrolmentPicture).where(EnrolmentPicture.employee_id == employee_id))
    event_pictures.forget(session, employee_id)
    employee.consent_ms = employee.consent_by = None
    session.flush()
    session.expire(employee, ["pictures"])
    _tell(session, employee_id)
    return employee


def deactivate(session: Session, employee_id: str, now_ms: int) -> Employee:
    """From now on the employee is let in nowhere; pictures, templates and records stay. Keeps an earlier deactivation."""
    employee = locked(session, employee_id)
    if employee.deactivated_ms is None:
        employee.deactivated_ms = now_ms
        queue_everywhere(session, [employee_id], "remove")
        _tell(session, employee_id)
    return employee


def reactivate(session: Session, employee_id: str) -> Employee:
    employee = locked(session, employee_id)
    if employee.deactivated_ms is not None:
        employee.deactivated_ms = None
        queue_everywhere(session, [employee_id], "put")
        _tell(session, employee_id)
    return employee


def find_by_code(session: Session, code: str) -> Employee | None:
    """Nobody who was erased."""
    return session.scalar(select(Employee).where(Employee.code == code.strip(), Employee.erased_ms.is_(None)))


def locked(session: Session, employee_id: str) -> Employee:
    """The employee, held by this transaction so that two changes of one person follow each other.

    Raises EmployeeError, also for somebody erased: nothing of them is changed any more.
    """
    employee = session.get(Employee, employee_id, with_for_update=True, populate_existing=True)
    if employee is None:
        raise EmployeeError("employee", _("there is no such employee (any more)"))
    if employee.erased_ms is not None:
        raise EmployeeError("employee", _("this person was erased: nothing of them can be changed any more"))
    return employee


def _tell(session: Session, employee_id: str) -> None:
    """Other systems that want to know."""
    changes.queue_change(session, changes.EMPLOYEE_CHANGED, employee_id)


def queue_everywhere(session: Session, employee_ids: Sequence[str], op: str) -> None:
    """Queue a change for each model that the employees have templates of."""
    if not employee_ids:
        return
    owner = EnrolmentPicture.employee_id
    models = select(owner, Template.model_id).join(Template.picture).where(owner.in_(employee_ids)).distinct()
    for employee_id, model_id in session.execute(models.order_by(owner, Template.model_id)).all():
        queue_change(session, op, employee_id, model_id)


def departments(session: Session, only: Collection[str] | None = None) -> list[str]:
    """All departments in use, or those of `only` that are, for a form's choices."""
    query = select(Employee.department).where(Employee.department != "").distinct().order_by(Employee.department)
    return list(session.scalars(query if only is None else query.where(Employee.department.in_(only))))
