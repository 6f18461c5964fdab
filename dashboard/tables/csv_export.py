"""CSV for spreadsheets: UTF-8 with a byte order mark, without which Excel garbles names, and no cell that runs as a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

BOM = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for a formula, in the full-width forms of East Asian keyboards too."""
PIECE_CHARS = 16_384


def safe(value: str) -> str:
    """`value` with a leading apostrophe where a spreadsheet would run it as a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The file, piece by piece; the first row holds the titles."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    for row in rows:
        if buffer.tell() > PIECE_CHARS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
        writer.writerow([safe(text) for text in row])
    yield buffer.getvalue()
