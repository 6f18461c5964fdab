"""Employees over the API: the same rules as on the pages, and two writers who can't overwrite each other unknowingly."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request, url_for
from pydantic import BaseModel, Field
from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.api import cursors, idempotency, schemas
from dashboard.api.blueprint import ETAG, gives, operation
from dashboard.api.guard import actor
from dashboard.api.idempotency import MAX_KEY, Answer
from dashboard.api.problems import Refusal
from dashboard.api.representations import employee_view, etag_of
from dashboard.api.schemas import EmployeeChange, EmployeePath, EmployeeQuery, NewEmployee
from dashboard.auditing import audit, person_trail
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms, reading
from dashboard.models import Employee
from dashboard.people import employees
from dashboard.people.employees import EmployeeError
from dashboard.web.answers import services

TAG = "Employees"
NOT_FOUND = "employee_id: there is no such employee (any more)"


class WriteHeader(BaseModel):
    idempotency_key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY,
        description="a text of your choice, such as a UUID: the request is done once however often it is sent",
    )


class ChangeHeader(WriteHeader):
    if_match: str | None = Field(
        default=None,
        alias="If-Match",
        description="the ETag of the state that you have seen, or * to change whatever is there; needed",
    )


@operation(
    "get",
    "/employees",
    scope="employees:read",
    tag=TAG,
    summary="List employees",
    answers={200: gives(schemas.EmployeePage, "a page, the longest known first")},
)
def list_employees(query: EmployeeQuery) -> Response:
    """In the order in which they were entered: whoever is entered while you page comes at the end."""
    chosen = query.filter()
    after = cursors.read("employees", chosen, query.cursor)
    rows: Any = select(Employee).order_by(Employee.created_ms, Employee.id).limit(query.limit + 1)
    if query.code is not None:
        rows = rows.where(Employee.code == query.code)
    if query.department is not None:
        rows = rows.where(Employee.department == query.department)
    if query.active is not None:
        is_active = Employee.deactivated_ms.is_(None)
        rows = rows.where(is_active if query.active == "true" else ~is_active)
    if after is not None:
        rows = rows.where(tuple_(Employee.created_ms, Employee.id) > tuple_(*after))
    with reading(services().sessions) as session:
        found = list(session.scalars(rows))
    shown, next_cursor = cursors.page("employees", chosen, found, query.limit, lambda one: [one.created_ms, one.id])
    return jsonify(items=[employee_view(one) for one in shown], next_cursor=next_cursor)


@operation(
    "get",
    "/employees/<string:employee_id>",
    scope="employees:read",
    tag=TAG,
    summary="Read an employee",
    answers={200: gives(schemas.Employee, "the employee", ETAG), 304: gives(None, "as you have it", ETAG)},
    refusals=(404,),
)
def get_employee(path: EmployeePath) -> Response:
    """With the ETag that a change needs."""
    with reading(services().sessions) as session:
        employee = session.get(Employee, path.employee_id)
    if employee is None:
        raise Refusal(404, NOT_FOUND)
    etag = etag_of(employee)
    answer = Response(status=304) if request.if_none_match.contains_weak(etag) else jsonify(employee_view(employee))
    answer.set_etag(etag)
    return answer


@operation(
    "post",
    "/employees",
    scope="employees:write",
    tag=TAG,
    summary="Add an employee",
    answers={
        201: gives(
            schemas.Employee, "the new employee", {**ETAG, "Location": {"required": True, "schema": {"type": "string"}}}
        )
    },
    refusals=(409,),
    body=True,
)
def add_employee(header: WriteHeader, body: NewEmployee) -> Response:
    """Without consent and face: these are given on the dashboard, where somebody sees the signed form."""

    def work(session: Session) -> Answer:
        if employees.find_by_code(session, body.code) is not None:
            raise _code_taken()
        try:
            employee = employees.create_employee(session, body.code, body.name, body.department, now_ms=now_ms())
        except EmployeeError as error:
            raise _refusal_of(error) from None
        except IntegrityError:  # entered by somebody else in the same moment
            raise _code_taken() from None
        person_trail.tell_created(session, actor(), employee)
        return _changed(employee, 201)

    return idempotency.once(work)


@operation(
    "patch",
    "/employees/<string:employee_id>",
    scope="employees:write",
    tag=TAG,
    summary="Change an employee",
    answers={200: gives(schemas.Employee, "the employee as it is now", ETAG)},
    refusals=(404, 409, 412, 428),
    body=True,
)
def change_employee(path: EmployeePath, header: ChangeHeader, body: EmployeeChange) -> Response:
    """Name and department; what is left out stays. Needs If-Match: a state that somebody else has changed since is refused."""

    def change(session: Session, employee: Employee) -> None:
        before = person_trail.details(employee)
        employees.update_employee(
            session,
            employee.id,
            name=employee.name if body.name is None else body.name,
            department=employee.department if body.department is None else body.department,
        )
        person_trail.tell_change(session, actor(), employee, before)

    return _change(path.employee_id, header.if_match, change)


@operation(
    "post",
    "/employees/<string:employee_id>/deactivate",
    scope="employees:write",
    tag=TAG,
    summary="Deactivate an employee",
    answers={200: gives(schemas.Employee, "the employee as it is now", ETAG)},
    refusals=(404, 409, 412, 428),
)
def deactivate_employee(path: EmployeePath, header: ChangeHeader) -> Response:
    """From now on no kiosk accepts the person; records stay. Who is deactivated already stays so."""

    def deactivate(session: Session, employee: Employee) -> None:
        if employee.deactivated_ms is None:
            employees.deactivate(session, employee.id, now_ms())
            audit.add(session, actor(), Action.PERSON_DEACTIVATED, audit.person(employee))

    return _change(path.employee_id, header.if_match, deactivate)


@operation(
    "post",
    "/employees/<string:employee_id>/reactivate",
    scope="employees:write",
    tag=TAG,
    summary="Reactivate an employee",
    answers={200: gives(schemas.Employee, "the employee as it is now", ETAG)},
    refusals=(404, 409, 412, 428),
)
def reactivate_employee(path: EmployeePath, header: ChangeHeader) -> Response:
    """Kiosks accept the person again. Who is active already stays so."""

    def reactivate(session: Session, employee: Employee) -> None:
        if employee.deactivated_ms is not None:
            employees.reactivate(session, employee.id)
            audit.add(session, actor(), Action.PERSON_REACTIVATED, audit.person(employee))

    return _change(path.employee_id, header.if_match, reactivate)


def _change(employee_id: str, if_match: str | None, change: Callable[[Session, Employee], object]) -> Response:
    def work(session: Session) -> Answer:
        try:
            employee = employees.locked(session, employee_id)
            _require_state(employee, if_match)
            change(session, employee)
        except EmployeeError as error:
            raise _refusal_of(error) from None
        return _changed(employee, 200)

    return idempotency.once(work)


def _require_state(employee: Employee, if_match: str | None) -> None:
    """RFC 9110's If-Match, whose comparison is the strong one."""
    if not if_match:
        raise Refusal(
            428, "Send If-Match with the ETag of the state that you have seen, or * to change whatever is there."
        )
    if if_match.strip() == "*":
        return
    if not request.if_match.contains(etag_of(employee)):
        raise Refusal(412, "Somebody has changed this employee since; read it again, then decide.")


def _changed(employee: Employee, status: int) -> Answer:
    headers = {"ETag": f'"{etag_of(employee)}"'}
    if status == 201:
        headers["Location"] = url_for("api.get_employee", employee_id=employee.id)
    return Answer(status, employee_view(employee), headers)


def _code_taken() -> Refusal:
    return Refusal(409, "code: another employee has it already; use a different one", [("body.code", "taken")])


def _refusal_of(error: EmployeeError) -> Refusal:
    if error.field == "employee":
        return Refusal(404, NOT_FOUND)
    return Refusal(422, str(error), [(f"body.{error.field}", str(error))])
