"""Recognition at each door: what became of those who stood in front of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.charts.scope import Scope
from dashboard.models import DecisionRecord
from worker.protocol.outcomes import Outcome

Kind = Literal["recorded", "repeated", "unrecognised", "alike", "picture", "inactive"]
KINDS: tuple[Kind, ...] = ("recorded", "repeated", "unrecognised", "alike", "picture", "inactive")
REFUSED: frozenset[Kind] = frozenset({"unrecognised", "alike", "picture"})
OF_STATUS: Mapping[str, Kind] = {"recorded": "recorded", "duplicate": "repeated", "inactive": "inactive"}
OF_OUTCOME: Mapping[str, Kind] = {
    Outcome.AMBIGUOUS: "alike",
    Outcome.SPOOF_SUSPECTED: "picture",
    Outcome.NOT_LIVE: "picture",
}
MOST_DOORS = 30
"""Those with the most decisions; the others are one line together."""

Row = tuple[str, str, str, int]
"""Kiosk, status, outcome (empty where it says nothing more), how many."""


@dataclass(frozen=True)
class Door:
    """`name` is empty for the further doors together."""

    name: str
    counts: Counter[Kind] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def refused(self) -> int:
        """Presences that nobody was recorded for: not recognised, two too alike, a picture."""
        return sum(self.counts[kind] for kind in REFUSED)


def kind_of(status: str, outcome: str) -> Kind:
    """As the log says it."""
    return OF_STATUS.get(status) or OF_OUTCOME.get(outcome, "unrecognised")


def read(session: Session, scope: Scope, known: Iterable[str]) -> list[Row]:
    """Counted by the database, at the scope's doors; `known` are the names of all there are.

    Everybody's are counted along the index of the doors alone; only what was refused is looked at for its reason.
    """
    row = DecisionRecord
    if scope.people is not None:
        query = select(row.kiosk, row.status, row.outcome, func.count()).where(*scope.decisions())
        return _rows(session, query.group_by(row.kiosk, row.status, row.outcome))
    doors = known if scope.doors is None else scope.doors
    here = [row.kiosk.in_(doors), row.captured_ms >= scope.start_ms, row.captured_ms < scope.end_ms]
    plain = select(row.kiosk, row.status, func.count()).where(*here, row.status.in_(OF_STATUS))
    found = [
        (kiosk, status, "", count) for kiosk, status, count in session.execute(plain.group_by(row.kiosk, row.status))
    ]
    refused = select(row.kiosk, row.status, row.outcome, func.count()).where(*here, row.status == "not_a_punch")
    return found + _rows(session, refused.group_by(row.kiosk, row.status, row.outcome))


def _rows(session: Session, query: Any) -> list[Row]:
    return [(kiosk, status, outcome, count) for kiosk, status, outcome, count in session.execute(query)]


def by_door(rows: Iterable[Row]) -> list[Door]:
    """The busiest first, at most MOST_DOORS, then the others as one."""
    found: dict[str, Counter[Kind]] = defaultdict(Counter)
    for kiosk, status, outcome, count in rows:
        found[kiosk][kind_of(status, outcome)] += count
    doors = sorted((Door(name, counts) for name, counts in found.items()), key=lambda one: (-one.total, one.name))
    others = doors[MOST_DOORS:]
    if others:
        rest = Door("")
        for one in others:
            rest.counts.update(one.counts)
        return [*doors[:MOST_DOORS], rest]
    return doors
