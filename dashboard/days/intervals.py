"""Stretches between punches as counted times: grace, rounding, what lies outside the shift, and outs that are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.days.calendar import Plan
from dashboard.days.clock import MINUTE_MS, minutes, wall_ms, whole_minute
from dashboard.days.due import Due
from dashboard.days.punches import Stretch
from dashboard.days.rounding import rounded

End = Literal["punched", "running", "auto_out"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Counted from `start_ms` to `end_ms`; `end` says what ended it (`running`: nothing yet)."""

    start_ms: int
    end_ms: int
    end: End


@dataclass(frozen=True, slots=True)
class Worked:
    intervals: tuple[Interval, ...]
    break_punched: int
    outside: int
    late: int
    early: int
    open: bool
    """The last stretch has no punch out."""
    assumed_out: bool
    first_in_ms: int | None


NOTHING = Worked((), 0, 0, 0, 0, False, False, None)


def intervals_of(plan: Plan, due: Due, stretches: Sequence[Stretch], as_of_ms: int, ends_ms: int) -> Worked:
    """Lateness is measured by the punched minute, what counts by the rounded one."""
    if not stretches:
        return NOTHING
    late, early = late_min(plan, due, stretches[0].came.at_ms), _early(plan, due, stretches[-1], as_of_ms, ends_ms)
    found: list[Interval] = []
    outside_ms, break_ms, last_out_ms = 0, 0, None
    for number, stretch in enumerate(stretches):
        start_ms = _came(plan, due, stretch, first=number == 0)
        end_ms, end = _left(plan, due, stretch, as_of_ms, ends_ms, last=number == len(stretches) - 1)
        if end_ms is None:
            continue
        end_ms = max(end_ms, start_ms)
        if found:
            start_ms, end_ms = max(start_ms, found[-1].end_ms), max(end_ms, found[-1].end_ms)
        if last_out_ms is not None and start_ms - last_out_ms <= plan.policy.breaks.longest_min * MINUTE_MS:
            gap_start, gap_end = _inside(plan, due, last_out_ms, start_ms)
            break_ms += gap_end - gap_start
        last_out_ms = end_ms
        inside_start, inside_end = _inside(plan, due, start_ms, end_ms)
        outside_ms += (end_ms - start_ms) - (inside_end - inside_start)
        if inside_end > inside_start:
            found.append(Interval(inside_start, inside_end, end))
    is_open = stretches[-1].left is None
    assumed = is_open and bool(found) and found[-1].end == "auto_out"
    first_in_ms = stretches[0].came.at_ms
    return Worked(tuple(found), minutes(break_ms), minutes(outside_ms), late, early, is_open, assumed, first_in_ms)


def late_min(plan: Plan, due: Due, came_ms: int) -> int:
    """Minutes from when a fixed shift, or a flexible one's core time, begins until the first punch in; 0 within the grace."""
    if due.late_from_ms is None:
        return 0
    late = minutes(whole_minute(came_ms) - due.late_from_ms)
    return late if late > plan.policy.grace_in_min else 0


def _early(plan: Plan, due: Due, last: Stretch, as_of_ms: int, ends_ms: int) -> int:
    """Only once nobody can come back any more: the shift, its core time, or the day is over."""
    until_ms = due.early_until_ms
    if until_ms is None or last.left is None or as_of_ms < min(until_ms, ends_ms):
        return 0
    early = minutes(until_ms - whole_minute(last.left.at_ms))
    return early if early > plan.policy.grace_out_min else 0


def _came(plan: Plan, due: Due, stretch: Stretch, first: bool) -> int:
    at_ms = whole_minute(stretch.came.at_ms)
    if first and due.punctual and due.start_ms is not None:
        within = due.start_ms < at_ms <= due.start_ms + plan.policy.grace_in_min * MINUTE_MS
        if within:
            return due.start_ms
    rule = plan.policy.rounding
    return rounded(at_ms, rule.arrivals, rule.unit_min, wall_ms(plan.day, 0, plan.zone))


def _left(plan: Plan, due: Due, stretch: Stretch, as_of_ms: int, ends_ms: int, last: bool) -> tuple[int | None, End]:
    """When it ended and by what; None: nobody knows."""
    if stretch.left is not None:
        at_ms = whole_minute(stretch.left.at_ms)
        if last and due.punctual and due.end_ms is not None:
            within = due.end_ms - plan.policy.grace_out_min * MINUTE_MS <= at_ms < due.end_ms
            if within:
                return due.end_ms, "punched"
        rule = plan.policy.rounding
        return rounded(at_ms, rule.departures, rule.unit_min, wall_ms(plan.day, 0, plan.zone)), "punched"
    if as_of_ms < ends_ms:
        return whole_minute(max(as_of_ms, stretch.came.at_ms)), "running"
    auto, came_ms = plan.policy.auto_out, whole_minute(stretch.came.at_ms)
    if auto.at == "limit":
        return min(came_ms + auto.limit_min * MINUTE_MS, ends_ms), "auto_out"
    if auto.at == "shift_end" and due.end_ms is not None and due.end_ms > came_ms:
        return due.end_ms, "auto_out"
    return None, "auto_out"


def _inside(plan: Plan, due: Due, start_ms: int, end_ms: int) -> tuple[int, int]:
    """What of it counts: all of it on a day without a shift that is due."""
    if plan.shift is None or due.start_ms is None or due.end_ms is None:
        return start_ms, end_ms
    if not plan.shift.count_before:
        start_ms = max(start_ms, due.start_ms)
    if not plan.shift.count_after:
        end_ms = min(end_ms, due.end_ms)
    return start_ms, max(start_ms, end_ms)
