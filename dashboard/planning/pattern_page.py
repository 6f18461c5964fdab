"""The page with a pattern's form: its fields as they were typed, what is wrong with them, and what they make of a day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import render_template
from flask_babel import gettext as _

from dashboard.database import now_ms
from dashboard.days.breaks import MOST_RUNGS
from dashboard.days.clock import DAY_MIN
from dashboard.days.overtime import MOST_BANDS
from dashboard.days.policy import Pattern
from dashboard.months import day_words
from dashboard.planning import cycle_form, pattern_choices, pattern_form, policy_form, shift_form
from dashboard.planning.pattern_examples import examples
from dashboard.planning.pattern_words import parts
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import services
from dashboard.web.forms import Form

GROUPS = {
    "cycle": ("cycle_days", "cycle_start"),
    "punches": ("reading", "cooldown", "auto_out", "auto_limit"),
    "rounding": ("unit", "arrivals", "departures"),
    "breaks": ("rung_", "paid", "longest"),
    "overtime": ("overtime", "work_", "rest_", "holiday_"),
    "limits": ("minimum", "maximum", "turns_at", "before", "after"),
}
"""Parts of the form that are folded while they hold what a new pattern has; names, or how names begin."""
SPECIAL = ("kind", "required", "before", "after", "core_start", "core_end")
"""Fields of a shift that are folded while they say nothing special."""
USUAL = pattern_form.fields_of(pattern_form.USUAL)
USUAL_SHIFT = {**dict.fromkeys(SPECIAL, ""), **shift_form.BLANK}


def page(pattern_id: int | None, typed: dict[str, str], problems: Mapping[str, str], rules: Pattern | None) -> str:
    """With example days of `rules` where there are some."""
    zone, values = services().settings.zone, shift_form.with_blank(typed)
    today = local_date(now_ms(), zone)
    tries = Form(typed)
    own = _own_example(tries) if rules else None
    from_day = Form(typed).day("first_day", "") or today
    given: dict[str, Any] = {
        "typed": values,
        "problems": {**problems, **tries.problems},
        "letters": shift_form.LETTERS[: shift_form.shown(values)],
        "days": _days(values, today),
        "rungs": policy_form.shown(values, "rung", ("after", "break"), MOST_RUNGS),
        "band_rows": {
            days: policy_form.shown(values, days, ("up_to", "percent"), MOST_BANDS) for days in pattern_choices.BANDS
        },
        "open_groups": {group for group in GROUPS if _is_open(group, values, problems)},
        "open_shifts": {index for index in range(shift_form.shown(values)) if _is_special(index, values, problems)},
        "said": parts(rules.policy) if rules else {},
        "examples": examples(rules, from_day, zone, own) if rules else [],
    }
    return render_template(
        "shift_pattern.html",
        pattern_id=pattern_id,
        choices=pattern_choices,
        day_words=day_words,
        zone=zone.key,
        **given,
    )


def _days(values: Mapping[str, str], today: date) -> list[tuple[str, str, str]]:
    """What each day of the cycle is called, and the weekday, where that isn't its name, and the date it is next."""
    dates = cycle_form.next_dates(values, today)
    weekdays = [str(pattern_choices.WEEKDAYS[day.weekday()]) for day in dates]
    if len(dates) == cycle_form.WEEK:
        return [(name, "", day.isoformat()) for name, day in zip(weekdays, dates, strict=True)]
    return [
        (_("Day %(number)s", number=number), name[:3], day.isoformat())
        for number, (name, day) in enumerate(zip(weekdays, dates, strict=True), 1)
    ]


def _is_open(group: str, values: Mapping[str, str], problems: Mapping[str, str]) -> bool:
    names = [name for name in {*values, *problems} if name.startswith(GROUPS[group])]
    return any(name in problems or values.get(name, "").strip() != USUAL.get(name, "") for name in names)


def _is_special(index: int, values: Mapping[str, str], problems: Mapping[str, str]) -> bool:
    names = {name: f"shift_{index}_{name}" for name in SPECIAL}
    return any(key in problems or values.get(key, "").strip() != USUAL_SHIFT[name] for name, key in names.items())


def _own_example(form: Form) -> tuple[int, int] | None:
    """Minutes of the in and the out that somebody wants to see; an out before the in is of the next day."""
    came, left = form.minute("try_in", _("Your own example, in")), form.minute("try_out", _("Your own example, out"))
    if came is None or left is None:
        return None
    return came, left if left > came else left + DAY_MIN
