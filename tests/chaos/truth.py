"""The ledger of truth, and what the database is held against it. Pure functions; all times are seconds of one wall clock.

Who **counts as passed** is worked out from two lists alone: which picture the scene generator showed at which door at
which time, and when which kiosk was killed or stopped. Nothing that a kiosk, a worker or a database said goes in.

- Somebody **stands in front of** a kiosk from the first to the last picture of the standing part of their visit: not
  while they walk up or away.
- A kiosk is **running**, except for BACK_S after each kill -9 of it (so long it may take to come back, whether it is back
  sooner or not at all) and while it is stopped (SIGSTOP until SIGCONT).
- A visit **counts** when, within one stretch of time in which the kiosk was running, the person stood there for STOOD_S
  or longer and GOOD_NEEDED or more of the pictures shown meanwhile pass the gates. Whether a picture passes is found out
  once, when the clip is rendered, by the worker's gates on that very picture.
- A visit that would count had its kiosk been running is one **at a dead kiosk**; a visit too short or with too few such
  pictures is **too short**. Both may be recorded (once, at the right time), and needn't.

A **punch** (a row of `attendance_events`) belongs to the visit of that employee at that door whose time in view is
nearest. **Lost**: a visit that counts, and has no punch. **Doubled**: each further punch of one visit. **Wrong time**: a
punch more than OFF_S outside its visit's time in view that isn't flagged `time_uncertain`; being flagged late excuses
nothing. **Invented**: a punch of somebody who was never at that door.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

BACK_S = 2.0
STOOD_S = 3.0
GOOD_NEEDED = 3
OFF_S = 2.0

Span = tuple[float, float]
Standing = Literal["counted", "at_dead_kiosk", "too_short"]


@dataclass(frozen=True)
class Visit:
    """`good_s` are the times of the pictures that pass the gates, of those shown while the person stood there."""

    employee: str
    door: str
    came_s: float
    stood_s: float
    turned_s: float
    left_s: float
    good_s: tuple[float, ...]


@dataclass(frozen=True)
class Punch:
    event_id: str
    employee: str
    door: str
    captured_s: float
    late: bool
    time_uncertain: bool


@dataclass
class Comparison:
    """`standing` has the number of visits of each kind, `recorded` those of them that have a punch."""

    standing: dict[Standing, int] = field(default_factory=lambda: {"counted": 0, "at_dead_kiosk": 0, "too_short": 0})
    recorded: dict[Standing, int] = field(default_factory=lambda: {"counted": 0, "at_dead_kiosk": 0, "too_short": 0})
    lost: list[Visit] = field(default_factory=list)
    doubled: list[tuple[Visit, Punch]] = field(default_factory=list)
    wrong_time: list[tuple[Visit, Punch]] = field(default_factory=list)
    invented: list[Punch] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.wrong_time or self.invented)


def running_stretches(span: Span, down: Iterable[Span]) -> list[Span]:
    """The parts of `span` in which the kiosk was running, given when it was down (in any order, maybe overlapping)."""
    stretches, from_s = [], span[0]
    for down_s, up_s in sorted(down):
        if down_s > from_s:
            stretches.append((from_s, min(down_s, span[1])))
        from_s = max(from_s, up_s)
        if from_s >= span[1]:
            break
    if from_s < span[1]:
        stretches.append((from_s, span[1]))
    return [(a, b) for a, b in stretches if b > a]


def is_enough(visit: Visit, span: Span) -> bool:
    """Whether somebody stood there long enough, with enough pictures that pass the gates, within `span`."""
    from_s, to_s = max(visit.stood_s, span[0]), min(visit.turned_s, span[1])
    good = sum(from_s <= at_s <= to_s for at_s in visit.good_s)
    return to_s - from_s >= STOOD_S and good >= GOOD_NEEDED


def standing_of(visit: Visit, down: Iterable[Span]) -> Standing:
    """`down`: when that door's kiosk was not running."""
    whole = (visit.stood_s, visit.turned_s)
    if any(is_enough(visit, stretch) for stretch in running_stretches(whole, down)):
        return "counted"
    return "at_dead_kiosk" if is_enough(visit, whole) else "too_short"


def off_s(visit: Visit, at_s: float) -> float:
    """How far a time lies outside the time in view; 0 within it."""
    return max(visit.came_s - at_s, at_s - visit.left_s, 0.0)


def compare(visits: Sequence[Visit], down: Mapping[str, Sequence[Span]], punches: Iterable[Punch]) -> Comparison:
    """`down` by door. Visits of one employee at one door must lie farther apart than the presence gap."""
    result = Comparison()
    by_place: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, visit in enumerate(visits):
        by_place[visit.employee, visit.door].append(number)
    found: dict[int, list[Punch]] = defaultdict(list)
    for punch in sorted(punches, key=lambda one: one.captured_s):
        places = by_place.get((punch.employee, punch.door))
        if not places:
            result.invented.append(punch)
            continue
        nearest = min(places, key=lambda number: off_s(visits[number], punch.captured_s))
        found[nearest].append(punch)
        if off_s(visits[nearest], punch.captured_s) > OFF_S and not punch.time_uncertain:
            result.wrong_time.append((visits[nearest], punch))
    for number, visit in enumerate(visits):
        kind = standing_of(visit, down.get(visit.door, ()))
        result.standing[kind] += 1
        result.recorded[kind] += bool(found[number])
        if kind == "counted" and not found[number]:
            result.lost.append(visit)
        result.doubled += [(visit, punch) for punch in found[number][1:]]
    return result
