"""Filters of lists that an account keeps under a name: what is kept of them, and the address that one opens.

Not kept is what somebody searched for by name or code: a filter would outlive the person who was erased.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.database import count
from dashboard.models import SavedFilter, User

MOST = 20
"""Of one account, on all pages."""
LONGEST_NAME, LONGEST_VALUE = 100, 200


@dataclass(frozen=True)
class Page:
    endpoint: str
    fields: tuple[str, ...]
    days: Mapping[str, object]
    """Days counted from when a filter is opened: code and words; the empty code stands for those of the filter."""


AS_GIVEN = lazy_gettext("As they are now")
PAGES = {
    "log": Page(
        "attendance.log",
        ("department", "kiosk", "from", "to", "kind"),
        {
            "": AS_GIVEN,
            "today": lazy_gettext("Today, whenever it is opened"),
            "week": lazy_gettext("The last 7 days"),
            "month": lazy_gettext("The month that it is opened in"),
        },
    ),
    "months": Page(
        "months.index",
        ("department", "month"),
        {"": AS_GIVEN, "month": lazy_gettext("The month that it is opened in")},
    ),
}


class FilterError(ValueError):
    """A filter that can't be kept; the message says what to do."""


def kept(page: str, values: Mapping[str, str]) -> dict[str, str]:
    """What of `values` a filter of that page keeps."""
    found = {name: values.get(name, "").strip() for name in PAGES[page].fields}
    return {name: value for name, value in found.items() if value}


def save(
    session: Session, user_id: int, page: str, name: str, values: Mapping[str, str], days: str, now_ms: int
) -> SavedFilter:
    """A new filter, or, where the account has one of that name on that page, another content for it."""
    name, content = name.strip(), kept(page, values)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise FilterError(_("Name “%(name)s”: 1 to %(most)s printable characters", name=name[:40], most=LONGEST_NAME))
    if days not in PAGES[page].days:
        raise FilterError(_("Days “%(days)s”: not known; choose one of the list", days=days[:40]))
    if any(len(value) > LONGEST_VALUE or not value.isprintable() for value in content.values()):
        raise FilterError(_("This filter can’t be kept: a value of it is too long, or isn’t printable"))
    session.get_one(User, user_id, with_for_update=True)  # whoever saves at the same time counts after us
    mine = select(SavedFilter).where(SavedFilter.user_id == user_id)
    row = session.scalar(mine.where(SavedFilter.page == page, SavedFilter.name == name))
    if row is None:
        if count(session, mine) >= MOST:
            raise FilterError(_("You have %(most)s filters, the most there can be: remove one first", most=MOST))
        row = SavedFilter(user_id=user_id, page=page, name=name)
        session.add(row)
    row.query, row.days, row.made_ms = urlencode(content), days, now_ms
    session.flush()
    return row


def of_account(session: Session, user_id: int, page: str, today: date) -> list[tuple[SavedFilter, str]]:
    """With the address that each opens today, by name."""
    mine = select(SavedFilter).where(SavedFilter.user_id == user_id, SavedFilter.page == page)
    return [(row, address(row, today)) for row in session.scalars(mine.order_by(SavedFilter.name))]


def address(row: SavedFilter, today: date) -> str:
    values = dict(parse_qsl(row.query))
    if row.days and row.page == "months":
        values.pop("month", None)
    elif row.days:
        first = {"today": today, "week": today - timedelta(days=6), "month": today.replace(day=1)}[row.days]
        values |= {"from": first.isoformat(), "to": today.isoformat()}
    return url_for(PAGES[row.page].endpoint, **values)  # type: ignore[arg-type]
