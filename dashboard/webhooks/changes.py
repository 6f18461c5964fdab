"""Noting that something happened, in the transaction that made it happen, and sharing it out to who wants to know.

The recorder notes punches here, so this does as little as it can: one look whether anybody listens, and one row of ids.
What is told is read only when it is sent, by the deliverer, in another process.
"""

from collections.abc import Iterable

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from dashboard.database import now_ms
from dashboard.models import Change, Connector, Delivery, Push, Webhook
from worker.protocol.entries import new_id

PUNCH_RECORDED, EMPLOYEE_CHANGED, DAYS_CHANGED = "punch.recorded", "employee.changed", "days.changed"
KINDS = {
    PUNCH_RECORDED: "somebody was recorded at a door",
    EMPLOYEE_CHANGED: "an employee was added or changed, deactivated or reactivated, or consent was given or withdrawn",
    DAYS_CHANGED: "days of an employee that may be over changed: by leave, or by a correction that was approved",
}
BATCH = 500


def queue_change(session: Session, kind: str, subject_id: str) -> None:
    """Note a change in the caller's transaction; nothing where nobody listens."""
    queue_changes(session, kind, [subject_id])


def queue_changes(session: Session, kind: str, subject_ids: Iterable[str]) -> None:
    """As queue_change, for many at once."""
    listening = select(or_(exists().where(Webhook.disabled_ms.is_(None)), exists().where(Connector.name.is_not(None))))
    if session.scalar(listening):
        now = now_ms()
        session.add_all(
            Change(id=new_id(), kind=kind, subject_id=subject_id, created_ms=now) for subject_id in subject_ids
        )


def waiting(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(Change.id.is_not(None)))))


def share_out(session: Session) -> int:
    """Give the oldest changes to every webhook and connector that wants them, and forget them; returns how many."""
    oldest = select(Change).order_by(Change.created_ms, Change.id).limit(BATCH).with_for_update(skip_locked=True)
    changes = list(session.scalars(oldest))
    webhooks = list(session.scalars(select(Webhook).where(Webhook.disabled_ms.is_(None))))
    connectors = list(session.scalars(select(Connector.name)))
    now = now_ms()
    for change in changes:
        for webhook in webhooks:
            if change.kind in webhook.kinds.split():
                session.add(_delivery(webhook, change, now))
        if change.kind == PUNCH_RECORDED:
            for name in connectors:
                session.add(Push(connector=name, event_id=change.subject_id, changed_ms=now))
    session.execute(delete(Change).where(Change.id.in_([change.id for change in changes])))
    return len(changes)


def _delivery(webhook: Webhook, change: Change, now: int) -> Delivery:
    return Delivery(
        webhook_id=webhook.id,
        change_id=change.id,
        kind=change.kind,
        subject_id=change.subject_id,
        created_ms=change.created_ms,
        tried_since_ms=now,
        next_try_ms=now,
    )
