"""Rounding of arrivals and departures, and in whose favour it is."""

from dataclasses import dataclass
from typing import Literal

from dashboard.days.clock import MINUTE_MS, whole_minute

Way = Literal["nearest", "up", "down"]
Favour = Literal["employee", "employer", "neither"]


@dataclass(frozen=True, slots=True)
class Rounding:
    """Clock times are rounded to whole units of `unit_min` after the day's midnight.

    The default cuts off the seconds. `up` and `down` are on the clock: 08:07 up to 15 minutes is 08:15. An arrival
    rounded down and a departure rounded up favour the employee. Raises ValueError for a unit that doesn't divide an hour.
    """

    unit_min: int = 1
    arrivals: Way = "down"
    departures: Way = "down"

    def __post_init__(self) -> None:
        if self.unit_min < 1 or 60 % self.unit_min:
            raise ValueError(f"unit_min {self.unit_min}: must divide an hour, such as 1, 5, 6, 10, 15, 30 or 60")

    @property
    def favours(self) -> tuple[Favour, Favour]:
        """Who gains from how arrivals, and how departures, are rounded; the seconds alone are nobody's gain."""
        if self.unit_min == 1:
            return "neither", "neither"
        arrivals: dict[Way, Favour] = {"down": "employee", "up": "employer", "nearest": "neither"}
        departures: dict[Way, Favour] = {"up": "employee", "down": "employer", "nearest": "neither"}
        return arrivals[self.arrivals], departures[self.departures]


def in_favour_of(whom: Literal["employee", "employer"], unit_min: int) -> Rounding:
    return Rounding(unit_min, "down", "up") if whom == "employee" else Rounding(unit_min, "up", "down")


def rounded(at_ms: int, way: Way, unit_min: int, midnight_ms: int) -> int:
    """`at_ms` to units of `unit_min` counted from the day's midnight; its seconds are cut off first.

    Exactly half a unit goes up with `nearest`.
    """
    unit_ms = unit_min * MINUTE_MS
    units, rest = divmod(whole_minute(at_ms) - midnight_ms, unit_ms)
    up = rest and (way == "up" or (way == "nearest" and 2 * rest >= unit_ms))
    return midnight_ms + (units + bool(up)) * unit_ms
