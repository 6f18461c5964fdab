"""People as a file that the import reads again: code, name, department, consent, and what else HR asks about them."""

from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from dashboard.people.people_list import PersonRow
from dashboard.recording.attendance_rules import local_date
from dashboard.tables.xlsx_export import Value

COLUMNS = (
    (lazy_gettext("Code"), 14),
    (lazy_gettext("Name"), 28),
    (lazy_gettext("Department"), 20),
    (lazy_gettext("Consent"), 10),
    (lazy_gettext("Consent since"), 14),
    (lazy_gettext("State"), 12),
    (lazy_gettext("Pictures"), 10),
    (lazy_gettext("Newest picture"), 14),
    (lazy_gettext("Entered"), 12),
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
        _("yes") if person.consent_ms is not None else _("no"),
        day(person.consent_ms),
        _("active") if person.deactivated_ms is None else _("deactivated"),
        row.pictures,
        day(row.newest_picture_ms),
        day(person.created_ms),
    )


def texts(rows: Iterable[PersonRow], zone: ZoneInfo) -> Iterator[list[str]]:
    """The lines of a CSV file, titles first."""
    yield [str(title) for title, width in COLUMNS]
    for row in rows:
        yield ["" if value is None else str(value) for value in values(row, zone)]
