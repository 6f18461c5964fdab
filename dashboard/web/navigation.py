"""The bar at the top: its entries, of which an account sees those that it may open; several pages may be behind one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from dashboard.access import rights
from dashboard.access.roles import Role


@dataclass(frozen=True)
class Entry:
    """`pages` are endpoints with their words; the entry leads to the first, and each of several is named below the bar."""

    words: LazyString
    icon: str
    pages: tuple[tuple[str, LazyString], ...]


ENTRIES = (
    Entry(lazy_gettext("Live"), "live", (("live.board", lazy_gettext("Live")),)),
    Entry(
        lazy_gettext("Attendance"),
        "log",
        (("attendance.log", lazy_gettext("Attendance")), ("charts.index", lazy_gettext("Charts"))),
    ),
    Entry(
        lazy_gettext("Months"),
        "calendar",
        (
            ("months.index", lazy_gettext("Months")),
            ("weeks.week", lazy_gettext("Week")),
            ("weeks.day", lazy_gettext("Day")),
            ("corrections.index", lazy_gettext("Corrections")),
        ),
    ),
    Entry(lazy_gettext("People"), "people", (("people.index", lazy_gettext("People")),)),
    Entry(
        lazy_gettext("Rules"),
        "clock",
        (("shift_patterns.index", lazy_gettext("Shifts")), ("sites.index", lazy_gettext("Sites and holidays"))),
    ),
    Entry(
        lazy_gettext("Kiosks"),
        "kiosk",
        (
            ("kiosks.index", lazy_gettext("Kiosks")),
            ("models.index", lazy_gettext("Models")),
            ("site_health.index", lazy_gettext("Health")),
            ("site_settings.index", lazy_gettext("Settings")),
        ),
    ),
    Entry(
        lazy_gettext("My records"),
        "user",
        (("me.month", lazy_gettext("My records")), ("my_corrections.index", lazy_gettext("My corrections"))),
    ),
    Entry(
        lazy_gettext("Administration"),
        "key",
        (
            ("accounts.index", lazy_gettext("Accounts")),
            ("audit.index", lazy_gettext("Audit trail")),
            ("connections.index", lazy_gettext("Connections")),
        ),
    ),
)
OF_ALL_ROLES = "account.index"
"""Where somebody starts who may open none of them."""


def shown(roles: Iterable[Role]) -> list[Entry]:
    """What somebody with these roles may open; entries without such a page are left out."""
    known = tuple(roles)
    opened = (
        replace(entry, pages=tuple(page for page in entry.pages if rights.reach(page[0], known) is not None))
        for entry in ENTRIES
    )
    return [entry for entry in opened if entry.pages]


def start_endpoint(roles: Iterable[Role]) -> str:
    """The first page that somebody with these roles may open."""
    entries = shown(roles)
    return entries[0].pages[0][0] if entries else OF_ALL_ROLES
