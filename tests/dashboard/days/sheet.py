"""How the tables of hand-worked cases are written: punches as words, a plan in a line, a day by its minutes."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.days.calendar import Plan
from dashboard.days.clock import MINUTE_MS, wall_ms
from dashboard.days.corrections import Correction, Punch, corrected
from dashboard.days.day import Day
from dashboard.days.month import days_in_row, turns_of
from dashboard.days.policy import Policy
from dashboard.days.shifts import Shift

JAKARTA, BERLIN, NEW_YORK = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MONDAY = date(2026, 11, 23)
LONG_AFTER_MS = 4_000_000_000_000


def minute(clock: str) -> int:
    """Minutes after the day's midnight of `08:30`, or of `06:00+1` on the next day."""
    clock, _, days = clock.partition("+")
    hours, minutes = clock.split(":")[:2]
    return int(hours) * 60 + int(minutes) + 1_440 * int(days or 0)


def at(clock: str, day: date = MONDAY, zone: ZoneInfo = JAKARTA) -> int:
    """UTC milliseconds of `08:30`, `08:30:15` or `06:00+1`."""
    parts = clock.partition("+")[0].split(":")
    return wall_ms(day, minute(clock), zone) + (int(parts[2]) * 1000 if len(parts) > 2 else 0)


def punches(words: str, day: date = MONDAY, zone: ZoneInfo = JAKARTA) -> list[Punch]:
    """`in 08:00, out 17:00` → two punches with the ids p1 and p2; `?` after a time marks an uncertain clock."""
    found = []
    for number, word in enumerate(filter(None, words.split(", ")), 1):
        direction, clock = word.split()
        uncertain, clock = clock.endswith("?"), clock.rstrip("?")
        found.append(Punch(f"p{number}", at(clock, day, zone), direction, "front-door", uncertain))  # type: ignore[arg-type]
    return found


def shift(words: str = "08:00-17:00", **more: Any) -> Shift:
    """`08:00-17:00`, or `22:00-06:00` over midnight."""
    start, end = (minute(word) for word in words.split("-"))
    return Shift(start, end if end > start else end + 1_440, **more)


OFFICE = shift(break_min=60)
"""08:00 to 17:00 with an hour's break: 480 minutes are required."""
NIGHT = shift("22:00-06:00")
"""480 minutes, no break."""


def plan(shift: Shift | None = OFFICE, day: date = MONDAY, zone: ZoneInfo = JAKARTA, **more: Any) -> Plan:
    policy = {name: more.pop(name) for name in list(more) if name in Policy.__dataclass_fields__}
    return Plan(day, zone, shift, Policy(**policy), **more)


def one_day(
    of: Plan, words: str | list[Punch], corrections: tuple[Correction, ...] = (), as_of_ms: int = LONG_AFTER_MS
) -> Day:
    """The day of `of`, which has the same plan before and after it, holidays and leave apart."""
    given = punches(words, of.day, of.zone) if isinstance(words, str) else words
    around = [replace(of, day=of.day + timedelta(days=days), holidays=(), leaves=()) for days in (-1, 1)]
    plans = [around[0], of, around[1]]
    (day,) = days_in_row(plans, turns_of(plans), corrected(given, corrections), as_of_ms)
    return day


def figures(day: Day) -> dict[str, Any]:
    """What isn't zero, overtime as `{percent: minutes}`."""
    found = {name: getattr(day.minutes, name) for name in day.minutes.__dataclass_fields__ if name != "overtime"}
    found["overtime"] = {part.percent: part.minutes for part in day.minutes.overtime}
    return {name: value for name, value in found.items() if value}


def codes(day: Day) -> list[str]:
    return [note.code for note in day.notes]


def roles(day: Day) -> str:
    """`p1 in, p2 out`, in order of time."""
    return ", ".join(f"{use.punch.id} {use.role}" for use in day.punches)


def later(clock: str, minutes: int, day: date = MONDAY, zone: ZoneInfo = JAKARTA) -> int:
    return at(clock, day, zone) + minutes * MINUTE_MS
