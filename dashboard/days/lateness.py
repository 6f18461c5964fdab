"""Who was planned for a day and came late: the same minutes as in `day`, without working out the rest of the day."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.days.calendar import Plan
from dashboard.days.corrections import Corrected, CorrectedPunch
from dashboard.days.due import due_of
from dashboard.days.intervals import late_min
from dashboard.days.punches import read


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A day on which somebody was due at a fixed time, after holidays and leave."""

    day: date
    start_ms: int
    late_min: int
    """0: in time, or not come at all."""


def planned_days(plans: Sequence[Plan], turns: Sequence[int], given: Corrected, as_of_ms: int) -> list[PlannedDay]:
    """Those of `plans`, without the first and the last, whose shift has begun at `as_of_ms`. `turns` are turns_of(plans)."""
    punches: dict[int, list[CorrectedPunch]] = {}
    for punch in given.punches:
        punches.setdefault(bisect_right(turns, punch.at_ms) - 1, []).append(punch)
    found = []
    for place, plan in enumerate(plans[1:-1]):
        due = due_of(plan)
        if due.punctual and due.start_ms is not None and due.start_ms <= as_of_ms:
            reads = read(punches.get(place, ()), plan.policy.reading, plan.policy.cooldown_s)
            late = late_min(plan, due, reads.stretches[0]) if reads.stretches else 0
            found.append(PlannedDay(plan.day, due.start_ms, late))
    return found
