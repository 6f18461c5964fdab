"""Example days beside a pattern's form: what they say, by hand, and that any pattern has some."""

from datetime import date

from hypothesis import given
from hypothesis import settings as hypothesis_settings

from dashboard.days.breaks import AutomaticBreak, Breaks
from dashboard.days.overtime import INDONESIA_5_DAYS
from dashboard.days.policy import AutoOut, Pattern, Policy, weekly
from dashboard.days.shifts import Shift
from dashboard.planning.pattern_examples import Example, examples
from tests.dashboard.days.sheet import BERLIN, JAKARTA, MONDAY, NIGHT, OFFICE, figures
from tests.dashboard.test_pattern_form import patterns

HOUR_AFTER_4 = Breaks((AutomaticBreak(240, 60),))


def by_words(pattern: Pattern, from_day: date = MONDAY) -> dict[str, Example]:
    return {one.words: one for one in examples(pattern, from_day, JAKARTA)}


def test_an_office_week() -> None:
    policy = Policy(grace_in_min=10, grace_out_min=5, breaks=HOUR_AFTER_4, overtime=INDONESIA_5_DAYS)
    found = by_words(weekly(OFFICE, policy=policy), date(2026, 11, 28))
    assert found["On time"].day.day == date(2026, 11, 30), "the first Monday on or after that Saturday"
    full = {"required": 480, "worked": 480, "regular": 480, "attended": 540, "break_automatic": 60}
    assert figures(found["On time"].day) == full
    assert figures(found["10 minutes late, within the grace"].day) == full
    late, early = found["15 minutes late"].day, found["Leaves 35 minutes early"].day
    assert (late.minutes.late, late.minutes.missing, early.minutes.early) == (15, 15, 35)
    assert figures(found["Stays 2 hours longer"].day)["overtime"] == {150: 60, 200: 60}
    assert "missing_out" in found["Forgets to punch out"].day.statuses
    assert figures(found["A holiday"].day) == {"required": 480, "holiday": 480}
    assert figures(found["Worked on a holiday"].day)["overtime"] == {200: 480}
    assert (found["Worked on a rest day"].shift, found["Worked on a rest day"].day.day.weekday()) == ("", 5)
    assert found["Out for 45 minutes"].day.minutes.break_punched == 45


def test_nights_and_flexible_shifts() -> None:
    found = by_words(weekly(NIGHT, policy=Policy(auto_out=AutoOut("shift_end"))))
    assert figures(found["On time"].day)["worked"] == 480
    assert "auto_out" in found["Forgets to punch out"].day.statuses
    flexible = Shift(420, 1_140, "flexible", 480, core_start_min=600, core_end_min=900)
    found = by_words(weekly(flexible, policy=Policy(breaks=HOUR_AFTER_4)))
    assert figures(found["On time"].day) == {
        "required": 480,
        "worked": 480,
        "regular": 480,
        "attended": 540,
        "break_automatic": 60,
    }
    assert (found["5 minutes late"].day.minutes.late, found["Leaves 30 minutes early"].day.minutes.early) == (5, 30)


def test_each_shift_has_a_day_and_ones_own_example_goes_first() -> None:
    pattern = Pattern((OFFICE, NIGHT, None, None))
    found = examples(pattern, MONDAY, BERLIN, (540, 1_500))
    assert [one.shift for one in found] == ["A"] * (len(found) - 2) + ["B", ""]
    assert (found[0].words, found[0].day.minutes.attended) == ("Your own example", 960)
    assert pattern.shift_on(found[-2].day.day) == NIGHT


@hypothesis_settings(max_examples=40, deadline=None)
@given(patterns())
def test_every_pattern_has_examples(pattern: Pattern) -> None:
    for one in examples(pattern, MONDAY, BERLIN):
        minutes = one.day.minutes
        assert minutes.worked == minutes.regular + minutes.overtime_total + minutes.uncounted
