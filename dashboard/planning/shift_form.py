"""One shift as fields of a pattern's form, and back. Shifts are lettered A, B, C."""

from collections.abc import Mapping

from flask_babel import gettext as _

from dashboard.days.clock import DAY_MIN
from dashboard.days.policy import LONGEST_CYCLE
from dashboard.days.shifts import LATEST_END_MIN, Shift
from dashboard.planning.pattern_choices import KINDS
from dashboard.web.forms import Form

YES = "yes"
BLANK = {"kind": "fixed", "break": "60", "after": YES}
"""What a shift that isn't given yet is offered with."""


def _letters(index: int) -> str:
    """A to Z, then AA, AB and so on."""
    return chr(ord("A") + index) if index < 26 else f"{_letters(index // 26 - 1)}{_letters(index % 26)}"


LETTERS = tuple(_letters(index) for index in range(LONGEST_CYCLE))
"""As many as a cycle may have days."""


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def fields_of(shift: Shift, index: int) -> dict[str, str]:
    fields = {
        "start": clock(shift.start_min),
        "end": clock(shift.end_min),
        "next_day": YES if shift.end_min >= DAY_MIN else "",
        "kind": shift.kind,
        "required": "" if shift.required_min is None else str(shift.required_min),
        "break": str(shift.break_min),
        "before": YES if shift.count_before else "",
        "after": YES if shift.count_after else "",
        "core_start": "" if shift.core_start_min is None else clock(shift.core_start_min),
        "core_end": "" if shift.core_end_min is None else clock(shift.core_end_min),
    }
    return {f"shift_{index}_{name}": value for name, value in fields.items()}


def is_given(values: Mapping[str, str], index: int) -> bool:
    return any(values.get(f"shift_{index}_{name}", "").strip() for name in ("start", "end"))


def shown(values: Mapping[str, str]) -> int:
    """How many shifts a form shows: those that were given, and one more."""
    last = max((index for index in range(LONGEST_CYCLE) if is_given(values, index)), default=-1)
    return min(LONGEST_CYCLE, last + 2)


def with_blank(values: Mapping[str, str]) -> dict[str, str]:
    """`values`, with what a shift that the form didn't have yet is offered with."""
    fresh = [index for index in range(shown(values)) if f"shift_{index}_kind" not in values]
    return {**{f"shift_{index}_{name}": value for index in fresh for name, value in BLANK.items()}, **values}


def read_shift(form: Form, index: int) -> Shift | None:
    """None where `form.problems` says what is wrong with it."""
    key, letter, before = f"shift_{index}_", LETTERS[index], set(form.problems)
    kind = form.choice(key + "kind", _("Shift %(letter)s, kind", letter=letter), KINDS)
    times = _read_times(form, key, letter)
    if times is None:
        return None
    start, end = times
    required = form.number(key + "required", _("Shift %(letter)s, minutes to work", letter=letter), 1, end - start)
    break_min = form.number(key + "break", _("Shift %(letter)s, break", letter=letter), 0, end - start - 1, 0)
    core = _read_core(form, key, letter, start, end)
    if kind == "flexible" and required is None:
        words = _("Shift %(letter)s, minutes to work: is missing; a flexible shift needs them", letter=letter)
        form.problems.setdefault(key + "required", words)
    if kind == "fixed" and core is not None:
        words = _("Shift %(letter)s, core time: only a flexible shift has it", letter=letter)
        form.problems.setdefault(key + "core_start", words)
    if set(form.problems) - before:
        return None
    return Shift(
        start,
        end,
        "flexible" if kind == "flexible" else "fixed",
        required,
        break_min or 0,
        count_before=form.values.get(key + "before") == YES,
        count_after=form.values.get(key + "after") == YES,
        core_start_min=core[0] if core else None,
        core_end_min=core[1] if core else None,
    )


def _read_times(form: Form, key: str, letter: str) -> tuple[int, int] | None:
    start = form.minute(key + "start", _("Shift %(letter)s, start", letter=letter))
    end = form.minute(key + "end", _("Shift %(letter)s, end", letter=letter))
    if start is None:
        form.problems.setdefault(key + "start", _("Shift %(letter)s, start: is missing", letter=letter))
    if end is None:
        form.problems.setdefault(key + "end", _("Shift %(letter)s, end: is missing", letter=letter))
    if start is None or end is None:
        return None
    if form.values.get(key + "next_day") == YES:
        end += DAY_MIN
    values = {"letter": letter, "start": clock(start), "end": clock(end)}
    if end <= start:
        form.problems[key + "end"] = _(
            "Shift %(letter)s ends at %(end)s, not after its start at %(start)s: tick “on the next day” where it ends then",
            **values,
        )
    elif end - start > DAY_MIN:
        form.problems[key + "end"] = _(
            "Shift %(letter)s is longer than 24 hours, from %(start)s to %(end)s of the next day", **values
        )
    elif end > LATEST_END_MIN:
        form.problems[key + "end"] = _(
            "Shift %(letter)s ends at %(end)s of the next day: 18:00 is the latest", **values
        )
    return None if key + "end" in form.problems else (start, end)


def _read_core(form: Form, key: str, letter: str, start: int, end: int) -> tuple[int, int] | None:
    """Times before the shift's start are of the next day."""
    first = form.minute(key + "core_start", _("Shift %(letter)s, start of core time", letter=letter))
    last = form.minute(key + "core_end", _("Shift %(letter)s, end of core time", letter=letter))
    if first is None and last is None:
        return None
    if first is None or last is None:
        words = _("Shift %(letter)s, core time: give both its start and its end, or neither", letter=letter)
        form.problems.setdefault(key + "core_start", words)
        return None
    first += DAY_MIN if first < start else 0
    while last <= first:
        last += DAY_MIN
    if last > end:
        form.problems[key + "core_start"] = _(
            "Shift %(letter)s, core time: must lie within the shift, from %(start)s to %(end)s",
            letter=letter,
            start=clock(start),
            end=clock(end),
        )
    return first, last
