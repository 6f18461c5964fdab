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
from dashboard.web.words import date_words, local

LONGEST_TEXT = 30_000
"""What a cell of a file holds; Excel takes 32,767 characters."""
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


def in_words(found: Iterable[Mark], zone_name: str, reasons: bool = True) -> str:
    """The marks of one punch as files tell them, times by that clock; `reasons`: whether whoever reads may know why."""
    return shortened("; ".join(_told(mark, zone_name, reasons) for mark in found))


def of_day(day: Day, found: dict[str, list[Mark]], reasons: bool = True) -> str:
    """The marks of a day's punches, each with the time that the punch was recorded or added at."""
    told = []
    for use in day.punches:
        about = found.get(use.punch.id)
        if about:
            at_ms = use.punch.at_ms if use.punch.original_ms is None else use.punch.original_ms
            told.append(f"{_moment(at_ms, day.zone_name)}: {in_words(about, day.zone_name, reasons)}")
    return shortened("; ".join(told))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _told(mark: Mark, zone_name: str, reasons: bool) -> str:
    what = str(mark.words)
    if mark.action != "add" and mark.new_ms is not None:
        what = _("%(what)s to %(moment)s", what=what, moment=_moment(mark.new_ms, zone_name))
    if mark.action == "change" and mark.new_direction:
        what = f"{what} {mark.new_direction}"
    who, day = mark.asked_by, date_words(mark.at_ms, zone_name)
    if mark.waits:
        said = _("%(what)s by %(who)s, %(day)s", what=what, who=who, day=day)
    else:
        said = _(
            "%(what)s, asked by %(who)s, approved by %(whom)s, %(day)s",
            what=what,
            who=who,
            whom=mark.decided_by,
            day=day,
        )
    if not reasons or not mark.reason:
        return said
    return f"{said}: {mark.reason}" + (f" ({mark.note})" if mark.note else "")


def _moment(ms: int, zone_name: str) -> str:
    return f"{local(ms, zone_name):%Y-%m-%d %H:%M:%S}"
