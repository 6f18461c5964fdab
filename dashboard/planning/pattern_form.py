"""A shift pattern as the fields of a form, and back: for every pattern the way there and back is the same pattern."""

from collections.abc import Mapping
from datetime import date

from dashboard.days.breaks import AutomaticBreak, Breaks
from dashboard.days.policy import Pattern, Policy, weekly
from dashboard.days.shifts import Shift
from dashboard.planning import cycle_form, policy_form
from dashboard.web.forms import Form

USUAL = weekly(Shift(8 * 60, 17 * 60, break_min=60), policy=Policy(breaks=Breaks((AutomaticBreak(4 * 60, 60),))))
"""What a new pattern's form is filled with."""
LONGEST_VALUE = 200
"""Characters of a field that are shown again."""


def fields_of(pattern: Pattern) -> dict[str, str]:
    return {**cycle_form.fields_of(pattern), **policy_form.fields_of(pattern.policy)}


def read_pattern(form: Form) -> Pattern | None:
    """The pattern that was typed; None where `form.problems` says what is wrong."""
    cycle, first_day = cycle_form.read_cycle(form)
    policy = policy_form.read_policy(form)
    if form.problems or policy is None or first_day is None:
        return None
    return Pattern(cycle, policy, first_day)


def fields_from(values: Mapping[str, str]) -> dict[str, str]:
    """What was typed, cut to a length that can be shown again."""
    return {name: value[:LONGEST_VALUE] for name, value in values.items() if name != "csrf_token"}


def today_fields(today: date) -> dict[str, str]:
    """A new pattern's form, from this month on."""
    return {**fields_of(USUAL), "first_day": today.replace(day=1).isoformat()}
