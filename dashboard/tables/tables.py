"""What readers of uploaded tables share: their limits, a row, and the error that says in words what is wrong with a file."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from dashboard.web.locales import number_words

MAX_ROWS = 50_000
"""Rows with anything in them, the header aside. More are refused: a preview of them would help nobody."""
MAX_CELLS = 40
"""Columns that are looked at; a row with more gets one more cell, so that it is noticed."""

Row = tuple[int, list[str]]
"""Its number as spreadsheets count, and the texts of its cells without the empty ones at its end."""


class BadTable(ValueError):
    """A file that can't be read as a table; the message says why and what to do."""


@dataclass
class Table:
    how: str
    """How the file was read, in words: format, encoding, separator."""
    rows: Iterator[Row]
    """Rows that aren't empty, the header first. Reading them may raise BadTable. Close it when not reading to the end."""


def counted(rows: Iterator[Row]) -> Iterator[Row]:
    """`rows` without empty ones; raises BadTable when there are too many."""
    kept = 0
    for number, cells in rows:
        texts = [cell.strip() for cell in cells[: MAX_CELLS + 1]]
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            continue
        if kept > MAX_ROWS:
            raise BadTable(
                _(
                    "The file has more than %(most)s rows. Split it into smaller files and import one by one.",
                    most=number_words(MAX_ROWS),
                )
            )
        kept += 1
        yield number, texts
    if not kept:
        raise BadTable(_("The file is empty: there is no row with anything in it."))
