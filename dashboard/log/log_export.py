"""The attendance log as a file: the same columns as text for CSV, and as typed values for XLSX."""

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.tables.xlsx_export import Value
from dashboard.web import words

COLUMNS = (
    ("Date", 12),
    ("Time", 10),
    ("Time (UTC)", 24),
    ("Name", 28),
    ("Code", 14),
    ("Department", 20),
    ("Kiosk", 16),
    ("Direction", 10),
    ("Result", 18),
    ("Distance", 10),
    ("Threshold", 10),
    ("Liveness", 14),
    ("Late", 8),
    ("Time uncertain", 14),
    ("Event id", 36),
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
        row.direction or "",
        words.result_words(row.status, row.outcome),
        row.distance,
        row.threshold,
        words.LIVENESS.get(row.liveness, row.liveness),
        "yes" if row.late else "no",
        "yes" if row.time_uncertain else "no",
        row.event_id,
    )


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def texts(rows: Iterable[Any], site: ZoneInfo) -> Iterator[list[str]]:
    """The lines of a CSV file, titles first."""
    yield [title for title, _ in COLUMNS]
    for row in rows:
        yield [_text(value) for value in values(row, site)]
