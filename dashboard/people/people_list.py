"""The list of people: searched, filtered by department and state, sorted, and paged by place, not by number."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from flask_babel.speaklater import LazyString
from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import Session

from dashboard.models import Employee, EnrolmentPicture
from dashboard.web.cursors import Place, Value
from dashboard.web.folding import folded
from dashboard.web.locales import number_words

COUNTED = 10_000
BATCH = 500
LONGEST_TEXT = 200
RENEW_MONTHS, MAX_RENEW_MONTHS = 24, 240
"""A face changes: pictures older than this are worth renewing, unless the filter says another number of months."""
STATES = {
    "": lazy_gettext("Everybody"),
    "active": lazy_gettext("Active"),
    "inactive": lazy_gettext("Deactivated"),
    "no_consent": lazy_gettext("Without consent"),
    "no_pictures": lazy_gettext("Without pictures"),
    "old_pictures": lazy_gettext("To re-enrol"),
    "erased": lazy_gettext("Erased"),
}
SORTS: dict[str, tuple[LazyString, tuple[Any, ...], tuple[type, ...]]] = {
    "name": (lazy_gettext("Name"), (Employee.name_key, Employee.id), (str, str)),
    "code": (lazy_gettext("Code"), (Employee.code,), (str,)),
    "department": (lazy_gettext("Department"), (Employee.department, Employee.name_key, Employee.id), (str, str, str)),
    "created": (lazy_gettext("Entered last"), (Employee.created_ms, Employee.id), (int, str)),
}
"""Words, the columns that an index holds in this order, and the types of a place among them."""
NEWEST_FIRST = "created"
Only = Collection[str] | None
"""The departments that whoever asks may see; None: everybody."""


class BadFilter(ValueError):
    """A filter that means nothing; the message says what to choose."""


@dataclass(frozen=True)
class PeopleFilter:
    text: str = ""
    department: str = ""
    state: str = ""
    months: int = RENEW_MONTHS
    """For the state old_pictures: the newest picture is older than so many months."""
    sort: str = "name"

    def query_string(self) -> dict[str, str]:
        values = {"q": self.text, "department": self.department, "state": self.state}
        values["months"] = str(self.months) if self.months != RENEW_MONTHS else ""
        values["sort"] = self.sort if self.sort != "name" else ""
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class PersonRow:
    """One line of the list."""

    employee: Employee
    pictures: int
    newest_picture_ms: int | None


def read_filter(args: Mapping[str, str]) -> PeopleFilter:
    """The filter in a query string; raises BadFilter with words."""
    texts = {name: args.get(name, "").strip() for name in ("q", "department", "state", "months", "sort")}
    for name in ("q", "department"):
        if len(texts[name]) > LONGEST_TEXT:
            raise BadFilter(
                _(
                    "%(name)s: at most %(longest)s characters are searched for, got %(count)s.",
                    name=name,
                    longest=LONGEST_TEXT,
                    count=len(texts[name]),
                )
            )
    for name, known in (("state", STATES), ("sort", SORTS)):
        if texts[name] and texts[name] not in known:
            raise BadFilter(
                _(
                    "%(name)s “%(text)s”: not known; use one of %(known)s.",
                    name=name,
                    text=texts[name][:40],
                    known=", ".join(filter(None, known)),
                )
            )
    months = texts["months"] or str(RENEW_MONTHS)
    if not (months.isascii() and months.isdecimal() and len(months) <= 3 and 1 <= int(months) <= MAX_RENEW_MONTHS):
        raise BadFilter(
            _(
                "months “%(months)s”: a whole number from 1 to %(most)s is needed.",
                months=months[:40],
                most=MAX_RENEW_MONTHS,
            )
        )
    return PeopleFilter(texts["q"], texts["department"], texts["state"], int(months), texts["sort"] or "name")


def months_before(moment: datetime, months: int) -> datetime:
    """The same day and time so many months earlier; the month's last day where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)


def noted(chosen: PeopleFilter) -> dict[str, object]:
    """As the audit trail tells of an export: what was searched for may be a name, so only that something was is told."""
    values: dict[str, object] = dict(chosen.query_string())
    return values | ({"q": True} if chosen.text else {})


