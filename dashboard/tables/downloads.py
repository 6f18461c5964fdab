"""Answers that are files: streamed, so that memory stays flat however many rows there are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from flask import Response, abort
from sqlalchemy.orm import Session

from dashboard.database import SessionFactory, reading
from dashboard.tables import csv_export, xlsx_export
from dashboard.tables.xlsx_export import Columns, TooManyRows, Value

Rows = Callable[[Session], Iterable[Any]]
"""The rows of a file, read in the session that is handed over: one transaction, one consistent picture."""


def csv(name: str, sessions: SessionFactory, rows: Rows) -> Response:
    """`rows` give texts, titles first. It is read while it is sent: after the request is over."""

    def stream() -> Iterator[str]:
        with reading(sessions) as session:
            yield from csv_export.lines(rows(session))

    return _file(f"{name}.csv", stream(), "text/csv; charset=utf-8")


def xlsx(name: str, title: str, columns: Columns, sessions: SessionFactory, rows: Rows) -> Response:
    """A workbook of one sheet, as `workbook` makes it; `rows` give xlsx_export.Value tuples."""

    def placed(session: Session) -> Iterator[tuple[int, Sequence[Value]]]:
        return ((0, row) for row in rows(session))

    return workbook(name, [(title, columns)], sessions, placed)


def workbook(name: str, sheets: Sequence[tuple[str, Columns]], sessions: SessionFactory, rows: Rows) -> Response:
    """`rows` give the sheet's place and a row of it.

    The workbook is made in a temporary file first; 400 where it would be too large.
    """
    try:
        with reading(sessions) as session:
            file = xlsx_export.write_sheets(sheets, rows(session))
    except TooManyRows as error:
        abort(400, str(error))
    return _file(f"{name}.xlsx", xlsx_export.pieces(file), xlsx_export.MIME)


def pdf(name: str, file: IO[bytes]) -> Response:
    """`file` is open at its beginning; it is closed when it was sent."""
    return _file(f"{name}.pdf", xlsx_export.pieces(file), "application/pdf")


def _file(name: str, content: Iterator[str] | Iterator[bytes], content_type: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=content_type, headers=disposition)
