"""A shift pattern in a line, for lists, and each part of its rules in one, for its form."""

from itertools import groupby

from flask_babel import gettext as _

from dashboard.days.clock import DAY_MIN
from dashboard.days.policy import Pattern, Policy
from dashboard.days.shifts import Shift
from dashboard.planning.pattern_choices import OVERTIME_WORDS, OVERTIMES, OWN, READINGS, WEEKDAYS
from dashboard.planning.shift_form import clock

MOST_GROUPS = 5
"""Of a longer cycle the line ends with dots."""


def summary(pattern: Pattern) -> str:
    """Such as `Mon–Fri 08:00–17:00, Sat 08:00–13:00`, or `8 days: 1–4 07:00–19:00`."""
    days = len(pattern.cycle)
    if days == 1:
        return str(_("Every day %(times)s", times=times(pattern.cycle[0])))
    if days == len(WEEKDAYS):
        monday = -pattern.first_day.weekday()
        cycle = [pattern.cycle[(monday + day) % days] for day in range(days)]
        return _groups(cycle, [str(name)[:3] for name in WEEKDAYS]) or str(_("Rest days only"))
    words = _groups(list(pattern.cycle), [str(day + 1) for day in range(days)])
    return str(_("%(count)s days: %(words)s", count=days, words=words or _("rest days only")))


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
        return str(_("rest"))
    words = f"{clock(shift.start_min)}–{clock(shift.end_min)}{'+1' if shift.end_min > DAY_MIN else ''}"
    if shift.kind == "flexible":
        required = shift.required_min or 0
        return str(_("%(times)s (%(hours)s flexible)", times=words, hours=_hours(required)))
    return words


def parts(policy: Policy) -> dict[str, str]:
    """What the parts of a form say that are folded away."""
    rounding, automatic = policy.rounding, policy.breaks.automatic
    rungs = [
        _("%(minutes)s minutes after %(hours)s", minutes=one.break_min, hours=_hours(one.after_min))
        for one in automatic
    ]
    overtime = next((key for key, rule in OVERTIMES.items() if rule == policy.overtime), OWN)
    limits = [_("The day turns at %(time)s", time=clock(policy.turns_at_min))]
    if policy.minimum_min:
        limits.append(_("at least %(hours)s", hours=_hours(policy.minimum_min)))
    if policy.maximum_min is not None:
        limits.append(_("at most %(hours)s", hours=_hours(policy.maximum_min)))
    favours = {
        "employee": _("for the employee"),
        "employer": _("for the employer"),
        "neither": _("for neither"),
    }
    missing = _("A missing out stays open.") if policy.auto_out.at == "never" else _("A missing out is assumed.")
    to = {"minutes": rounding.unit_min, **{f"to_{n}": favours[one] for n, one in enumerate(rounding.favours)}}
    return {
        "breaks": ", ".join(rungs) or _("None is deducted"),
        "punches": f"{READINGS[policy.reading]}. {missing}",
        "rounding": _("To %(minutes)s minutes: arrivals %(to_0)s, departures %(to_1)s", **to)
        if rounding.unit_min > 1
        else _("Only the seconds are cut off"),
        "overtime": str(OVERTIME_WORDS[overtime]),
        "limits": ", ".join(limits),
    }


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
