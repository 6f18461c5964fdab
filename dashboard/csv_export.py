"""The attendance log as CSV for spreadsheets: UTF-8 with a byte order mark, without which Excel garbles names."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard import words

BOM = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for a formula, in the full-width forms of East Asian keyboards too."""
COLUMNS = (
    "Date",
    "Time",
    "Time (UTC)",
    "Name",
    "Code",
    "Department",
    "Kiosk",
    "Direction",
    "Result",
    "Distance",
    "Threshold",
    "Liveness",
    "Late",
    "Time uncertain",
    "Event id",
)


def safe(value: str) -> str:
    """`value` with a leading apostrophe where a spreadsheet would run it as a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def utc_words(ms: int) -> str:
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cells(row: Any, site: ZoneInfo) -> list[str]:
    """One line; `row` is of log_query.rows."""
    moment = words.local(row.captured_ms, row.time_zone, site)
    texts = (
        moment.strftime("%Y-%m-%d"),
        moment.strftime("%H:%M:%S"),
        utc_words(row.captured_ms),
        row.name or "",
        row.code or "",
        row.department or "",
        row.kiosk,
        row.direction or "",
        words.result_words(row.status, row.outcome),
        "" if row.distance is None else f"{row.distance:.3f}",
        "" if row.threshold is None else f"{row.threshold:.3f}",
        words.LIVENESS.get(row.liveness, row.liveness),
        "yes" if row.late else "no",
        "yes" if row.time_uncertain else "no",
        row.event_id,
    )
    return [safe(text) for text in texts]


def lines(rows: Iterable[Any], site: ZoneInfo) -> Iterator[str]:
    """The file, piece by piece."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow(COLUMNS)
    for row in rows:
        if buffer.tell() > 16_384:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
        writer.writerow(cells(row, site))
    yield buffer.getvalue()
