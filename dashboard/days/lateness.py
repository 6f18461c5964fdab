"""Who was planned for a day and came late: the same minutes as in `day`, without working out the rest of the day."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from dashboard.days.calendar import Plan
from dashboard.days.corrections import Corrected, CorrectedPunch, Direction
from dashboard.days.due import Due
from dashboard.days.intervals import late_min
from dashboard.days.punches import read

Came = Sequence[int | None]
"""When the first stretch of each day began, without the first and the last of the plans; None: nobody came."""


class PlannedDay(NamedTuple):
    """A day on which somebody was due at a fixed time or for a core time, after holidays and leave."""

    day: date
    start_ms: int
    late_min: int
    """0: in time, or not come at all."""


def came_as_recorded(plans: Sequence[Plan], turns: Sequence[int], punches: Iterable[tuple[int, Direction]]) -> Came:
    """Of times and directions in order of time that nobody corrected: what repeats a punch is never the first in."""
    came: list[int | None] = [None] * (len(plans) - 2)
    for at_ms, direction in punches:
        place = bisect_right(turns, at_ms) - 1
        first = 0 <= place < len(came) and came[place] is None
        if first and (direction == "in" or plans[place + 1].policy.reading != "kiosk"):
            came[place] = at_ms
    return came


def came_as_corrected(plans: Sequence[Plan], turns: Sequence[int], given: Corrected) -> Came:
    """As corrections have it."""
    punches: list[list[CorrectedPunch]] = [[] for _ in plans[1:-1]]
    for punch in given.punches:
        place = bisect_right(turns, punch.at_ms) - 1
        if 0 <= place < len(punches):
            punches[place].append(punch)
    read_days = (
        read(some, plan.policy.reading, plan.policy.cooldown_s).stretches
        for plan, some in zip(plans[1:-1], punches, strict=True)
    )
    return [stretches[0].came.at_ms if stretches else None for stretches in read_days]


def planned_days(plans: Sequence[Plan], dues: Sequence[Due], came: Came, as_of_ms: int) -> list[PlannedDay]:
    """Those of `plans`, without the first and the last, whose shift has begun at `as_of_ms`; `dues` are due_of each."""
    found = []
    for plan, due, came_ms in zip(plans[1:-1], dues[1:-1], came, strict=True):
        if due.late_from_ms is not None and due.late_from_ms <= as_of_ms:
            late = 0 if came_ms is None else late_min(plan, due, came_ms)
            found.append(PlannedDay(plan.day, due.late_from_ms, late))
    return found
