"""The face crop of a record, where the site keeps them: stored with the record, for so many days, and gone then."""

import logging

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dashboard.database import SessionFactory, now_ms
from dashboard.models import AttendanceEvent, EventPicture
from dashboard.settings import DashboardSettings
from worker.protocol.entries import Decision

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
PRUNE_EVERY_S = 60.0
JPEG_START = b"\xff\xd8"


def keep(session: Session, decision: Decision, settings: DashboardSettings) -> None:
    """Store the crop of a decision whose event is in the caller's transaction; nothing unless the site keeps them."""
    if not settings.picture_days or decision.snapshot is None or not decision.snapshot.startswith(JPEG_START):
        return
    session.flush()  # the picture refers to the event
    expires_ms = decision.captured_ms + round(settings.picture_days * DAY_MS)
    session.add(EventPicture(event_id=decision.event_id, jpeg=decision.snapshot, expires_ms=expires_ms))


def forget(session: Session, employee_id: str) -> None:
    """Delete all crops of one person, in the caller's transaction."""
    events = select(AttendanceEvent.event_id).where(AttendanceEvent.employee_id == employee_id)
    session.execute(delete(EventPicture).where(EventPicture.event_id.in_(events)))


def prune(sessions: SessionFactory, settings: DashboardSettings) -> int:
    """Delete those whose time is over, or all where the site keeps none (any more); returns how many."""
    old = delete(EventPicture)
    if settings.picture_days:
        old = old.where(EventPicture.expires_ms <= now_ms())
    with sessions.begin() as session:
        gone = list(session.scalars(old.returning(EventPicture.event_id)))
    if gone:
        log.info("%d pictures of records deleted: their time is over", len(gone))
    return len(gone)
