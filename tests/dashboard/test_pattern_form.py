"""A pattern's form: what it was given it gives back, whatever the pattern; what can't be is refused by field."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboard.days.breaks import MOST_RUNGS, AutomaticBreak, Breaks
from dashboard.days.overtime import INDONESIA_5_DAYS, INDONESIA_6_DAYS, MOST_BANDS, Band, Overtime
from dashboard.days.policy import LONGEST_CYCLE, AutoOut, Pattern, Policy
from dashboard.days.rounding import Rounding
from dashboard.days.shifts import LATEST_END_MIN, Shift
from dashboard.months.asked_days import FIRST_DAY, LAST_DAY
from dashboard.planning import cycle_form, pattern_form, shift_form
from dashboard.planning.pattern_choices import ROTAS
from dashboard.planning.pattern_words import parts, summary
from dashboard.web.forms import Form
from tests.dashboard.days.sheet import NIGHT, OFFICE, shift

WAYS = st.sampled_from(["nearest", "up", "down"])
FRESH = pattern_form.today_fields(date(2026, 11, 23))


@st.composite
def shifts(draw: Any) -> Shift:
    start = draw(st.integers(0, 1_439))
    end = draw(st.integers(start + 1, min(start + 1_440, LATEST_END_MIN)))
    more: dict[str, Any] = {"count_before": draw(st.booleans()), "count_after": draw(st.booleans())}
    more["break_min"] = draw(st.integers(0, end - start - 1))
    required = draw(st.integers(1, end - start))
    if draw(st.booleans()):
        return Shift(start, end, "fixed", draw(st.sampled_from([None, required])), **more)
    if draw(st.booleans()):
        more["core_start_min"] = draw(st.integers(start, end - 1))
        more["core_end_min"] = draw(st.integers(more["core_start_min"] + 1, end))
    return Shift(start, end, "flexible", required, **more)


def rising(low: int, high: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), max_size=most, unique=True).map(sorted)


@st.composite
def breaks(draw: Any) -> Breaks:
    afters, lengths = draw(rising(0, 1_440, MOST_RUNGS)), draw(rising(1, 480, MOST_RUNGS))
    rungs = tuple(AutomaticBreak(after, length) for after, length in zip(afters, lengths, strict=False))
    return Breaks(rungs, draw(st.integers(0, 1_440)), draw(st.integers(0, 1_440)))


@st.composite
def bands(draw: Any) -> tuple[Band, ...]:
    limits = [*draw(rising(1, 1_440, MOST_BANDS - 1)), None]
    return tuple(Band(limit, draw(st.integers(0, 1_000))) for limit in limits)


overtimes = st.one_of(
    st.sampled_from([Overtime(), INDONESIA_5_DAYS, INDONESIA_6_DAYS]),
    st.builds(
        Overtime,
        bands(),
        bands(),
        bands(),
        st.integers(0, 1_440),
        st.integers(1, 240),
        st.none() | st.integers(0, 1_440),
    ),
)


@st.composite
def policies(draw: Any) -> Policy:
    minimum = draw(st.integers(0, 1_440))
    return Policy(
        draw(st.sampled_from(["kiosk", "alternate", "first_last"])),
        draw(st.integers(0, 3_600)),
        draw(st.integers(0, 240)),
        draw(st.integers(0, 240)),
        Rounding(draw(st.sampled_from([unit for unit in range(1, 61) if 60 % unit == 0])), draw(WAYS), draw(WAYS)),
        draw(breaks()),
        draw(overtimes),
        minimum,
        draw(st.none() | st.integers(minimum, 1_440)),
        AutoOut(draw(st.sampled_from(["never", "shift_end", "limit"])), draw(st.integers(1, 1_440))),
        draw(st.integers(0, 720)),
        draw(st.integers(0, 720)),
        draw(st.integers(0, 720)),
    )


@st.composite
def patterns(draw: Any) -> Pattern:
    """Days that don't fit beside each other become rest days."""
    known = [None, *draw(st.lists(shifts(), max_size=5))]
    cycle: list[Shift | None] = draw(st.lists(st.sampled_from(known), min_size=1, max_size=LONGEST_CYCLE))
    for day, one in enumerate(cycle):
        following = cycle[(day + 1) % len(cycle)]
        if one and following and one.end_min > following.start_min + 1_440:
            cycle[day] = None
    return Pattern(tuple(cycle), draw(policies()), draw(st.dates(FIRST_DAY, LAST_DAY)))


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(patterns())
def test_the_form_gives_back_every_pattern(pattern: Pattern) -> None:
    form = Form(pattern_form.fields_of(pattern))
    assert pattern_form.read_pattern(form) == pattern, form.problems
    assert summary(pattern)
    assert all(parts(pattern.policy).values())


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"shift_0_start": "20:00"}, "shift_0_end", "not after its start at 20:00"),
        ({"shift_0_end": "08:00"}, "shift_0_end", "not after its start"),
        ({"shift_0_end": "09:00", "shift_0_next_day": "yes"}, "shift_0_end", "longer than 24 hours"),
        ({"shift_0_start": "19:00", "shift_0_end": "18:30", "shift_0_next_day": "yes"}, "shift_0_end", "18:00 is the latest"),
        ({"shift_0_start": "25:00"}, "shift_0_start", "write a time as 08:30"),
        ({"shift_0_start": "NaN"}, "shift_0_start", "“NaN”"),
        ({"shift_0_start": ""}, "shift_0_start", "start: is missing"),
        ({"shift_0_start": "", "shift_0_end": ""}, "shift_0_start", "give its start and its end"),
        ({"shift_0_kind": "round"}, "shift_0_kind", "choose one of fixed, flexible"),
        ({"shift_0_kind": "flexible"}, "shift_0_required", "is missing"),
        ({"shift_0_required": "541"}, "shift_0_required", "from 1 to 540"),
        ({"shift_0_break": "540"}, "shift_0_break", "from 0 to 539"),
        ({"shift_0_core_start": "10:00"}, "shift_0_core_start", "both its start and its end"),
        ({"shift_0_core_start": "10:00", "shift_0_core_end": "15:00"}, "shift_0_core_start", "only a flexible"),
        (
            {"shift_0_kind": "flexible", "shift_0_required": "400", "shift_0_core_start": "10:00", "shift_0_core_end": "18:00"},
            "shift_0_core_start",
            "within the shift, from 08:00 to 17:00",
        ),
        ({"shift_1_kind": "fixed", "shift_1_start": "06:00", "shift_1_end": "14:00"}, "shift_1_start", "no day has it"),
        ({"cycle_days": "0"}, "cycle_days", "from 1 to 56"),
        ({"cycle_days": "400"}, "cycle_days", "from 1 to 56"),
        ({"cycle_days": ""}, "cycle_days", "is missing"),
        ({"cycle_days": "8"}, "cycle_days", "choose the shifts of the new days"),
        ({"cycle_start": "tomorrow"}, "cycle_start", "write a date as"),
        ({"day_0": "ZZ"}, "day_0", "choose one of"),
        ({"day_5": "C"}, "shift_2_start", "Shift C: give its start"),
        (
            {"shift_1_kind": "fixed", "shift_1_start": "22:00", "shift_1_end": "09:00", "shift_1_next_day": "yes", "day_0": "B"},
            "day_0",
            "ends at 09:00 of the next day, after that day’s starts at 08:00",
        ),
        ({"grace_in": "-1"}, "grace_in", "from 0 to 240"),
        ({"grace_in": "٣"}, "grace_in", "a whole number"),
        ({"grace_out": "NaN"}, "grace_out", "“NaN”: a whole number"),
        ({"cooldown": "1e3"}, "cooldown", "a whole number from 0 to 3600"),
        ({"unit": "7"}, "unit", "choose one of 1, 2, 3"),
        ({"arrivals": "sideways"}, "arrivals", "choose one of"),
        ({"rung_0_break": ""}, "rung_0_break", "or neither"),
        ({"rung_1_after": "240", "rung_1_break": "90"}, "rung_1_after", "due later than the one before"),
        ({"rung_1_after": "300", "rung_1_break": "30"}, "rung_1_break", "and be longer"),
        ({"minimum": "500", "maximum": "400"}, "maximum", "less than the least, 500"),
        ({"auto_limit": "0"}, "auto_limit", "from 1 to 1440"),
        ({"turns_at": "12:01"}, "turns_at", "from 00:00 to 12:00"),
        ({"turns_at": ""}, "turns_at", "is missing"),
        ({"overtime": "own", "work_0_percent": ""}, "work_0_percent", "give at least one band"),
        ({"overtime": "own", "rest_0_up_to": "60"}, "rest_0_up_to", "the last has no limit"),
        ({"overtime": "own", "work_1_percent": "200"}, "work_0_up_to", "every band but the last"),
        ({"overtime": "own", "work_0_percent": "5000"}, "work_0_percent", "from 0 to 1000"),
        (
            {"overtime": "own", "work_0_up_to": "60", "work_1_up_to": "60", "work_1_percent": "200", "work_2_percent": "300"},
            "work_1_up_to",
            "above that of the band before",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_by_field(changes: dict[str, str], field: str, said: str) -> None:
    form = Form({**FRESH, **changes})
    assert pattern_form.read_pattern(form) is None
    assert said in form.problems.get(field, ""), form.problems


def test_junk_is_refused_with_words_and_nothing_breaks() -> None:
    for junk in ("", "x" * 10_000, "NaN", "-1", "\x00", "🕗", "99999999999999999999", "<script>"):
        form = Form(dict.fromkeys(FRESH, junk))
        assert pattern_form.read_pattern(form) is None
        assert all(len(words) < 400 for words in form.problems.values())
        assert cycle_form.shown(form.values) == 7
        assert len(cycle_form.next_dates(form.values, date(2026, 11, 23))) == 7


def test_days_of_a_cycle_are_named_by_when_they_come_next() -> None:
    values = {"cycle_days": "4", "cycle_start": "2026-11-22"}
    assert [day.day for day in cycle_form.next_dates(values, date(2026, 11, 23))] == [26, 23, 24, 25]
    assert cycle_form.next_dates({**values, "cycle_start": "2026-12-31"}, date(2026, 11, 23))[0] == date(2026, 11, 25)


@pytest.mark.parametrize("rota", ROTAS)
def test_rotas_fill_in_cycles_that_can_be(rota: str) -> None:
    given = {f"shift_{number}_{name}": value for number in (1, 2) for name, value in {
        "kind": "fixed", "start": f"{7 + number:02}:00", "end": f"{15 + number:02}:00"}.items()}  # fmt: skip
    filled = cycle_form.fill_in({**FRESH, **given, "cycle_start": "2026-11-26"}, rota)
    used = {letter for letter in ROTAS[rota][1] if letter != "-"}
    kept = {name: value for name, value in filled.items() if not name.startswith(("shift_1", "shift_2"))}
    kept |= {name: value for name, value in given.items() if shift_form.LETTERS[int(name[6])] in used}
    pattern = pattern_form.read_pattern(Form(kept))
    assert pattern is not None
    assert len(pattern.cycle) == len(ROTAS[rota][1])
    assert pattern.first_day == date(2026, 11, 23 if len(pattern.cycle) % 7 == 0 else 26)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (Pattern((OFFICE,) * 5 + (shift("08:00-13:00"), None)), "Mon–Fri 08:00–17:00, Sat 08:00–13:00"),
        (Pattern((OFFICE,) * 5 + (None, None), first_day=date(2024, 1, 3)), "Wed–Sun 08:00–17:00"),
        (Pattern((OFFICE,)), "Every day 08:00–17:00"),
        (Pattern((NIGHT,) * 4 + (None,) * 4), "8 days: 1–4 22:00–06:00+1"),
        (Pattern((Shift(420, 1_140, "flexible", 450),) + (None,) * 6), "Mon 07:00–19:00 (7:30 flexible)"),
        (Pattern((None,) * 7), "Rest days only"),
        (Pattern((OFFICE, None) * 6), "12 days: 1 08:00–17:00, 3 08:00–17:00, 5 08:00–17:00, 7 08:00–17:00, 9 08:00–17:00 …"),
    ],
)  # fmt: skip
def test_a_pattern_in_a_line(pattern: Pattern, said: str) -> None:
    assert summary(pattern) == said
