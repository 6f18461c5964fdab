"""The cycle of a pattern, which shift is on which of its days, as fields of its form and back."""

from collections.abc import Mapping
from datetime import date, timedelta

from flask_babel import gettext as _

from dashboard.days.clock import DAY_MIN
from dashboard.days.policy import LONGEST_CYCLE, Pattern
from dashboard.days.shifts import Shift
from dashboard.planning import shift_form
from dashboard.planning.pattern_choices import ROTAS
from dashboard.planning.shift_form import LETTERS, clock
from dashboard.web.forms import Form

REST = "-"
WEEK = 7


def fields_of(pattern: Pattern) -> dict[str, str]:
    """Each shift once, lettered in the order in which the cycle has them first."""
    shifts = list(dict.fromkeys(shift for shift in pattern.cycle if shift))
    fields = {"cycle_days": str(len(pattern.cycle)), "cycle_start": pattern.first_day.isoformat()}
    for day, shift in enumerate(pattern.cycle):
        fields[f"day_{day}"] = LETTERS[shifts.index(shift)] if shift else REST
    for index, shift in enumerate(shifts):
        fields |= shift_form.fields_of(shift, index)
    return fields


def shown(values: Mapping[str, str]) -> int:
    """How many days a form shows: a week where their number can't be read."""
    typed = values.get("cycle_days", "").strip()
    days = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 3 else WEEK
    return days if 1 <= days <= LONGEST_CYCLE else WEEK


def next_dates(values: Mapping[str, str], today: date) -> list[date]:
    """When each day of the cycle comes next, today included. Without a day 1 that can be read, today is day 1."""
    days, first = shown(values), _first(values) or today
    return [today + timedelta(days=(day - (today - first).days) % days) for day in range(days)]


def _first(values: Mapping[str, str]) -> date | None:
    try:
        return date.fromisoformat(values.get("cycle_start", "").strip()[:10])
    except ValueError:
        return None


def fill_in(values: Mapping[str, str], rota: str) -> dict[str, str]:
    """`values` with the cycle of that rota; one of whole weeks begins on the Monday of the week in which it did."""
    days, first = ROTAS[rota][1], _first(values)
    filled = {**values, "cycle_days": str(len(days)), **{f"day_{day}": one for day, one in enumerate(days)}}
    if first is not None and len(days) % WEEK == 0:
        filled["cycle_start"] = date.fromordinal(max(1, first.toordinal() - first.weekday())).isoformat()
    return filled


def read_cycle(form: Form) -> tuple[tuple[Shift | None, ...], date | None]:
    """The shift of each day, and the date of day 1; worth nothing where `form.problems` has something."""
    days = form.number("cycle_days", _("Days of the cycle"), 1, LONGEST_CYCLE)
    if days is None:
        form.problems.setdefault("cycle_days", _("Days of the cycle: is missing"))
    first = form.day("cycle_start", _("Date of day 1"))
    given = {LETTERS[index]: index for index in range(LONGEST_CYCLE) if shift_form.is_given(form.values, index)}
    shifts = {letter: shift_form.read_shift(form, index) for letter, index in given.items()}
    chosen = [_letter(form, day) for day in range(days or 0)]
    if None in chosen:
        form.problems.setdefault("cycle_days", _("Days of the cycle: choose the shifts of the new days, then save"))
    for letter in dict.fromkeys(one for one in chosen if one and one != REST and one not in given):
        words = _("Shift %(letter)s: give its start and its end, or choose another for its days", letter=letter)
        form.problems.setdefault(f"shift_{LETTERS.index(letter)}_start", words)
    if "cycle_days" not in form.problems:
        for letter in (one for one in given if one not in chosen):
            words = _(
                "Shift %(letter)s: no day has it; choose it for one, or empty its start and its end", letter=letter
            )
            form.problems.setdefault(f"shift_{given[letter]}_start", words)
    cycle = tuple(shifts.get(letter) if letter else None for letter in chosen)
    if not form.problems:
        _check_order(form, cycle)
    return cycle, first


def _letter(form: Form, day: int) -> str | None:
    """None where the form that was sent didn't have this day."""
    if f"day_{day}" not in form.values:
        return None
    return form.choice(f"day_{day}", _("Day %(number)s of the cycle", number=day + 1), (REST, *LETTERS))


def _check_order(form: Form, cycle: tuple[Shift | None, ...]) -> None:
    """A shift is over when that of the next day begins; the first day follows the last."""
    for day, shift in enumerate(cycle):
        following = cycle[(day + 1) % len(cycle)]
        if shift and following and shift.end_min > following.start_min + DAY_MIN:
            form.problems[f"day_{day}"] = _(
                "Day %(number)s of the cycle: its shift ends at %(end)s of the next day, after that day’s starts at %(start)s",
                number=day + 1,
                end=clock(shift.end_min),
                start=clock(following.start_min),
            )
