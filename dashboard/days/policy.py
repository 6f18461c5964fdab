"""All rules of a shift pattern beside its shifts, and the pattern: which shift is on which day."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from dashboard.days.breaks import Breaks
from dashboard.days.clock import DAY_MIN
from dashboard.days.overtime import Overtime
from dashboard.days.punches import Reading
from dashboard.days.rounding import Rounding
from dashboard.days.shifts import Shift

LONGEST_CYCLE = 56


@dataclass(frozen=True, slots=True)
class AutoOut:
    """What closes a day whose last out is missing: nothing, the end of the shift, or `limit_min` after the last in."""

    at: Literal["never", "shift_end", "limit"] = "never"
    limit_min: int = 10 * 60


@dataclass(frozen=True, slots=True)
class Policy:
    """Raises ValueError, with name, value and range, for a rule that can't be."""

    reading: Reading = "kiosk"
    cooldown_s: int = 60
    grace_in_min: int = 0
    """So many minutes after the start aren't late, and count as worked. One more, and all of them are late."""
    grace_out_min: int = 0
    rounding: Rounding = field(default_factory=Rounding)
    breaks: Breaks = field(default_factory=Breaks)
    overtime: Overtime = field(default_factory=Overtime)
    minimum_min: int = 0
    """A working day with less is flagged as too short."""
    maximum_min: int | None = None
    """What goes beyond isn't counted, and is told to HR."""
    auto_out: AutoOut = field(default_factory=AutoOut)
    turns_at_min: int = 4 * 60
    """When one day's punches become the next day's, on the wall clock: calendar.py."""
    before_min: int = 4 * 60
    after_min: int = 6 * 60
    """Punches so long before a shift, and so long after one, still belong to it."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("cooldown_s", 0, 3_600),
            ("grace_in_min", 0, 240),
            ("grace_out_min", 0, 240),
            ("minimum_min", 0, DAY_MIN),
            ("turns_at_min", 0, 12 * 60),
            ("before_min", 0, 12 * 60),
            ("after_min", 0, 12 * 60),
        ):
            value: int = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} {value}: from {low} to {high}")
        if self.maximum_min is not None and not self.minimum_min <= self.maximum_min <= DAY_MIN:
            raise ValueError(f"maximum_min {self.maximum_min}: from minimum_min {self.minimum_min} to {DAY_MIN}")
        if not 1 <= self.auto_out.limit_min <= DAY_MIN:
            raise ValueError(f"auto_out.limit_min {self.auto_out.limit_min}: from 1 to {DAY_MIN}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Shifts in a cycle of days, over and over; None is a rest day. Seven from a Monday make a week."""

    cycle: tuple[Shift | None, ...]
    policy: Policy = field(default_factory=Policy)
    first_day: date = date(2024, 1, 1)
    """The day of `cycle[0]`, a Monday unless set; the cycle runs in both directions from it."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.cycle) <= LONGEST_CYCLE:
            raise ValueError(f"cycle of {len(self.cycle)} days: 1 to {LONGEST_CYCLE} are possible")
        for index, shift in enumerate(self.cycle):
            following = self.cycle[(index + 1) % len(self.cycle)]
            if shift and following and shift.end_min > following.start_min + DAY_MIN:
                raise ValueError(f"day {index + 1} of the cycle ends after the shift of the next day starts")

    def shift_on(self, day: date) -> Shift | None:
        return self.cycle[(day - self.first_day).days % len(self.cycle)]


def weekly(shift: Shift, days: int = 5, policy: Policy | None = None) -> Pattern:
    """`shift` on the first `days` days of every week from Monday."""
    return Pattern((shift,) * days + (None,) * (7 - days), policy or Policy())
