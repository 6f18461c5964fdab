"""A shift on the wall clock, and placed on a day of the calendar."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from dashboard.days.clock import DAY_MIN, minutes, wall_ms

LATEST_END_MIN = DAY_MIN + 18 * 60
"""A shift is over by 18:00 of the next day, so that the day after it can begin."""


@dataclass(frozen=True, slots=True)
class Shift:
    """From `start_min` to `end_min` on the wall clock, in minutes after midnight; above 1,440 it ends on the next day.

    `fixed`: people are there from start to end. `flexible`: they work `required_min` at any time between the two.
    Its day is the day it starts. Raises ValueError, with words, for a shift that can't be.
    """

    start_min: int
    end_min: int
    kind: Literal["fixed", "flexible"] = "fixed"
    required_min: int | None = None
    """Minutes of work; None, for a fixed shift only: its length less the break."""
    break_min: int = 0
    """Unpaid break within a fixed shift; deducted by the rule of breaks, here only for what is required."""
    count_before: bool = False
    """Time before the start counts."""
    count_after: bool = True
    """Time after the end counts."""
    core_start_min: int | None = None
    core_end_min: int | None = None
    """Core time of a flexible shift, on the same wall clock: who comes after its start is late, who leaves before its
    end leaves early. Both or neither."""

    def __post_init__(self) -> None:
        if not 0 <= self.start_min < DAY_MIN:
            raise ValueError(f"start {self.start_min}: a minute of the day from 0 to {DAY_MIN - 1} is needed")
        if self.end_min <= self.start_min:
            raise ValueError(
                f"end {self.end_min} is not after start {self.start_min}; add {DAY_MIN} where it ends on the next day"
            )
        if self.end_min > LATEST_END_MIN or self.end_min - self.start_min > DAY_MIN:
            raise ValueError(f"end {self.end_min}: at most 24 hours after the start, and by 18:00 of the next day")
        length = self.end_min - self.start_min
        if self.kind == "flexible" and self.required_min is None:
            raise ValueError("required_min: missing; a flexible shift says how many minutes are to be worked")
        if self.required_min is not None and not 1 <= self.required_min <= length:
            raise ValueError(f"required_min {self.required_min}: from 1 to the {length} minutes between start and end")
        if not 0 <= self.break_min < length:
            raise ValueError(f"break_min {self.break_min}: from 0 to less than the shift's {length} minutes")
        core = self.core_start_min, self.core_end_min
        if core != (None, None):
            if self.kind != "flexible" or core[0] is None or core[1] is None:
                raise ValueError(f"core time {core}: a flexible shift's, and both a start and an end")
            if not self.start_min <= core[0] < core[1] <= self.end_min:
                raise ValueError(
                    f"core time {core}: within {self.start_min} to {self.end_min}, its end after its start"
                )

    @property
    def overnight(self) -> bool:
        return self.end_min > DAY_MIN


@dataclass(frozen=True, slots=True)
class PlacedShift:
    start_ms: int
    end_ms: int
    required_min: int
    clock_change_min: int
    """Minutes that the clocks' change adds to the shift's real length (-60 on the night they are put forward)."""
    core_start_ms: int | None = None
    core_end_ms: int | None = None

    @property
    def middle_ms(self) -> int:
        """Where the first half of the day turns into the second."""
        return self.start_ms + (self.end_ms - self.start_ms) // 120_000 * 60_000


def place(shift: Shift, day: date, zone: ZoneInfo) -> PlacedShift:
    """The shift that starts on `day`, in real time: a night over the change of clocks is an hour shorter or longer."""
    start_ms = wall_ms(day, shift.start_min, zone)
    end_ms = max(start_ms, wall_ms(day, shift.end_min, zone))
    length = minutes(end_ms - start_ms)
    required = shift.required_min
    if required is None:
        required = max(0, length - shift.break_min)
    core_start, core_end = (
        None if minute is None else wall_ms(day, minute, zone) for minute in (shift.core_start_min, shift.core_end_min)
    )
    return PlacedShift(start_ms, end_ms, required, length - (shift.end_min - shift.start_min), core_start, core_end)
