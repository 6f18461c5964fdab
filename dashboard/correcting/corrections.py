"""Corrections of punches: asked for with a reason, decided once by somebody else's log-in, never deleted.

Whether a user may ask or decide is the page's business; here is what must hold whoever they are. Each of these functions
writes to the audit trail, so it is the last thing in its transaction.
"""

from typing import Literal

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.days.corrections import Direction
from dashboard.models import AttendanceEvent, Correction, Employee
from dashboard.webhooks import changes
from worker.protocol.entries import new_id

LONGEST_TEXT = 500
EARLIEST_MS = 946_684_800_000
"""2000-01-01: an earlier time is a slip of the pen."""
AHEAD_MS = 60_000
"""A punch is corrected to a time that was; a minute is left for clocks that differ."""

DECIDED = {
    "approved": Action.CORRECTION_APPROVED,
    "refused": Action.CORRECTION_REFUSED,
    "withdrawn": Action.CORRECTION_WITHDRAWN,
}


DECIDED_ALREADY = {
    "approved": lazy_gettext("correction %(number)s: %(who)s has approved it already"),
    "refused": lazy_gettext("correction %(number)s: %(who)s has refused it already"),
    "withdrawn": lazy_gettext("correction %(number)s: %(who)s has withdrawn it already"),
}


class CorrectionError(ValueError):
    """A correction that can't be; the message says what to do."""


def _text(name: str, value: str, needed: bool) -> str:
    value = value.strip()
    if (needed and not value) or len(value) > LONGEST_TEXT:
        raise CorrectionError(
            _(
                "%(name)s: %(least)s to %(longest)s characters are needed, got %(count)s",
                name=name,
                least=1 if needed else 0,
                longest=LONGEST_TEXT,
                count=len(value),
            )
        )
    return value


def _time(new_ms: int | None, now_ms: int) -> None:
    if new_ms is not None and not EARLIEST_MS <= new_ms <= now_ms + AHEAD_MS:
        raise CorrectionError(_("time: must be after the year 2000 and not in the future"))


def ask_to_add(
    session: Session,
    employee_id: str,
    new_ms: int,
    direction: Direction,
    *,
    reason: str,
    by: str,
    now_ms: int,
    actor: audit.Actor = audit.COMMAND,
) -> Correction:
    """A punch that nobody recorded."""
    if session.get(Employee, employee_id) is None:
        raise CorrectionError(_("employee %(id)r: not known", id=employee_id[:40]))
    if direction not in ("in", "out"):
        raise CorrectionError(_("direction “%(direction)s”: use in or out", direction=str(direction)[:40]))
    _time(new_ms, now_ms)
    row = Correction(
        employee_id=employee_id,
        punch_id=new_id(),
        punch_ms=new_ms,
        action="add",
        new_ms=new_ms,
        new_direction=direction,
        reason=_text("reason", reason, needed=True),
        asked_ms=now_ms,
        asked_by=by,
        state="asked",
    )
    return _stored(session, row, actor)


def ask(
    session: Session,
    action: Literal["void", "change"],
    *,
    event_id: str | None = None,
    corrects_id: int | None = None,
    new_ms: int | None = None,
    new_direction: Direction | None = None,
    reason: str,
    by: str,
    now_ms: int,
    actor: audit.Actor = audit.COMMAND,
) -> Correction:
    """Void or change an event, or an older correction; a change says a time, a direction, or both."""
    if (event_id is None) == (corrects_id is None):
        raise CorrectionError(_("correction: name one event or one older correction"))
    if action not in ("void", "change"):
        raise CorrectionError(_("action “%(action)s”: use void or change", action=str(action)[:40]))
    if action == "change" and new_ms is None and new_direction is None:
        raise CorrectionError(_("correction: say the right time, the right direction, or both"))
    if action == "void" and (new_ms is not None or new_direction is not None):
        raise CorrectionError(_("correction: what is voided has neither time nor direction"))
    if new_direction not in (None, "in", "out"):
        raise CorrectionError(_("direction “%(direction)s”: use in or out", direction=str(new_direction)[:40]))
    _time(new_ms, now_ms)
    row = Correction(
        event_id=event_id,
        corrects_id=corrects_id,
        action=action,
        new_ms=new_ms,
        new_direction=new_direction,
        reason=_text("reason", reason, needed=True),
        asked_ms=now_ms,
        asked_by=by,
        state="asked",
    )
    if event_id is not None:
        event = session.get(AttendanceEvent, event_id)
        if event is None:
            raise CorrectionError(_("event %(event_id)r: not known", event_id=event_id[:40]))
        row.employee_id, row.punch_id, row.punch_ms = event.employee_id, event.event_id, event.captured_ms
    else:
        older = session.get(Correction, corrects_id)
        if older is None:
            raise CorrectionError(_("correction %(number)s: not known", number=corrects_id))
        if older.state != "approved":
            raise CorrectionError(
                _(
                    "correction %(number)s is %(state)s: only an approved one can be corrected",
                    number=corrects_id,
                    state=older.state,
                )
            )
        row.employee_id, row.punch_id, row.punch_ms = older.employee_id, older.punch_id, older.punch_ms
    return _stored(session, row, actor)


def _stored(session: Session, row: Correction, actor: audit.Actor) -> Correction:
    if session.scalar(select(Employee.erased_ms).where(Employee.id == row.employee_id)) is not None:
        raise CorrectionError(_("person: was erased; their punches stay as they are"))
    session.add(row)
    session.flush()
    told = {
        "correction": row.id,
        "punch": row.punch_id,
        "what": row.action,
        "ms": row.new_ms,
        "direction": row.new_direction,
    }
    audit.add(session, actor, Action.CORRECTION_ASKED, _person(session, row), after=told)
    return row


def _person(session: Session, row: Correction) -> audit.Subject:
    return audit.person(session.get_one(Employee, row.employee_id))


def decide(
    session: Session,
    correction_id: int,
    state: Literal["approved", "refused", "withdrawn"],
    *,
    by: str,
    now_ms: int,
    note: str = "",
    actor: audit.Actor = audit.COMMAND,
) -> Correction:
    """Settle what was asked; raises CorrectionError where somebody else was first, with what they decided."""
    if state not in ("approved", "refused", "withdrawn"):
        raise CorrectionError(_("state “%(state)s”: use approved, refused or withdrawn", state=str(state)[:40]))
    values = {"state": state, "decided_ms": now_ms, "decided_by": by, "decided_note": _text("note", note, needed=False)}
    waiting = update(Correction).where(Correction.id == correction_id, Correction.state == "asked").values(**values)
    done = session.execute(waiting.returning(Correction.id)).scalar()
    row = session.scalar(
        select(Correction).where(Correction.id == correction_id), execution_options={"populate_existing": True}
    )
    if row is None:
        raise CorrectionError(_("correction %(number)s: not known", number=correction_id))
    if done is None:
        words = str(DECIDED_ALREADY[row.state])
        raise CorrectionError(words % {"number": correction_id, "who": row.decided_by})
    if state == "approved":
        changes.queue_change(session, changes.DAYS_CHANGED, row.employee_id)
    audit.add(session, actor, DECIDED[state], _person(session, row), after={"correction": row.id})
    return row
