"""What stands beside a punch that was corrected: what was done, by whom and when, and what still waits."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.days.day import Day
from dashboard.models import Correction

DONE = {"add": lazy_gettext("Added"), "void": lazy_gettext("Voided"), "change": lazy_gettext("Changed")}


@dataclass(frozen=True)
class Mark:
    """One correction that was approved, or that waits (then nobody has decided)."""

    action: str
    words: str
    waits: bool
    new_ms: int | None
    new_direction: str | None
    asked_by: str
    decided_by: str
    at_ms: int
    """When it was decided; while it waits, when it was asked for."""
    reason: str
    note: str


def marks(session: Session, punch_ids: Collection[str]) -> dict[str, list[Mark]]:
    """By punch, in the order of the corrections; refused and withdrawn ones changed nothing and are left out."""
    found: dict[str, list[Mark]] = defaultdict(list)
    if not punch_ids:
        return found
    query = select(Correction).where(Correction.punch_id.in_(punch_ids), Correction.state.in_(("asked", "approved")))
    for row in session.scalars(query.order_by(Correction.id)):
        waits = row.state == "asked"
        words = _("Correction asked for") if waits else DONE[row.action]
        if row.corrects_id is not None and not waits and row.action == "void":
            words = _("Taken out again")
        found[row.punch_id].append(
            Mark(
                row.action,
                str(words),
                waits,
                row.new_ms,
                row.new_direction,
                row.asked_by,
                row.decided_by or "",
                row.asked_ms if row.decided_ms is None else row.decided_ms,
                row.reason,
                row.decided_note,
            )
        )
    return found


def of_days(session: Session, days: Iterable[Day]) -> dict[str, list[Mark]]:
    """Of the punches of these days that have corrections."""
    return marks(session, {use.punch.id for day in days for use in day.punches if use.punch.trail})
