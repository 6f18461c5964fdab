"""One day of one person: stretches of work, minutes by kind, what is to be said about it, and notes for HR.

The sums that always hold (all in whole minutes):

    attended + break_paid          = worked + break_automatic + over_maximum
    worked                         = regular + overtime + uncounted
    required (once the day is over) = regular + leave + holiday + missing
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.days.breaks import automatic_min
from dashboard.days.calendar import Plan
from dashboard.days.clock import minutes
from dashboard.days.corrections import CorrectedPunch
from dashboard.days.days_off import HALVES, minutes_of
from dashboard.days.due import Due, due_of
from dashboard.days.intervals import Interval, Worked, intervals_of
from dashboard.days.notes import Note, notes_of
from dashboard.days.overtime import PLAIN, Band, OvertimePart, counted, in_bands
from dashboard.days.punches import PunchUse, Reads, read

STATUSES = (
    "upcoming",
    "incomplete",
    "holiday",
    "rest_day",
    "unplanned",
    "on_leave",
    "present",
    "absent",
    "late",
    "early_leave",
    "missing_in",
    "missing_out",
    "auto_out",
    "too_short",
)
"""In the order in which a day names them. `incomplete`: the day isn't over, and what it lacks isn't said yet.
`unplanned`: nobody has said which shifts this person works."""


@dataclass(frozen=True, slots=True)
class Minutes:
    required: int = 0
    attended: int = 0
    """In the building, by counted times."""
    worked: int = 0
    regular: int = 0
    overtime: tuple[OvertimePart, ...] = ()
    uncounted: int = 0
    """Beyond what was required, but less than counts as overtime."""
    break_punched: int = 0
    """Gaps short enough for a break; of them `break_paid` are paid."""
    break_paid: int = 0
    break_automatic: int = 0
    over_maximum: int = 0
    outside: int = 0
    """There, but before or after the shift, where that doesn't count."""
    late: int = 0
    early: int = 0
    leave: int = 0
    holiday: int = 0
    missing: int = 0

    @property
    def overtime_total(self) -> int:
        return sum(part.minutes for part in self.overtime)


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    zone_name: str
    begins_ms: int
    ends_ms: int
    """The punches from `begins_ms` up to, and without, `ends_ms` are this day's."""
    shift_start_ms: int | None
    shift_end_ms: int | None
    punches: tuple[PunchUse, ...]
    intervals: tuple[Interval, ...]
    minutes: Minutes
    statuses: tuple[str, ...]
    notes: tuple[Note, ...]


def day_of(
    plan: Plan,
    begins_ms: int,
    ends_ms: int,
    punches: Sequence[CorrectedPunch],
    as_of_ms: int,
    hints: Sequence[Note] = (),
) -> Day:
    """The day of `plan` with `punches`, all of which are its own, as it stands at `as_of_ms`.

    `hints` are notes of whoever placed the punches, such as one that was moved to another day.
    """
    reads = read(punches, plan.policy.reading, plan.policy.cooldown_s)
    due = due_of(plan)
    over = as_of_ms >= ends_ms
    worked = intervals_of(plan, due, reads.stretches, as_of_ms, ends_ms)
    counted_minutes = _minutes(plan, due, worked, over)
    statuses = _statuses(plan, due, reads, worked, counted_minutes, begins_ms, ends_ms, as_of_ms)
    notes = notes_of(plan, due, reads, worked, as_of_ms, over)
    placed = plan.placed
    return Day(
        plan.day,
        plan.zone.key,
        begins_ms,
        ends_ms,
        placed.start_ms if placed else None,
        placed.end_ms if placed else None,
        reads.uses,
        worked.intervals,
        counted_minutes,
        statuses,
        (*hints, *notes, *_notes_of_sums(plan, due, counted_minutes, over)),
    )


def _minutes(plan: Plan, due: Due, worked: Worked, over: bool) -> Minutes:
    policy = plan.policy
    attended = minutes(sum(one.end_ms - one.start_ms for one in worked.intervals))
    paid = min(policy.breaks.paid_min, worked.break_punched)
    present = attended + paid
    automatic = automatic_min(policy.breaks, present, worked.break_punched)
    maximum = present if policy.maximum_min is None else policy.maximum_min
    over_maximum = max(0, present - automatic - maximum)
    done = present - automatic - over_maximum

    required = plan.placed.required_min if plan.placed else 0
    holiday = minutes_of(due.holiday, required)
    regular = min(done, required - holiday) if plan.has_pattern else done
    owed = max(0, required - holiday - regular)
    leave = min(minutes_of(due.leave, required), owed)
    extra = done - regular
    overtime = counted(policy.overtime, extra)
    bands: tuple[Band, ...] = PLAIN
    if plan.has_pattern:
        bands = policy.overtime.work if plan.shift else policy.overtime.rest
        if plan.holidays:
            bands = policy.overtime.holiday
    return Minutes(
        required,
        attended,
        done,
        regular,
        in_bands(bands, overtime),
        extra - overtime,
        worked.break_punched,
        paid,
        automatic,
        over_maximum,
        worked.outside,
        worked.late,
        worked.early,
        leave,
        holiday,
        owed - leave if over else 0,
    )


def _statuses(
    plan: Plan, due: Due, reads: Reads, worked: Worked, sums: Minutes, begins_ms: int, ends_ms: int, as_of_ms: int
) -> tuple[str, ...]:
    over = as_of_ms >= ends_ms
    was_there = bool(reads.stretches) or any(use.role == "no_in" for use in reads.uses)
    expected = sums.required > 0 and due.holiday | due.leave != HALVES
    said = {
        "upcoming": as_of_ms < begins_ms,
        "incomplete": begins_ms <= as_of_ms < ends_ms,
        "holiday": bool(plan.holidays),
        "rest_day": plan.has_pattern and sums.required == 0,
        "unplanned": not plan.has_pattern,
        "on_leave": bool(due.leave),
        "present": was_there,
        "absent": over and expected and not was_there,
        "late": worked.late > 0,
        "early_leave": worked.early > 0,
        "missing_in": any(use.role == "no_in" for use in reads.uses),
        "missing_out": over and worked.open,
        "auto_out": worked.assumed_out,
        "too_short": over and expected and was_there and sums.worked < plan.policy.minimum_min,
    }
    return tuple(status for status in STATUSES if said[status])


def _notes_of_sums(plan: Plan, due: Due, sums: Minutes, over: bool) -> list[Note]:
    """What follows from the minutes alone."""
    found: list[Note] = []
    if due.leave and sums.leave < minutes_of(due.leave, sums.required):
        found.append(Note("worked_on_leave", minutes_of(due.leave, sums.required) - sums.leave))
    if plan.holidays and sums.worked > sums.regular:
        found.append(Note("worked_on_holiday", sums.worked - sums.regular))
    if sums.over_maximum:
        found.append(Note("over_maximum", sums.over_maximum))
    short = plan.policy.minimum_min - sums.worked
    if over and plan.shift and sums.worked and short > 0:
        found.append(Note("below_minimum", short))
    limit = plan.policy.overtime.limit_min
    if limit is not None and plan.shift and not plan.holidays and sums.overtime_total > limit:
        found.append(Note("overtime_over_limit", sums.overtime_total - limit))
    return found
