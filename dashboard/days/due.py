"""When somebody is expected on a day, after holidays and leave."""

from dataclasses import dataclass

from dashboard.days.calendar import Plan
from dashboard.days.days_off import HALVES, Half, halves_off


@dataclass(frozen=True, slots=True)
class Due:
    """`start_ms` to `end_ms`: the shift, or the half of it that is left; both None when nobody is expected."""

    start_ms: int | None
    end_ms: int | None
    punctual: bool
    """Coming late and leaving early are possible: a fixed shift is due."""
    holiday: frozenset[Half]
    """Halves of a working day that a holiday frees."""
    leave: frozenset[Half]
    """Those that leave frees and no holiday does: on a holiday no leave is used up."""


NOTHING = Due(None, None, False, frozenset(), frozenset())


def due_of(plan: Plan) -> Due:
    placed = plan.placed
    if placed is None or plan.shift is None:
        return NOTHING
    fixed = plan.shift.kind == "fixed"
    if not plan.holidays and not plan.leaves:
        return Due(placed.start_ms, placed.end_ms, fixed, frozenset(), frozenset())
    holiday = halves_off(plan.holidays)
    leave = halves_off(plan.leaves) - holiday
    off = holiday | leave
    if off == HALVES:
        return Due(None, None, False, holiday, leave)
    start_ms = placed.middle_ms if fixed and "first" in off else placed.start_ms
    end_ms = placed.middle_ms if fixed and "second" in off else placed.end_ms
    return Due(start_ms, end_ms, fixed, holiday, leave)
