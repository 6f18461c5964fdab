"""Finding the log's records among millions, through an index whatever the filter: a page, a count, or all of them.

First only the places (time, event id) of the wanted rows are found, then the rows themselves by their ids. Without people
in the filter the places lie in order in an index: by status, or by kiosk and status. People in the filter (a person, a
department) are looked up one by one in a window of time, which grows until there is enough: a department of a thousand
needs its own last day then, neither everybody's nor its own whole past.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.log import door_clocks
from dashboard.log.log_query import LogFilter, rows
from dashboard.models import DecisionRecord, Employee
from dashboard.web.cursors import Place
from dashboard.web.folding import folded

COUNTED = 10_000
"""Up to so many records a page gives their exact number; more are “more than 10,000”."""
BATCH = 500
"""Rows read at a time while all of them stream."""
FIRST_WINDOW_MS = 6 * 3_600_000
GROWTH = 4
"""A window without enough records is followed by one so many times its size."""
FEW_PEOPLE = 100
"""So many are looked for once, more for each window anew: a search through all names costs as much as a window."""
STATUSES = ("recorded", "duplicate", "inactive", "not_a_punch")

Key = tuple[int, str]
"""captured_ms and event_id: the log's order, newest first."""


def newest(session: Session, branches: Sequence[Sequence[Any]], wanted: int, oldest_first: bool = False) -> list[Key]:
    """The newest (or oldest) places of all branches together; each branch is a list of conditions that an index serves."""
    time, event_id = DecisionRecord.captured_ms, DecisionRecord.event_id
    order = (time, event_id) if oldest_first else (time.desc(), event_id.desc())
    found: list[Key] = []
    for conditions in branches:
        query = select(time, event_id).where(*conditions).order_by(*order).limit(wanted)
        found += [(row[0], row[1]) for row in session.execute(query)]
    return sorted(found, reverse=not oldest_first)[:wanted]


def rows_of(session: Session, keys: Sequence[Key]) -> list[Any]:
    """The records at these places, newest first."""
    if not keys:
        return []
    found = session.execute(rows().where(DecisionRecord.event_id.in_([event_id for _, event_id in keys])))
    return sorted(found, key=lambda row: (row.captured_ms, row.event_id), reverse=True)


def last_arrivals(session: Session, wanted: int, departments: Collection[str] | None = None) -> list[Any]:
    """What the live board shows: punches, deactivated people, and strangers; no repetitions.

    With `departments` only what is known to be of their people.
    """
    status = DecisionRecord.status
    if departments is not None:
        walk = LogWalk(session, LogFilter(kind="all"), ZoneInfo("UTC"), departments)
        return rows_of(session, walk.keys(None, wanted, [status.concat("").in_(("recorded", "inactive"))]))
    branches = (
        [status == "recorded"],
        [status == "inactive"],
        [status == "not_a_punch", DecisionRecord.outcome == "unknown"],
    )
    return rows_of(session, newest(session, branches, wanted))


