"""Answers that are files: streamed, so that memory stays flat however many rows there are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from flask import Response, abort
from sqlalchemy.orm import Session

from dashboard import csv_export, xlsx_export
from dashboard.database import SessionFactory, reading
from dashboard.xlsx_export import TooManyRows, Value

Rows = Callable[[Session], Iterable[Any]]
"""The rows of a file, read in the session that is handed over: one transaction, one consistent picture."""


def csv(name: str, sessions: SessionFactory, rows: Rows) -> Response:
    """`rows` give texts, titles first. It is read while it is sent: after the request is over."""

    def stream() -> Iterator[str]:
        with reading(sessions) as session:
            yield from csv_export.lines(rows(session))

    return _file(f"{name}.csv", stream(), "text/csv; charset=utf-8")


def xlsx(name: str, title: str, columns: Sequence[tuple[str, int]], sessions: SessionFactory, rows: Rows) -> Response:
    """`rows` give xlsx_export.Value tuples. The workbook is made in a temporary file first; 400 where it would be too large."""
    try:
        with reading(sessions) as session:
            typed: Iterable[Sequence[Value]] = rows(session)
            file = xlsx_export.write(title, columns, typed)
    except TooManyRows as error:
        abort(400, str(error))
    return _file(f"{name}.xlsx", xlsx_export.pieces(file), xlsx_export.MIME)


def _file(name: str, content: Iterator[str] | Iterator[bytes], content_type: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=content_type, headers=disposition)
