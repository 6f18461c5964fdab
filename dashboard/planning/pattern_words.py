"""A shift pattern in a line, for lists."""

from itertools import groupby

from flask_babel import gettext as _

from dashboard.days.clock import DAY_MIN
from dashboard.days.policy import Pattern
from dashboard.days.shifts import Shift
from dashboard.planning.pattern_choices import WEEKDAYS
from dashboard.planning.shift_form import clock

MOST_GROUPS = 5
"""Of a longer cycle the line ends with dots."""


def summary(pattern: Pattern) -> str:
    """Such as `Mon–Fri 08:00–17:00, Sat 08:00–13:00`, or `8 days: 1–4 07:00–19:00`."""
    days = len(pattern.cycle)
    if days == 1:
        return _("Every day %(times)s", times=times(pattern.cycle[0]))
    if days == len(WEEKDAYS):
        monday = -pattern.first_day.weekday()
        cycle = [pattern.cycle[(monday + day) % days] for day in range(days)]
        return _groups(cycle, [str(name)[:3] for name in WEEKDAYS]) or _("Rest days only")
    words = _groups(list(pattern.cycle), [str(day + 1) for day in range(days)])
    return _("%(count)s days: %(words)s", count=days, words=words or _("rest days only"))


def _groups(cycle: list[Shift | None], names: list[str]) -> str:
    said = []
    for shift, run in groupby(range(len(cycle)), key=lambda day: cycle[day]):
        days = list(run)
        if shift:
            name = names[days[0]] if len(days) == 1 else f"{names[days[0]]}–{names[days[-1]]}"
            said.append(f"{name} {times(shift)}")
    return ", ".join(said[:MOST_GROUPS]) + (" …" if len(said) > MOST_GROUPS else "")


def times(shift: Shift | None) -> str:
    """`22:00–06:00+1`: it ends on the next day; with the minutes of a flexible one."""
    if shift is None:
        return _("rest")
    words = f"{clock(shift.start_min)}–{clock(shift.end_min)}{'+1' if shift.end_min > DAY_MIN else ''}"
    if shift.kind == "flexible":
        required = shift.required_min or 0
        return _("%(times)s (%(hours)s flexible)", times=words, hours=f"{required // 60}:{required % 60:02}")
    return words
