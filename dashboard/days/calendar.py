"""What is planned for a person's day, and where one day ends and the next begins."""

from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from dashboard.days.clock import MINUTE_MS, wall_ms
from dashboard.days.days_off import Holiday, Leave
from dashboard.days.policy import Policy
from dashboard.days.shifts import PlacedShift, Shift, place

LAST_TURN_MIN = 18 * 60
"""A day begins between 18:00 of the day before and 18:00 of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One day of one person. Without a pattern (`has_pattern`) everything that is worked is ordinary time."""

    day: date
    zone: ZoneInfo
    shift: Shift | None = None
    policy: Policy = field(default_factory=Policy)
    holidays: tuple[Holiday, ...] = ()
    leaves: tuple[Leave, ...] = ()
    has_pattern: bool = True
    placed: PlacedShift | None = field(init=False)
    """The shift in real time; here because it is read often and many people share a plan."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "placed", place(self.shift, self.day, self.zone) if self.shift else None)


def begins_ms(before: Plan, plan: Plan) -> int:
    """The first moment of `plan`'s day, where `before` is the plan of the day before: punches from it on are its own.

    The day turns at `turns_at_min`, but no later than `before_min` ahead of its shift and no earlier than `after_min`
    past the end of the shift of the day before. Where these two collide, it turns halfway between the shifts. It depends
    on nothing but the two plans, so that a punch is in the same day whatever range of days is looked at.
    """
    turn = wall_ms(plan.day, plan.policy.turns_at_min, plan.zone)
    ended, starts = before.placed, plan.placed
    latest = starts.start_ms - plan.policy.before_min * MINUTE_MS if starts else None
    earliest = ended.end_ms + before.policy.after_min * MINUTE_MS if ended else None
    if latest is not None:
        turn = min(turn, latest)
    if earliest is not None:
        turn = max(turn, earliest)
    if starts and ended and latest is not None and turn > latest:
        turn = starts.start_ms - max(0, starts.start_ms - ended.end_ms) // (2 * MINUTE_MS) * MINUTE_MS
    bounds = wall_ms(before.day, LAST_TURN_MIN, before.zone), wall_ms(plan.day, LAST_TURN_MIN, plan.zone)
    return min(max(turn, bounds[0]), bounds[1])
