"""The attendance log as a file: the same columns as text for CSV, and as typed values for XLSX.

A record stays as it was recorded; what corrections did to it stands beside it. Punches that a correction added are rows too.
"""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy.orm import Session

from dashboard.correcting import added_punches, correction_marks
from dashboard.correcting.correction_marks import Mark
from dashboard.log.log_walk import LogWalk
from dashboard.recording.attendance_rules import zone_named
from dashboard.tables.xlsx_export import Value
from dashboard.web import words

BATCH = 500
"""Rows whose corrections are looked up at a time."""

COLUMNS = (
    (lazy_gettext("Date"), 12),
    (lazy_gettext("Time"), 10),
    (lazy_gettext("Time zone"), 18),
    (lazy_gettext("Time (UTC)"), 24),
    (lazy_gettext("Name"), 28),
    (lazy_gettext("Code"), 14),
    (lazy_gettext("Department"), 20),
    (lazy_gettext("Kiosk"), 16),
    (lazy_gettext("Direction"), 10),
    (lazy_gettext("Result"), 18),
    (lazy_gettext("Distance"), 10),
    (lazy_gettext("Threshold"), 10),
    (lazy_gettext("Liveness"), 14),
    (lazy_pgettext("of a record", "Late"), 8),
    (lazy_gettext("Time uncertain"), 14),
    (lazy_gettext("Event id"), 36),
    (lazy_gettext("Corrected"), 18),
    (lazy_gettext("Corrections"), 60),
)
"""Titles, and widths in characters."""


def found(session: Session, walk: LogWalk, site: ZoneInfo) -> Iterator[tuple[Value, ...]]:
    """Everything that the walk finds, and the punches that were added among it, newest first."""
    both = heapq.merge(walk.all(), added_punches.every(session, walk), key=lambda row: row.captured_ms, reverse=True)
    while rows := list(islice(both, BATCH)):
        marks = correction_marks.marks(session, [_id(row) for row in rows])
        for row in rows:
            about = marks.get(_id(row), [])
            yield _added(row, site, about) if hasattr(row, "punch_id") else values(row, site, about)


def _id(row: Any) -> str:
    return str(row.punch_id if hasattr(row, "punch_id") else row.event_id)


def _marked(about: list[Mark], zone_name: str) -> tuple[str, str]:
    """In a word or two, and in full."""
    return ", ".join(str(mark.words) for mark in about), correction_marks.in_words(about, zone_name)


def _added(row: Any, site: ZoneInfo, about: list[Mark]) -> tuple[Value, ...]:
    """A punch that no kiosk recorded."""
    moment = words.local(row.captured_ms, None, site).replace(tzinfo=None, microsecond=0)
    when = moment.date(), moment.time(), site.key, words.utc_words(row.captured_ms)
    result = _("Added by a correction")
    who = row.name, row.code, row.department
    return (*when, *who, "", row.direction, result, None, None, "", "", "", row.punch_id, *_marked(about, site.key))


def values(row: Any, site: ZoneInfo, about: list[Mark]) -> tuple[Value, ...]:
    """One record; `row` is of log_query.rows. Times are whole seconds of the door's clock, as the log shows them."""
    here = zone_named(row.time_zone, site)
    moment = words.local(row.captured_ms, None, here).replace(tzinfo=None, microsecond=0)
    return (
        moment.date(),
        moment.time(),
        here.key,
        words.utc_words(row.captured_ms),
        row.name or "",
        row.code or "",
        row.department or "",
        row.kiosk,
        str(words.DIRECTIONS[row.direction]).lower() if row.direction else "",
        words.result_words(row.status, row.outcome),
        row.distance,
        row.threshold,
        words.liveness_words(row.liveness),
        _yes(row.late),
        _yes(row.time_uncertain),
        row.event_id,
        *_marked(about, here.key),
    )


def _yes(holds: bool) -> str:
    return _("yes") if holds else _("no")


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def texts(rows: Iterable[tuple[Value, ...]]) -> Iterator[list[str]]:
    """The lines of a CSV file, titles first."""
    yield [str(title) for title, width in COLUMNS]
    for row in rows:
        yield [_text(value) for value in row]
