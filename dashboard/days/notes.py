"""What HR should know about a day, as codes with values: the pages put them into words, in the reader's language."""

from dataclasses import dataclass

from dashboard.days.calendar import Plan
from dashboard.days.clock import minutes
from dashboard.days.due import Due
from dashboard.days.intervals import Worked
from dashboard.days.punches import Reads

CODES = {
    "time_uncertain": "the clock of punch `about` can't be trusted",
    "in_future": "punch `about` is later than now",
    "corrected": "punch `about` counts otherwise than it was recorded",
    "correction_waiting": "nobody has decided on the correction numbered `value`",
    "moved_away": "punch `about` was recorded on this day and moved to another by a correction",
    "already_in": "punch `about` says in while in: was an out forgotten?",
    "already_out": "punch `about` says out while out: was an in forgotten?",
    "no_in": "punch `about` is an out without an in",
    "early_in": "came `value` minutes before the shift, which don't count",
    "not_in_yet": "the shift began `value` minutes ago and nobody has come",
    "no_pattern": "nobody has said which shifts this person works",
    "clock_change": "the clocks' change makes the shift `value` minutes longer, or shorter when negative",
    "leave_on_holiday": "leave was entered, but a holiday frees the day: it isn't used up",
    "leave_on_rest_day": "leave was entered on a day without a shift: it isn't used up",
    "worked_on_leave": "worked `value` minutes of the leave, which is that much less",
    "worked_on_holiday": "worked `value` minutes beyond what was required, on a holiday",
    "over_maximum": "`value` minutes are beyond the day's maximum and don't count",
    "below_minimum": "`value` minutes are missing to the day's minimum",
    "overtime_over_limit": "`value` minutes of overtime are beyond the limit of a day; they count",
}
"""What each code means."""
EARLY_IN_MIN = 30
"""So long before a shift somebody may have been asked to come; a few minutes are usual and no news."""


@dataclass(frozen=True, slots=True)
class Note:
    code: str
    value: int = 0
    """Minutes, or the number of a correction."""
    about: str = ""
    """Id of a punch."""


def notes_of(plan: Plan, due: Due, reads: Reads, worked: Worked, as_of_ms: int, over: bool) -> list[Note]:
    found: list[Note] = []
    for use in reads.uses:
        punch = use.punch
        if punch.time_uncertain and not punch.voided:
            found.append(Note("time_uncertain", about=punch.id))
        if punch.at_ms > as_of_ms and not punch.voided:
            found.append(Note("in_future", about=punch.id))
        if punch.voided or punch.time_set or punch.direction_set:
            found.append(Note("corrected", about=punch.id))
        if use.role in ("already_in", "already_out", "no_in"):
            found.append(Note(use.role, about=punch.id))
        found += [Note("correction_waiting", number, punch.id) for number in punch.waiting]
    placed = plan.placed
    if placed and placed.clock_change_min:
        found.append(Note("clock_change", placed.clock_change_min))
    if plan.shift and not plan.shift.count_before and due.start_ms is not None and worked.first_in_ms is not None:
        ahead = minutes(due.start_ms - worked.first_in_ms)
        if ahead >= EARLY_IN_MIN:
            found.append(Note("early_in", ahead))
    if not over and due.late_from_ms is not None and not reads.stretches and as_of_ms > due.late_from_ms:
        found.append(Note("not_in_yet", minutes(as_of_ms - due.late_from_ms)))
    if not plan.has_pattern:
        found.append(Note("no_pattern"))
    if plan.leaves and plan.has_pattern and plan.shift is None:
        found.append(Note("leave_on_rest_day"))
    elif plan.leaves and not due.leave:
        found.append(Note("leave_on_holiday"))
    return found
