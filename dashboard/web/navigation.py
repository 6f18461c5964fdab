"""The bar at the top: its entries, of which an account sees those that it may open; several pages may be behind one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashboard.access import rights
from dashboard.access.roles import Role


@dataclass(frozen=True)
class Entry:
    """`pages` are endpoints with their words; the entry leads to the first, and each of several is named below the bar."""

    words: str
    icon: str
    pages: tuple[tuple[str, str], ...]


ENTRIES = (
    Entry("Live", "live", (("live.board", "Live"),)),
    Entry("Attendance", "log", (("attendance.log", "Attendance"), ("charts.index", "Charts"))),
    Entry("Months", "calendar", (("months.index", "Months"), ("corrections.index", "Corrections"))),
    Entry("People", "people", (("people.index", "People"),)),
    Entry("Rules", "clock", (("shift_patterns.index", "Shifts"), ("sites.index", "Sites and holidays"))),
    Entry("Kiosks", "kiosk", (("kiosks.index", "Kiosks"),)),
    Entry("My records", "user", (("me.month", "My records"), ("my_corrections.index", "My corrections"))),
    Entry(
        "Administration",
        "key",
        (("accounts.index", "Accounts"), ("audit.index", "Audit trail"), ("connections.index", "Connections")),
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
