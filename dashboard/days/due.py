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
    """A fixed shift is due: a punch within the grace counts from its start, or to its end."""
    holiday: frozenset[Half]
    """Halves of a working day that a holiday frees."""
    leave: frozenset[Half]
    """Those that leave frees and no holiday does: on a holiday no leave is used up."""
    late_from_ms: int | None = None
    early_until_ms: int | None = None
    """Who comes after the one is late, who leaves before the other leaves early: what is due of a fixed shift, or the core
    time of a flexible one, unless half of the day is free."""


NOTHING = Due(None, None, False, frozenset(), frozenset())


def due_of(plan: Plan) -> Due:
    placed = plan.placed
    if placed is None or plan.shift is None:
        return NOTHING
    fixed = plan.shift.kind == "fixed"
    if not plan.holidays and not plan.leaves:
        core = (placed.start_ms, placed.end_ms) if fixed else (placed.core_start_ms, placed.core_end_ms)
        return Due(placed.start_ms, placed.end_ms, fixed, frozenset(), frozenset(), *core)
    holiday = halves_off(plan.holidays)
    leave = halves_off(plan.leaves) - holiday
    off = holiday | leave
    if off == HALVES:
        return Due(None, None, False, holiday, leave)
    start_ms = placed.middle_ms if fixed and "first" in off else placed.start_ms
    end_ms = placed.middle_ms if fixed and "second" in off else placed.end_ms
    core = (start_ms, end_ms) if fixed else (None, None) if off else (placed.core_start_ms, placed.core_end_ms)
    return Due(start_ms, end_ms, fixed, holiday, leave, *core)
