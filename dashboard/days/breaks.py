"""Breaks: those that people punch, and those that are deducted whether punched or not."""

from dataclasses import dataclass
from itertools import pairwise

MOST_RUNGS = 6


@dataclass(frozen=True, slots=True)
class AutomaticBreak:
    """Whoever works more than `after_min` has had `break_min` of break."""

    after_min: int
    break_min: int


@dataclass(frozen=True, slots=True)
class Breaks:
    automatic: tuple[AutomaticBreak, ...] = ()
    """The longest that applies is deducted, not the sum of all; each is due later than the one before, and longer."""
    paid_min: int = 0
    """So many minutes a day of punched breaks are paid."""
    longest_min: int = 120
    """Longer out than this is being away, not a break; it is never paid."""

    def __post_init__(self) -> None:
        for name, value in (("paid_min", self.paid_min), ("longest_min", self.longest_min)):
            if not 0 <= value <= 1_440:
                raise ValueError(f"{name} {value}: from 0 to 1440 minutes")
        for rung in self.automatic:
            if not (0 <= rung.after_min <= 1_440 and 0 < rung.break_min <= 480):
                raise ValueError(
                    f"break of {rung.break_min} after {rung.after_min}: 1 to 480 minutes, after at most 1440, are possible"
                )
        if len(self.automatic) > MOST_RUNGS:
            raise ValueError(f"{len(self.automatic)} automatic breaks: at most {MOST_RUNGS} are possible")
        for one, following in pairwise(self.automatic):
            if following.after_min <= one.after_min or following.break_min <= one.break_min:
                raise ValueError(
                    f"break of {following.break_min} after {following.after_min}: later and longer is needed"
                )


def automatic_min(rules: Breaks, present_min: int, punched_min: int) -> int:
    """Minutes to deduct from `present_min` where `punched_min` of break were taken already.

    Nobody falls below the limit that made the break due: 6 h 10 min with a break of 30 after 6 h is 6 h of work, so
    that a minute more of presence never means less pay.
    """
    due = max(
        (min(rung.break_min, present_min - rung.after_min) for rung in rules.automatic if present_min > rung.after_min),
        default=0,
    )
    return max(0, due - punched_min)
