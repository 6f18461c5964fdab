"""A weekly shift pattern as the fields of a form, and back."""

from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from dashboard.days.bad_rule import BadRule
from dashboard.days.breaks import AutomaticBreak, Breaks
from dashboard.days.clock import DAY_MIN
from dashboard.days.overtime import INDONESIA_5_DAYS, INDONESIA_6_DAYS, Overtime
from dashboard.days.policy import AutoOut, Pattern, Policy
from dashboard.days.rounding import Rounding, in_favour_of
from dashboard.days.shifts import Shift
from dashboard.web.forms import Form
from dashboard.web.locales import weekday_name, weekday_short

KINDS = {"fixed": lazy_gettext("Fixed"), "flexible": lazy_gettext("Flexible")}
READINGS = {
    "kiosk": lazy_gettext("As the door says"),
    "alternate": lazy_gettext("In turn"),
    "first_last": lazy_gettext("First and last"),
}
FAVOURS = {
    "none": lazy_gettext("Not rounded"),
    "employee": lazy_gettext("For the employee"),
    "employer": lazy_gettext("For the employer"),
    "neither": lazy_gettext("To the nearest"),
}
OVERTIMES: dict[str, tuple[LazyString, Overtime]] = {
    "plain": (lazy_gettext("No factor"), Overtime()),
    "id5": (lazy_gettext("Indonesia, 5 days"), INDONESIA_5_DAYS),
    "id6": (lazy_gettext("Indonesia, 6 days"), INDONESIA_6_DAYS),
}
AUTO_OUTS = {
    "never": lazy_gettext("Stays open"),
    "shift_end": lazy_gettext("At the shift’s end"),
    "limit": lazy_gettext("After hours"),
}
FRESH = {
    "kind": "fixed",
    "break_min": "60",
    "reading": "kiosk",
    "grace_in": "0",
    "grace_out": "0",
    "favour": "none",
    "unit": "15",
    "break_after": "240",
    "break_length": "60",
    "overtime": "plain",
    "auto_out": "never",
    "limit_hours": "10",
}


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def fields_of(pattern: Pattern) -> dict[str, str]:
    """What the form shows of a pattern that it made."""
    policy, working = pattern.policy, [shift for shift in pattern.cycle if shift]
    rung = policy.breaks.automatic[0] if policy.breaks.automatic else None
    favour = "none" if policy.rounding.unit_min == 1 else policy.rounding.favours[0]
    shown = {
        **FRESH,
        "reading": policy.reading,
        "grace_in": str(policy.grace_in_min),
        "grace_out": str(policy.grace_out_min),
        "favour": favour,
        "unit": str(policy.rounding.unit_min) if favour != "none" else FRESH["unit"],
        "break_after": str(rung.after_min) if rung else "",
        "break_length": str(rung.break_min) if rung else "",
        "overtime": next((key for key, (words, rule) in OVERTIMES.items() if rule == policy.overtime), "plain"),
        "auto_out": policy.auto_out.at,
        "limit_hours": str(policy.auto_out.limit_min // 60),
        "minimum": str(policy.minimum_min or ""),
        "maximum": str(policy.maximum_min or ""),
    }
    for day, shift in enumerate(pattern.cycle[:7]):
        if shift:
            shown |= {f"start_{day}": clock(shift.start_min), f"end_{day}": clock(shift.end_min)}
    if working:
        shown |= {"kind": working[0].kind, "break_min": str(working[0].break_min)}
        shown["required"] = str(working[0].required_min or "")
    return shown


def read_pattern(form: Form) -> Pattern | None:
    """The pattern that was typed; None where `form.problems` says what is wrong."""
    kind = form.choice("kind", _("Kind"), KINDS)
    break_min = form.number("break_min", _("Break in the shift"), 0, 480, 0) or 0
    required = form.number("required", _("Minutes to work"), 1, DAY_MIN)
    cycle = tuple(_shift(form, day, kind, break_min, required) for day in range(7))
    if not any(cycle) and not form.problems:
        form.problems["start_0"] = _("Week: give at least one day a start and an end")
    policy = _policy(form)
    if form.problems or policy is None:
        return None
    try:
        return Pattern(cycle, policy)
    except ValueError as error:
        form.problems["start_0"] = _("Week: %(error)s", error=_said(error))
        return None


def _shift(form: Form, day: int, kind: str, break_min: int, required: int | None) -> Shift | None:
    start, end = (
        form.minute(f"start_{day}", _("%(weekday)s, start", weekday=weekday_name(day))),
        form.minute(f"end_{day}", _("%(weekday)s, end", weekday=weekday_name(day))),
    )
    if start is None and end is None:
        return None
    if start is None or end is None:
        form.problems.setdefault(
            f"start_{day}", _("%(weekday)s: give both a start and an end, or neither", weekday=weekday_name(day))
        )
        return None
    if start == end:
        form.problems[f"start_{day}"] = _("%(weekday)s: start and end are the same", weekday=weekday_name(day))
        return None
    end += DAY_MIN if end < start else 0  # it ends on the next day
    try:
        if kind == "flexible":
            return Shift(start, end, "flexible", required, count_after=False)
        return Shift(start, end, break_min=break_min)
    except ValueError as error:
        form.problems[f"start_{day}"] = f"{weekday_name(day)}: {_said(error)}"
        return None


def _said(error: ValueError) -> str:
    """What is wrong with a rule, in the page's language where dashboard/days/ says so by a BadRule."""
    return _(error.words, **error.values) if isinstance(error, BadRule) else str(error)


def _policy(form: Form) -> Policy | None:
    favour, unit = form.choice("favour", _("Rounding"), FAVOURS), form.number("unit", _("Rounded to"), 1, 60, 15) or 15
    after = form.number("break_after", _("Break after"), 1, DAY_MIN)
    length = form.number("break_length", _("Length of the break"), 1, 480)
    if (after is None) != (length is None) and not {"break_after", "break_length"} & set(form.problems):
        form.problems["break_after"] = _("Break: give both how long after and how long, or neither")
    reading = form.choice("reading", _("In and out"), READINGS)
    overtime = OVERTIMES[form.choice("overtime", _("Overtime"), OVERTIMES)][1]
    auto_out = form.choice("auto_out", _("Missing out"), AUTO_OUTS)
    limit = form.number("limit_hours", _("Hours until it is closed"), 1, 24, 10) or 10
    grace = (
        form.number("grace_in", _("Grace at the start"), 0, 240, 0),
        form.number("grace_out", _("Grace at the end"), 0, 240, 0),
    )
    minimum = form.number("minimum", _("Least minutes of a day"), 0, DAY_MIN, 0)
    maximum = form.number("maximum", _("Most minutes of a day"), 1, DAY_MIN)
    if form.problems:
        return None
    try:
        return Policy(
            reading=reading,  # type: ignore[arg-type]
            grace_in_min=grace[0] or 0,
            grace_out_min=grace[1] or 0,
            rounding=_rounding(favour, unit),
            breaks=Breaks((AutomaticBreak(after, length),) if after and length else ()),
            overtime=overtime,
            minimum_min=minimum or 0,
            maximum_min=maximum,
            auto_out=AutoOut(auto_out, limit * 60),  # type: ignore[arg-type]
        )
    except ValueError as error:
        form.problems["unit" if "unit_min" in str(error) else "maximum"] = _said(error)
        return None


def _rounding(favour: str, unit: int) -> Rounding:
    if favour == "none":
        return Rounding()
    return Rounding(unit, "nearest", "nearest") if favour == "neither" else in_favour_of(favour, unit)  # type: ignore[arg-type]


def summary(pattern: Pattern) -> str:
    """Such as `Mon–Fri 08:00–17:00, Sat 08:00–13:00`."""
    groups: list[tuple[int, int, str]] = []
    for day, shift in enumerate(pattern.cycle[:7]):
        if shift is None:
            continue
        words = f"{clock(shift.start_min)}–{clock(shift.end_min)}"
        if groups and groups[-1][1] == day - 1 and groups[-1][2] == words:
            groups[-1] = (groups[-1][0], day, words)
        else:
            groups.append((day, day, words))
    names = [weekday_short(day) for day in range(7)]
    return ", ".join(f"{names[a]}{'–' + names[b] if b > a else ''} {words}" for a, b, words in groups)


def fields_from(values: Mapping[str, str]) -> dict[str, str]:
    """What was typed, cut to a length that can be shown again."""
    return {name: value[:200] for name, value in values.items() if name != "csrf_token"}


def today_fields(today: date) -> dict[str, str]:
    """A new pattern's form: Monday to Friday, 08:00 to 17:00, from this month on."""
    week = {f"{what}_{day}": time for day in range(5) for what, time in (("start", "08:00"), ("end", "17:00"))}
    return {**FRESH, **week, "first_day": today.replace(day=1).isoformat()}
