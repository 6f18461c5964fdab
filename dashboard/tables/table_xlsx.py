"""Reading XLSX row by row: values only, no formulas, and no file that unfolds to more than a table of people can be."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from openpyxl import load_workbook

from dashboard.tables.tables import MAX_CELLS, BadTable, Row, Table, counted
from dashboard.web.locales import number_words

MAX_UNFOLDED_BYTES = 100 * 1024 * 1024
"""All parts of the file together; MAX_ROWS of four columns take about 15 MB."""
RATIO_FROM_BYTES, MAX_RATIO = 5 * 1024 * 1024, 150
"""A part larger than the first may be at most so many times its packed size; real sheets stay below 40."""
MAX_PARTS = 1_000
LAST_ROW = 1_048_576
"""Excel's. A file may name any number, and each one left out is a row to go past."""
ZERO_PADDED = re.compile(r"0+")


def read(path: Path) -> Table:
    """Raises BadTable, also while its rows are read."""
    _check_parts(path)
    return Table(_("XLSX, the first sheet"), counted(_rows(path)))


def is_xlsx(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _check_parts(path: Path) -> None:
    """By the sizes in the archive's directory; the unpacker stops at them, so they can't be lower than the truth."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise BadTable(_("The file is damaged: its parts can’t be listed. Save it again as XLSX.")) from None
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise BadTable(_("This is a ZIP archive, not a workbook. Save the table as XLSX or CSV."))
    swollen = any(
        part.file_size > RATIO_FROM_BYTES and part.file_size > MAX_RATIO * max(1, part.compress_size) for part in parts
    )
    if swollen or len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNFOLDED_BYTES:
        raise BadTable(
            _("The workbook unfolds to far more than a table of people can hold. Copy the table into a new file.")
        )


def _rows(path: Path) -> Iterator[Row]:
    """openpyxl raises errors of any kind over a file that was made to be wrong; none of them is ours."""
    try:
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            if not sheets:
                raise BadTable(_("The workbook has no sheet that is shown."))
            sheets[0].reset_dimensions()  # a file may say less than it holds
            for number, cells in enumerate(sheets[0].iter_rows(max_col=MAX_CELLS + 1), start=1):
                if number > LAST_ROW:
                    raise BadTable(
                        _(
                            "A row beyond %(last)s: no spreadsheet has one. Copy the table into a new file.",
                            last=number_words(LAST_ROW),
                        )
                    )
                yield number, [_text(cell) for cell in cells]
    except BadTable:
        raise
    except Exception as error:
        raise BadTable(
            _(
                "The workbook can’t be read (%(kind)s). Open it, and save it again as XLSX.",
                kind=type(error).__name__,
            )
        ) from None


def _text(cell: Any) -> str:
    """A cell's value as the sheet shows it, as far as a code, a name or a yes is concerned."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        padded = ZERO_PADDED.fullmatch(cell.number_format or "")
        return str(value).zfill(len(cell.number_format)) if padded else str(value)
    if isinstance(value, date):
        return value.date().isoformat() if isinstance(value, datetime) else value.isoformat()
    return str(value)