def conditions(chosen: PeopleFilter, now: datetime, only: Only = None) -> list[Any]:
    """Every word of the text is in code, name or department, whatever its case and accents."""
    found: list[Any] = [Employee.search_text.contains(w, autoescape=True) for w in folded(chosen.text).split()]
    if chosen.department:
        found.append(Employee.department == chosen.department)
    if only is not None:
        found.append(Employee.department.in_(only))
    pictures = exists().where(EnrolmentPicture.employee_id == Employee.id)
    old_ms = round(months_before(now, chosen.months).timestamp() * 1000)
    state: dict[str, list[Any]] = {
        "active": [Employee.deactivated_ms.is_(None)],
        "inactive": [Employee.deactivated_ms.is_not(None)],
        "no_consent": [Employee.deactivated_ms.is_(None), Employee.consent_ms.is_(None)],
        "no_pictures": [Employee.deactivated_ms.is_(None), ~pictures],
        "old_pictures": [
            Employee.deactivated_ms.is_(None),
            pictures,
            ~pictures.where(EnrolmentPicture.created_ms >= old_ms),
        ],
    }
    erased = Employee.erased_ms
    found.append(erased.is_not(None) if chosen.state == "erased" else erased.is_(None))
    return found + state.get(chosen.state, [])


def statement(chosen: PeopleFilter, now: datetime, place: Place | None, wanted: int, only: Only = None) -> Any:
    """The next people in the direction of `place`, with the number and the newest of their pictures."""
    columns = SORTS[chosen.sort][1]
    backwards = place is not None and place.backwards
    downwards = (chosen.sort == NEWEST_FIRST) != backwards
    of_person = EnrolmentPicture.employee_id == Employee.id
    query = select(
        Employee,
        select(func.count()).where(of_person).correlate(Employee).scalar_subquery(),
        select(func.max(EnrolmentPicture.created_ms)).where(of_person).correlate(Employee).scalar_subquery(),
    ).where(*conditions(chosen, now, only))
    if place is not None:
        here: Any = tuple_(*columns)
        query = query.where(here < tuple_(*place.values) if downwards else here > tuple_(*place.values))
    return query.order_by(*(column.desc() if downwards else column for column in columns)).limit(wanted)


def page(
    session: Session, chosen: PeopleFilter, now: datetime, place: Place | None, size: int, only: Only = None
) -> tuple[list[PersonRow], tuple[Value, ...] | None, tuple[Value, ...] | None]:
    """One page, and the places that the links to the one before and the one after it go on from; None where there is none."""
    rows = _rows(session, chosen, now, place, size + 1, only)
    if place is not None and place.backwards:
        if len(rows) > size:
            rows = rows[:size][::-1]
            return rows, _place(rows[0], chosen), _place(rows[-1], chosen)
        place, rows = None, _rows(session, chosen, now, None, size + 1, only)  # the beginning: a full first page
    before = _place(rows[0], chosen) if rows and place is not None else None
    after = _place(rows[size - 1], chosen) if len(rows) > size else None
    return rows[:size], before, after


def everybody(session: Session, chosen: PeopleFilter, now: datetime, only: Only = None) -> Iterator[PersonRow]:
    """All that the filter finds, a batch at a time; what was read is let go."""
    place = None
    while rows := _rows(session, chosen, now, place, BATCH, only):
        yield from rows
        place = Place(_place(rows[-1], chosen))
        session.expunge_all()


def count(session: Session, chosen: PeopleFilter, now: datetime, only: Only = None) -> int | None:
    """How many there are; None when more than COUNTED."""
    some = select(Employee.id).where(*conditions(chosen, now, only)).limit(COUNTED + 1).subquery()
    total = session.scalar(select(func.count()).select_from(some)) or 0
    return total if total <= COUNTED else None


def count_words(total: int | None, further: bool) -> str:
    """What stands below a page of the list; `further`: pages lie before it."""
    if further:
        return _("further people")
    return (
        _("more than %(count)s people", count=number_words(COUNTED))
        if total is None
        else ngettext("%(count)s person", "%(count)s people", total, count=number_words(total))
    )


def _rows(
    session: Session, chosen: PeopleFilter, now: datetime, place: Place | None, wanted: int, only: Only
) -> list[PersonRow]:
    return [PersonRow(*row) for row in session.execute(statement(chosen, now, place, wanted, only))]


def _place(row: PersonRow, chosen: PeopleFilter) -> tuple[Value, ...]:
    return tuple(getattr(row.employee, column.key) for column in SORTS[chosen.sort][1])