class LogWalk:
    """The records that a filter finds, newest first. For one session.

    With `departments` only those of their people, and none of people who weren't recognised.
    """

    def __init__(
        self, session: Session, chosen: LogFilter, zone: ZoneInfo, departments: Collection[str] | None = None
    ) -> None:
        self.session, self.chosen, self.zone = session, chosen, zone
        self.span = door_clocks.span(session, chosen.start, chosen.end, zone)
        self.people = _people(session, chosen, departments)
        self.window_ms = FIRST_WINDOW_MS

    def page(self, place: Place | None, size: int) -> tuple[list[Any], Key | None, Key | None]:
        """One page's records; the places that the links to newer and to older ones go on from, None where there are none."""
        if place is not None and place.backwards:
            keys = self.keys(place, size + 1)
            if len(keys) > size:
                keys = keys[:size][::-1]
                return rows_of(self.session, keys), keys[0], keys[-1]
            place = None  # the beginning is reached: a full first page
        keys = self.keys(place, size + 1)
        newer = keys[0] if keys and place is not None else None
        return rows_of(self.session, keys[:size]), newer, keys[size - 1] if len(keys) > size else None

    def all(self) -> Iterator[Any]:
        """Every record, a batch at a time. In one transaction they are one consistent picture."""
        place = None
        while keys := self.keys(place, BATCH):
            yield from rows_of(self.session, keys)
            place = Place(keys[-1])

    def count(self) -> int | None:
        """How many there are; None when more than COUNTED."""
        total = 0
        for conditions in [self._of_people()] if self.people is not None else self._branches():
            some = select(DecisionRecord.captured_ms).where(*conditions, *self._common())
            total += self.session.scalar(select(func.count()).select_from(some.limit(COUNTED + 1).subquery())) or 0
        return total if total <= COUNTED else None

    def keys(self, place: Place | None, wanted: int, also: Sequence[Any] = ()) -> list[Key]:
        """The next places in the direction of `place` (the oldest first when it leads backwards), where `also` holds too."""
        backwards = place is not None and place.backwards
        beyond = self._beyond(place)
        if self.people is None:
            branches = [[*branch, *self._common(), *beyond, *also] for branch in self._branches()]
            return newest(self.session, branches, wanted, oldest_first=backwards)
        found: list[Key] = []
        conditions = [*self._of_people(), *self._common(), *beyond, *also]
        for low, high in self._windows(place):
            window = [DecisionRecord.captured_ms >= low, DecisionRecord.captured_ms < high]
            found += newest(self.session, [[*conditions, *window]], wanted - len(found), oldest_first=backwards)
            if len(found) >= wanted:
                break
        return found

    # --- conditions ------------------------------------------------------------------------------------------------

    def _branches(self) -> list[list[Any]]:
        """What to walk along, without people in the filter."""
        status = self.chosen.status
        if not self.chosen.kiosk:
            return [[DecisionRecord.status == status]] if status else [[]]
        at = DecisionRecord.kiosk == self.chosen.kiosk
        return [[at, DecisionRecord.status == one] for one in ((status,) if status else STATUSES)]

    def _of_people(self) -> list[Any]:
        """Text is joined to kiosk and status so that only the people's own index fits: SQLite can't weigh them here."""
        conditions: list[Any] = [DecisionRecord.employee_id.in_(self.people)]
        if self.chosen.status:
            conditions.append(DecisionRecord.status.concat("") == self.chosen.status)
        if self.chosen.kiosk:
            conditions.append(DecisionRecord.kiosk.concat("") == self.chosen.kiosk)
        return conditions

    def _common(self) -> list[Any]:
        conditions = list(self.span.conditions)
        if self.chosen.as_of_ms is not None:
            conditions.append(DecisionRecord.received_ms <= self.chosen.as_of_ms)
        return conditions

    def _beyond(self, place: Place | None) -> list[Any]:
        if place is None:
            return []
        (at_ms, event_id), time = place.values, DecisionRecord.captured_ms
        if place.backwards:
            return [time >= at_ms, (time > at_ms) | (DecisionRecord.event_id > event_id)]
        return [time <= at_ms, (time < at_ms) | (DecisionRecord.event_id < event_id)]

    def _windows(self, place: Place | None) -> Iterator[tuple[int, int]]:
        """From the place on, each window larger than the one before; the next batch begins a step below what was enough."""
        oldest = self.session.scalar(select(func.min(DecisionRecord.captured_ms)))
        newest_ms = self.session.scalar(select(func.max(DecisionRecord.captured_ms)))
        if oldest is None or newest_ms is None:
            return
        start_ms, end_ms = self.span.start_ms, self.span.end_ms
        low = oldest if start_ms is None else max(oldest, start_ms)
        high = newest_ms + 1 if end_ms is None else min(newest_ms + 1, end_ms)
        at_ms = int(place.values[0]) if place is not None else None
        size = max(FIRST_WINDOW_MS, self.window_ms // GROWTH)
        if place is not None and place.backwards:
            low = max(low, at_ms or 0)
            while low < high:
                self.window_ms = size
                yield low, min(high, low + size)
                low, size = low + size, size * GROWTH
            return
        high = high if at_ms is None else min(high, at_ms + 1)
        while low < high:
            self.window_ms = size
            yield max(low, high - size), high
            high, size = high - size, size * GROWTH


def _people(session: Session, chosen: LogFilter, departments: Collection[str] | None) -> Any:
    """Ids of the people that the filter is for, as a list while they are few; None when it is for nobody in particular."""
    if not chosen.person.split() and not chosen.department and departments is None:
        return None
    query = select(Employee.id)
    for word in folded(chosen.person).split():
        query = query.where(Employee.search_text.contains(word, autoescape=True))
    if chosen.department:
        query = query.where(Employee.department == chosen.department)
    if departments is not None:
        query = query.where(Employee.department.in_(departments))
    few = session.scalars(query.limit(FEW_PEOPLE + 1)).all()
    return few if len(few) <= FEW_PEOPLE else query
