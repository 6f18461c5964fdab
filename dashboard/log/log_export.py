"""The attendance log as a file: the same columns as text for CSV, and as typed values for XLSX."""

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext

from dashboard.tables.xlsx_export import Value
from dashboard.web import words

COLUMNS = (
    (lazy_gettext("Date"), 12),
    (lazy_gettext("Time"), 10),
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
)
"""Titles, and widths in characters."""


def values(row: Any, site: ZoneInfo) -> tuple[Value, ...]:
    """One record; `row` is of log_query.rows. Times are whole seconds of the site's clock, as the log shows them."""
    moment = words.local(row.captured_ms, row.time_zone, site).replace(tzinfo=None, microsecond=0)
    return (
        moment.date(),
        moment.time(),
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
    )


def _yes(holds: bool) -> str:
    return _("yes") if holds else _("no")


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def texts(rows: Iterable[Any], site: ZoneInfo) -> Iterator[list[str]]:
    """The lines of a CSV file, titles first."""
    yield [str(title) for title, width in COLUMNS]
    for row in rows:
        yield [_text(value) for value in values(row, site)]
