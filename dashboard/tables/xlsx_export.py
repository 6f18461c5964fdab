"""XLSX as a real table: typed cells, a header that stays, a filter in each column. Written row by row, so memory stays flat."""

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table, TableStyleInfo

from dashboard.web.locales import number_words

MAX_ROWS = 200_000
"""More take minutes to write and to open; whoever needs them takes CSV, which begins at once."""
MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SENT_BYTES = 65_536

UNNAMEABLE = re.compile(r"\W")
"""What the name of a table can't hold; a sheet's title can."""

HOURS = "[h]:mm"
"""How a length of time is shown: hours beyond a day too."""

Value = str | int | float | date | datetime | time | timedelta | None
Columns = Sequence[tuple[str | LazyString, int]]
"""Titles (in the language of whoever asks for the file), and widths in characters."""


class TooManyRows(ValueError):
    """More than a sheet should hold; the message says what to choose instead."""


def write(title: str, columns: Columns, rows: Iterable[Sequence[Value]]) -> IO[bytes]:
    """A temporary file with a workbook of one sheet, as `write_sheets` makes it."""
    return write_sheets([(title, columns)], ((0, row) for row in rows))


def write_sheets(sheets: Sequence[tuple[str, Columns]], rows: Iterable[tuple[int, Sequence[Value]]]) -> IO[bytes]:
    """A temporary file with the workbook, at its beginning; closing it deletes it. Raises TooManyRows.

    `sheets` are titles and columns; `rows` say which sheet each belongs to, in any order: all are written in one go.
    Dates are naive, in the zone that the caller chose.
    """
    book = Workbook(write_only=True)
    made = [_sheet(book, title, columns) for title, columns in sheets]
    written = [0] * len(made)
    try:
        for place, row in rows:
            written[place] += 1
            if written[place] > MAX_ROWS:
                raise TooManyRows(
                    _(
                        "More than %(most)s rows are too many for XLSX: choose a shorter time, or CSV.",
                        most=number_words(MAX_ROWS),
                    )
                )
            made[place].append([_cell(made[place], value) for value in row])
    except BaseException:
        for sheet in made:
            sheet.close()
            sheet._writer.cleanup()  # its temporary file, which only saving would delete otherwise
        raise
    for sheet, (title, columns), count in zip(made, sheets, written, strict=True):
        sheet.tables.add(_table(title, columns, max(1, count)))
    file: IO[bytes] = tempfile.TemporaryFile(prefix="attendance-", suffix=".xlsx")  # noqa: SIM115 the caller closes it
    book.save(file)
    file.seek(0)
    return file


def _sheet(book: Workbook, title: str, columns: Columns) -> Any:
    sheet: Any = book.create_sheet(str(title))
    sheet.freeze_panes = "A2"
    for place, (_name, width) in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.append([str(name) for name, width in columns])
    return sheet


def _table(title: str, columns: Columns, rows: int) -> Table:
    table = Table(displayName=UNNAMEABLE.sub("_", str(title)), ref=f"A1:{get_column_letter(len(columns))}{rows + 1}")
    table._initialise_columns()
    for column, (name, _width) in zip(table.tableColumns, columns, strict=True):
        column.name = str(name)
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
    return table


def _cell(sheet: Any, value: Value) -> Any:
    """Text stays text: openpyxl would write one that begins with = as a formula, and #N/A as an error."""
    if isinstance(value, timedelta):
        cell = WriteOnlyCell(sheet, value)
        cell.number_format = HOURS
        return cell
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
