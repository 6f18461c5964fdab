"""What a pattern's rules make of days that everybody knows: made by the same pure functions as the days that are paid."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from dashboard.days.breaks import Breaks
from dashboard.days.calendar import Plan
from dashboard.days.clock import DAY_MIN, wall_ms
from dashboard.days.corrections import Direction, Punch, corrected
from dashboard.days.day import Day
from dashboard.days.days_off import Holiday
from dashboard.days.month import days_in_row, turns_of
from dashboard.days.policy import Pattern
from dashboard.days.shifts import Shift
from dashboard.planning.shift_form import LETTERS

LATE_MIN, EARLY_MIN, LONGER_MIN, BREAK_MIN = 5, 30, 120, 45
"""Beyond the grace, before it, after the shift's end, and out in the middle."""
OTHER_SHIFTS = 3
"""So many shifts beside the first are shown, on time."""
LONG_AFTER = timedelta(days=3)
"""When nothing of a day is open any more."""

Punched = tuple[tuple[Direction, int], ...]
"""Directions and minutes after the day's midnight."""


@dataclass(frozen=True)
class Example:
    words: str
    shift: str
    """Its letter; empty on a rest day."""
    day: Day


def examples(pattern: Pattern, from_day: date, zone: ZoneInfo, own: tuple[int, int] | None = None) -> list[Example]:
    """From the first days on or after `from_day` that have each shift; `own`, minutes of an in and an out, goes first."""
    days = [from_day + timedelta(days=number) for number in range(len(pattern.cycle))]
    first_of: dict[Shift | None, date] = {}
    for day in days:
        first_of.setdefault(pattern.shift_on(day), day)
    shifts = list(dict.fromkeys(shift for shift in pattern.cycle if shift))
    found = []
    if shifts:
        shift, day = shifts[0], first_of[shifts[0]]
        if own:
            found.append(Example(_("Your own example"), "A", _day(pattern, day, zone, _in_and_out(*own))))
        found += [Example(words, "A", _day(pattern, day, zone, punched)) for words, punched in _cases(pattern, shift)]
        holiday = Holiday(_("Holiday"))
        found.append(Example(_("A holiday"), "A", _day(pattern, day, zone, (), holiday)))
        whole = _in_and_out(*_usual(shift, pattern.policy.breaks))
        found.append(Example(_("Worked on a holiday"), "A", _day(pattern, day, zone, whole, holiday)))
    for index, shift in enumerate(shifts[1 : 1 + OTHER_SHIFTS], 1):
        whole = _in_and_out(*_usual(shift, pattern.policy.breaks))
        found.append(Example(_("On time"), LETTERS[index], _day(pattern, first_of[shift], zone, whole)))
    if None in first_of:
        half = _in_and_out(9 * 60, 13 * 60)
        found.append(Example(_("Worked on a rest day"), "", _day(pattern, first_of[None], zone, half)))
    return found


def _cases(pattern: Pattern, shift: Shift) -> Iterator[tuple[str, Punched]]:
    policy, (came, left) = pattern.policy, _usual(shift, pattern.policy.breaks)
    punctual = shift.kind == "fixed" or shift.core_start_min is not None
    late_from = came if shift.core_start_min is None else shift.core_start_min
    early_until = left if shift.core_end_min is None else shift.core_end_min
    yield _("On time"), _in_and_out(came, left)
    if punctual:
        if policy.grace_in_min:
            late = policy.grace_in_min
            yield _("%(minutes)s minutes late, within the grace", minutes=late), _in_and_out(late_from + late, left)
        late = policy.grace_in_min + LATE_MIN
        yield _("%(minutes)s minutes late", minutes=late), _in_and_out(late_from + late, left)
        early = policy.grace_out_min + EARLY_MIN
        yield _("Leaves %(minutes)s minutes early", minutes=early), _in_and_out(came, early_until - early)
    else:
        yield _("Leaves %(minutes)s minutes earlier", minutes=EARLY_MIN), _in_and_out(came, left - EARLY_MIN)
    if left - came > 2 * BREAK_MIN:
        out = came + (left - came) // 2
        punched: Punched = ("in", came), ("out", out), ("in", out + BREAK_MIN), ("out", left)
        yield _("Out for %(minutes)s minutes", minutes=BREAK_MIN), punched
    yield _("Stays 2 hours longer"), _in_and_out(came, left + LONGER_MIN)
    yield _("Forgets to punch out"), (("in", came),)


def _usual(shift: Shift, breaks: Breaks) -> tuple[int, int]:
    """When somebody comes and goes who does what a shift asks: in a flexible one, for what it requires with the break."""
    if shift.kind == "fixed" or shift.required_min is None:
        return shift.start_min, shift.end_min
    required = shift.required_min
    due = max((rung.break_min for rung in breaks.automatic if required > rung.after_min), default=0)
    came = shift.start_min if shift.core_start_min is None else shift.core_start_min
    came = max(shift.start_min, min(came, shift.end_min - required - due))
    left = max(came + required + due, shift.core_end_min or 0)
    return came, min(left, shift.end_min)


def _in_and_out(came: int, left: int) -> Punched:
    """Somebody who leaves no later than they came hasn't left."""
    return (("in", came), ("out", left)) if left > came else (("in", came),)


def _day(pattern: Pattern, day: date, zone: ZoneInfo, punched: Punched, *holidays: Holiday) -> Day:
    around = (day + timedelta(days=number) for number in (-1, 0, 1))
    plans = [Plan(one, zone, pattern.shift_on(one), pattern.policy) for one in around]
    plans[1] = replace(plans[1], holidays=holidays)
    punches = [
        Punch(f"p{number}", wall_ms(day, minute, zone), direction, "")
        for number, (direction, minute) in enumerate(punched)
    ]
    as_of_ms = wall_ms(day + LONG_AFTER, DAY_MIN, zone)
    (found,) = days_in_row(plans, turns_of(plans), corrected(punches, ()), as_of_ms)
    return found
