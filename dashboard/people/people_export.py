"""People as a file that the import reads again: code, name, department, consent, and what else HR asks about them."""

from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from dashboard.people.people_list import PersonRow
from dashboard.recording.attendance_rules import local_date
from dashboard.tables.xlsx_export import Value

COLUMNS = (
    ("Code", 14),
    ("Name", 28),
    ("Department", 20),
    ("Consent", 10),
    ("Consent since", 14),
    ("State", 12),
    ("Pictures", 10),
    ("Newest picture", 14),
    ("Entered", 12),
)
"""Titles, and widths in characters."""


def values(row: PersonRow, zone: ZoneInfo) -> tuple[Value, ...]:
    person = row.employee

    def day(ms: int | None) -> date | None:
        return None if ms is None else local_date(ms, zone)

    return (
        person.code,
        person.name,
        person.department,
        "yes" if person.consent_ms is not None else "no",
        day(person.consent_ms),
        "active" if person.deactivated_ms is None else "deactivated",
        row.pictures,
        day(row.newest_picture_ms),
        day(person.created_ms),
    )


def texts(rows: Iterable[PersonRow], zone: ZoneInfo) -> Iterator[list[str]]:
    """The lines of a CSV file, titles first."""
    yield [title for title, _ in COLUMNS]
    for row in rows:
        yield ["" if value is None else str(value) for value in values(row, zone)]
