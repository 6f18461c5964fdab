"""XLSX as a real table: typed cells, a header that stays, a filter in each column. Written row by row, so memory stays flat."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table, TableStyleInfo

MAX_ROWS = 200_000
"""More take minutes to write and to open; whoever needs them takes CSV, which begins at once."""
MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SENT_BYTES = 65_536

Value = str | int | float | date | datetime | time | None


class TooManyRows(ValueError):
    """More than a sheet should hold; the message says what to choose instead."""


def write(title: str, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[Value]]) -> IO[bytes]:
    """A temporary file with the workbook, at its beginning; closing it deletes it. Raises TooManyRows.

    `columns` are titles and widths in characters; dates are naive, in the zone that the caller chose.
    """
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, (_, width) in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.append([name for name, _ in columns])
    written = 0
    try:
        for row in rows:
            written += 1
            if written > MAX_ROWS:
                raise TooManyRows(f"More than {MAX_ROWS:,} rows are too many for XLSX: choose a shorter time, or CSV.")
            sheet.append([_cell(sheet, value) for value in row])
    except BaseException:
        sheet.close()
        sheet._writer.cleanup()  # its temporary file, which only saving would delete otherwise
        raise
    sheet.tables.add(_table(title, columns, max(1, written)))
    file: IO[bytes] = tempfile.TemporaryFile(prefix="attendance-", suffix=".xlsx")  # noqa: SIM115 the caller closes it
    book.save(file)
    file.seek(0)
    return file


def _table(title: str, columns: Sequence[tuple[str, int]], rows: int) -> Table:
    table = Table(displayName=title, ref=f"A1:{get_column_letter(len(columns))}{rows + 1}")
    table._initialise_columns()
    for column, (name, _) in zip(table.tableColumns, columns, strict=True):
        column.name = name
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
    return table


def _cell(sheet: Any, value: Value) -> Any:
    """Text stays text: openpyxl would write one that begins with = as a formula, and #N/A as an error."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"
    return cell


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The file's content; closes it at the end, or when the reader goes away."""
    with file:
        while piece := file.read(SENT_BYTES):
            yield piece
