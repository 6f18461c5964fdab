"""The people that a folder's names speak of, beside those who are entered: what would become of each, and the one to enrol.

The command and the page decide alike: a code that is entered is that person, one that isn't is somebody new, who is
entered only together with a consent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from dashboard.auditing import audit, person_trail
from dashboard.auditing.audit_actions import Action
from dashboard.enrolling.enrolment_words import words_for
from dashboard.enrolling.picture_names import Person
from dashboard.models import Employee, EnrolmentPicture
from dashboard.people.employees import MAX_CODE, MAX_NAME, EmployeeError, clean, create_employee, find_by_code
from dashboard.web.folding import folded
from worker.protocol.outcomes import Outcome

CHUNK = 500
"""People who are looked up by one statement."""


class State(StrEnum):
    """What a person of the folder is before anything is sent."""

    READY = "ready"
    NEW = "new"
    HAS_PICTURES = "has_pictures"
    NO_CONSENT = "no_consent"
    DEACTIVATED = "deactivated"
    REFUSED = "refused"
    """Can't be entered under this code."""


@dataclass(frozen=True)
class Standing:
    """A person of the folder, and how they stand."""

    person: Person
    state: State
    words: str = ""
    """Why they are left out, or what HR should look at."""
    employee_id: str | None = None
    name: str = ""
    """As entered; as the folder says for somebody new."""


def standings(session: Session, people: Sequence[Person]) -> Iterator[Standing]:
    """How each of them stands now, in their order. Reads only."""
    for first in range(0, len(people), CHUNK):
        chunk = people[first : first + CHUNK]
        entered = _entered(session, [person.code for person in chunk])
        spelt = _spelt_otherwise(session, [person.code for person in chunk if person.code not in entered])
        for person in chunk:
            row = entered.get(person.code)
            yield _known(person, row) if row is not None else _unknown(person, spelt.get(person.code.lower()))


def has_pictures(session: Session, employee_id: str) -> bool:
    return bool(session.scalar(select(_with_pictures()).where(Employee.id == employee_id)))


def find_or_enter(
    session: Session, person: Person, consent_by: str | None, actor: audit.Actor, now_ms: int
) -> Employee | None:
    """The employee with the person's code. Nobody has it: they are entered with the consent that `consent_by` saw, and
    the trail tells of it; None without one. Raises EmployeeError."""
    employee = find_by_code(session, person.code)
    if employee is not None or consent_by is None:
        return employee
    other = _spelt_otherwise(session, [person.code]).get(person.code.lower())
    if other is not None:
        raise EmployeeError("code", _other_spelling(person.code, other))
    employee = create_employee(session, person.code, person.name, consent_by=consent_by, now_ms=now_ms)
    person_trail.tell_created(session, actor, employee)
    audit.add(session, actor, Action.CONSENT_GIVEN, audit.person(employee))
    return employee


def _with_pictures() -> Any:
    return exists().where(EnrolmentPicture.employee_id == Employee.id).correlate(Employee)


def _entered(session: Session, codes: Iterable[str]) -> dict[str, Row[Any]]:
    """Those who are entered, by code; nobody who was erased."""
    columns = (Employee.id, Employee.code, Employee.name, Employee.consent_ms, Employee.deactivated_ms)
    rows = select(*columns, _with_pictures().label("pictures"))
    found = session.execute(rows.where(Employee.code.in_(codes), Employee.erased_ms.is_(None)))
    return {row.code: row for row in found}


def _spelt_otherwise(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Codes of people that differ from these by capitals alone, by the code in lower case."""
    lower = [code.lower() for code in codes]
    if not lower:
        return {}
    same = func.lower(Employee.code).in_(lower) & Employee.erased_ms.is_(None)
    return {code.lower(): code for code in session.scalars(select(Employee.code).where(same))}


def _known(person: Person, row: Row[Any]) -> Standing:
    words = ""
    if row.deactivated_ms is not None:
        state, words = State.DEACTIVATED, words_for(Outcome.INACTIVE)
    elif row.pictures:
        state = State.HAS_PICTURES
    elif row.consent_ms is None:
        state, words = State.NO_CONSENT, words_for(Outcome.NO_CONSENT)
    else:
        state = State.READY
    if person.name != person.code and folded(person.name) != folded(row.name):
        differs = _("The folder calls them “%(name)s”: make sure that it is the same person.", name=person.name)
        words = f"{words} {differs}".strip()
    return Standing(person, state, words, row.id, row.name)


def _unknown(person: Person, other: str | None) -> Standing:
    try:
        if other is not None:
            raise EmployeeError("code", _other_spelling(person.code, other))
        clean("code", person.code, MAX_CODE, required=True)
        clean("name", person.name, MAX_NAME, required=True)
    except EmployeeError as error:
        return Standing(person, State.REFUSED, str(error), None, person.name)
    return Standing(person, State.NEW, "", None, person.name)


def _other_spelling(code: str, other: str) -> str:
    return _("code: %(code)s is entered as %(other)s; write it in the folder as it is entered", code=code, other=other)
