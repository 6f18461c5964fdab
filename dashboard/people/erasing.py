"""Erasing a person for good: everything that says who they were goes, and what payroll needs stays under a number.

Punches, days and what follows from them stay with the row in `employees`, whose code and name become `erased-12` and
“Erased person 12”. docs/privacy.md tells what goes, what stays, and why; tests/dashboard/test_erasing.py looks for the
name, the code and the template in the whole database afterwards.

The reason is one of a few, not a text: the audit trail keeps it for good, and a text could name the person again.
"""

import logging
import secrets
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.access import account_rights, accounts
from dashboard.api import idempotency
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import SessionFactory, now_ms
from dashboard.models import (
    AttendanceEvent,
    Base,
    Correction,
    Employee,
    Leave,
    LikenessDecision,
    Push,
    RecoveryCode,
    SecondFactor,
    User,
    UserDepartment,
    UserRole,
)
from dashboard.people import employees, import_uploads
from dashboard.people.employees import ERASED_CODE
from dashboard.settings import DashboardSettings
from dashboard.wiping import wipe

log = logging.getLogger(__name__)

REASONS = {
    "asked": lazy_gettext("The person asked for it"),
    "left": lazy_gettext("The person left, and the time for keeping is over"),
    "mistake": lazy_gettext("The person was entered by mistake, or twice"),
}
NUMBERS_TRIED = 3
"""Two who are erased in the same moment want the same number; the second takes the next."""


class ErasingError(ValueError):
    """Why somebody can't be erased so; `field` names the form's field, the message is for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def erase_for_good(
    sessions: SessionFactory,
    settings: DashboardSettings,
    employee_id: str,
    typed_code: str,
    reason: str,
    *,
    by: str,
    actor: audit.Actor = audit.COMMAND,
) -> tuple[str, bool]:
    """Erase somebody, and what deleted pages and waiting uploads hold of them.

    Returns the name that their records have now, and whether the database's file is clear of them (wiping.py). Raises
    ErasingError, and EmployeeError where there is nobody (any more).
    """
    for left in reversed(range(NUMBERS_TRIED)):
        try:
            with sessions.begin() as session:
                name = erase(session, employee_id, typed_code, reason, by=by, actor=actor)
            break
        except IntegrityError:
            if not left:
                raise
    import_uploads.forget_all(settings)
    return name, wipe(sessions)


def erase(
    session: Session,
    employee_id: str,
    typed_code: str,
    reason: str,
    *,
    by: str,
    actor: audit.Actor = audit.COMMAND,
) -> str:
    """In the caller's transaction, as its last thing; raises what erase_for_good does."""
    employee = employees.locked(session, employee_id)
    if typed_code.strip() != employee.code:
        raise ErasingError(
            "code",
            _(
                "code “%(typed)s”: is not this person’s; type %(code)s",
                typed=typed_code.strip()[:64],
                code=employee.code,
            ),
        )
    if reason not in REASONS:
        raise ErasingError(
            "reason",
            _("reason “%(reason)s”: choose one of %(reasons)s", reason=reason[:40], reasons=", ".join(REASONS)),
        )
    number, now = _number(session), now_ms()
    code, name = f"{ERASED_CODE}{number}", f"Erased person {number}"
    waiting = _forget_words(session, employee_id, by, now)
    user_id = _close_account(session, employee_id, code)
    employees.withdraw_consent(session, employee_id)  # pictures, templates, face crops of records; the gallery follows
    of_them = or_(LikenessDecision.employee_id == employee_id, LikenessDecision.other_id == employee_id)
    session.execute(delete(LikenessDecision).where(of_them))
    idempotency.forget(session, employee_id)
    _forget_pushes(session, employee_id, now)
    employee.code, employee.name = code, name
    employee.erased_ms, employee.erased_number = now, number
    employee.deactivated_ms = employee.deactivated_ms or now
    told: dict[str, Any] = {"reason": reason, "corrections_withdrawn": waiting}
    if user_id is not None:
        told["account"] = user_id
    audit.add(session, actor, Action.PERSON_ERASED, audit.person(employee), after=told)
    log.info("employee %s is erased", employee_id)
    return name


def _number(session: Session) -> int:
    number = (session.scalar(select(func.max(Employee.erased_number))) or 0) + 1
    while session.scalar(select(exists().where(Employee.code == f"{ERASED_CODE}{number}"))):  # entered long ago
        number += 1
    return number


def _forget_words(session: Session, employee_id: str, by: str, now: int) -> int:
    """What was written about them: reasons, notes, kinds of leave. Corrections that wait are withdrawn; returns how many."""
    waiting = update(Correction).where(Correction.employee_id == employee_id, Correction.state == "asked")
    settled = waiting.values(state="withdrawn", decided_ms=now, decided_by=by[:64]).returning(Correction.id)
    withdrawn = len(session.scalars(settled).all())
    mine = update(Correction).where(Correction.employee_id == employee_id)
    session.execute(mine.values(reason="", decided_note=""), execution_options={"synchronize_session": False})
    leave = update(Leave).where(Leave.employee_id == employee_id).values(note="", kind="other")
    session.execute(leave, execution_options={"synchronize_session": False})
    return withdrawn


def _close_account(session: Session, employee_id: str, code: str) -> int | None:
    """Nobody logs in with their account any more, and its name is gone wherever it stood; the number stays for the trail."""
    user = session.scalar(select(User).where(User.employee_id == employee_id))
    if user is None:
        return None
    try:
        account_rights.disable(session, user)
    except accounts.AccountError as error:
        raise ErasingError(
            "account",
            _(
                "account: %(error)s, or take the person off the account “%(name)s” on the page of accounts",
                error=error,
                name=user.name,
            ),
        ) from None
    for table in (SecondFactor, RecoveryCode, UserRole, UserDepartment):
        session.execute(delete(table).where(table.user_id == user.id))
    _rename_everywhere(session, user.name, code)
    user.name, user.employee_id = code, None
    user.password_hash = accounts.hasher.hash(secrets.token_urlsafe(32))
    return user.id


def _rename_everywhere(session: Session, before: str, after: str) -> None:
    """Whatever an account did says so by its name, in columns that end in `_by`."""
    session.flush()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.key.endswith("_by"):
                session.execute(update(table).where(column == before).values({column.key: after}))


def _forget_pushes(session: Session, employee_id: str, now: int) -> None:
    """What a connector's other side said of their punches; what wasn't pushed yet stays here: nobody there knows the number."""
    events = select(AttendanceEvent.event_id).where(AttendanceEvent.employee_id == employee_id)
    theirs = update(Push).where(Push.event_id.in_(events))
    unsent = theirs.where(Push.state == "pending").values(state="unknown_employee", changed_ms=now)
    for statement in (unsent, theirs.values(words="")):
        session.execute(statement, execution_options={"synchronize_session": False})
