"""Days worked out by hand. Unless a case says otherwise: Monday in Jakarta, 08:00–17:00 with an hour's break = 480 min."""

from dataclasses import replace
from typing import Any

import pytest

from dashboard.days.breaks import AutomaticBreak, Breaks
from dashboard.days.calendar import Plan
from dashboard.days.days_off import Holiday, Leave
from dashboard.days.overtime import INDONESIA_5_DAYS, INDONESIA_6_DAYS, PLAIN, Band, Overtime
from dashboard.days.policy import AutoOut
from dashboard.days.rounding import in_favour_of
from dashboard.days.shifts import Shift
from tests.dashboard.days.sheet import NIGHT, OFFICE, codes, figures, one_day, plan, roles, shift

HOUR_AFTER_4 = Breaks((AutomaticBreak(240, 60),))
FULL = {"required": 480, "worked": 480, "regular": 480}
WHOLE_DAY = {**FULL, "attended": 540, "break_automatic": 60}


def office(**rules: Any) -> Plan:
    """The usual day, where whoever is there for more than 4 h has an hour's break deducted."""
    return plan(breaks=HOUR_AFTER_4, **rules)


FLEXIBLE = Shift(7 * 60, 19 * 60, "flexible", required_min=480, count_after=False)
CORE = replace(FLEXIBLE, core_start_min=10 * 60, core_end_min=15 * 60)
OFF = Leave("annual"), Leave("annual", half="first"), Leave("annual", half="second")
FEAST, HALF_FEAST = Holiday("Feast"), Holiday("Eve", half="second")

ORDINARY = [
    # 08:00–17:00 = 540, less 60
    ("to the minute", office(), "in 08:00, out 17:00", "present", WHOLE_DAY),
    # 07:48 counts from 08:00: 12 outside; 17:00–17:20 is worked beyond 480: 20 at 100 %
    ("a little over", office(), "in 07:48, out 17:20", "present",
     {"required": 480, "worked": 500, "regular": 480, "overtime": {100: 20},
      "attended": 560, "break_automatic": 60, "outside": 12}),
    # seconds are cut off: 08:00:59 isn't late
    ("seconds", office(), "in 08:00:59, out 17:00:59", "present", WHOLE_DAY),
    # 08:05 with 5 of grace: counts as 08:00
    ("late within grace", office(grace_in_min=5), "in 08:05, out 17:00", "present", WHOLE_DAY),
    # 08:06: all 6 are late; 08:06–17:00 = 534 − 60 = 474, 6 missing
    ("late beyond grace", office(grace_in_min=5), "in 08:06, out 17:00", "present late",
     {"required": 480, "worked": 474, "regular": 474, "attended": 534, "break_automatic": 60, "late": 6, "missing": 6}),
    ("left within grace", office(grace_out_min=10), "in 08:00, out 16:50", "present", WHOLE_DAY),
    # 16:49 is 11 before the end: 529 − 60 = 469
    ("left before grace", office(grace_out_min=10), "in 08:00, out 16:49", "present early_leave",
     {"required": 480, "worked": 469, "regular": 469,
      "attended": 529, "break_automatic": 60, "early": 11, "missing": 11}),
    ("nobody came", plan(), "", "absent", {"required": 480, "missing": 480}),
    # employer's favour: 08:07 up to 08:15, 17:10 down to 17:00 = 525 − 60; late by the punched 7
    ("rounded for the employer", office(rounding=in_favour_of("employer", 15)), "in 08:07, out 17:10", "present late",
     {"required": 480, "worked": 465, "regular": 465,
      "attended": 525, "break_automatic": 60, "late": 7, "missing": 15}),
    # employee's favour: 08:07 down to 08:00, 17:10 up to 17:15 = 555 − 60 = 495
    ("rounded for the employee", office(rounding=in_favour_of("employee", 15)), "in 08:07, out 17:10", "present late",
     {"required": 480, "worked": 495, "regular": 480, "overtime": {100: 15},
      "attended": 555, "break_automatic": 60, "late": 7}),
    # 08:00–22:00 = 840 − 60 = 780; 180 beyond the maximum of 600
    ("maximum", office(maximum_min=600), "in 08:00, out 22:00", "present",
     {"required": 480, "worked": 600, "regular": 480, "overtime": {100: 120},
      "attended": 840, "break_automatic": 60, "over_maximum": 180}),
    # two hours are under the minimum of four
    ("too short", plan(minimum_min=240), "in 08:00, out 10:00", "present early_leave too_short",
     {"required": 480, "worked": 120, "regular": 120, "attended": 120, "early": 420, "missing": 360}),
    # nobody said which shifts: 9 hours of ordinary time, nothing required
    ("no pattern", plan(None, has_pattern=False), "in 08:00, out 17:00", "unplanned present",
     {"worked": 540, "regular": 540, "attended": 540}),
    # flexible 07–19, 8 h: 09:30–17:30 is all that is asked, and nobody is late
    ("flexible", plan(FLEXIBLE), "in 09:30, out 17:30", "present", {**FULL, "attended": 480}),
    # 06:30–15:30: the half hour before 07:00 is outside the window; 510 − 480 = 30 beyond
    ("flexible, too early", plan(FLEXIBLE), "in 06:30, out 15:30", "present",
     {"required": 480, "worked": 510, "regular": 480, "overtime": {100: 30}, "attended": 510, "outside": 30}),
    # core time 10–15, nobody is late at 09:30, or early at 17:30
    ("core time kept", plan(CORE), "in 09:30, out 17:30", "present", {**FULL, "attended": 480}),
    # 10 of grace: at 10:10 nobody is late, and it counts as 10:10, since nobody has to start at 10
    ("core time within grace", plan(CORE, grace_in_min=10), "in 10:10, out 18:10", "present", {**FULL, "attended": 480}),
    # 10:20 is 20 after core time began, 14:30 half an hour before it ended: 250 worked, 230 missing
    ("core time missed", plan(CORE, grace_in_min=10), "in 10:20, out 14:30", "present late early_leave",
     {"required": 480, "worked": 250, "regular": 250, "attended": 250, "late": 20, "early": 30, "missing": 230}),
    # a morning off: 240 are left to do, and core time isn't asked
    ("core time on half a day", plan(CORE, leaves=OFF[1:2]), "in 13:00, out 17:00", "on_leave present",
     {"required": 480, "worked": 240, "regular": 240, "attended": 240, "leave": 240}),
]  # fmt: skip
BREAKS = [
    # out 12:00–12:45: 495 there; 45 of the 60 were taken, 15 more are deducted
    ("punched and automatic", office(), "in 08:00, out 12:00, in 12:45, out 17:00", "present",
     {**FULL, "attended": 495, "break_punched": 45, "break_automatic": 15}),
    # a longer break than due: 90 punched, nothing more deducted; 450 worked
    ("longer than due", office(), "in 08:00, out 12:00, in 13:30, out 17:00", "present",
     {"required": 480, "worked": 450, "regular": 450, "attended": 450, "break_punched": 90, "missing": 30}),
    # 20 of the 30 punched minutes are paid: 510 + 20 = 530; 480 regular, 50 beyond
    ("partly paid", plan(breaks=Breaks(paid_min=20)), "in 08:00, out 12:00, in 12:30, out 17:00", "present",
     {"required": 480, "worked": 530, "regular": 480, "overtime": {100: 50},
      "attended": 510, "break_punched": 30, "break_paid": 20}),
    # three hours away is no break: 360 worked, nothing paid of it
    ("too long for a break", plan(breaks=Breaks(paid_min=20)), "in 08:00, out 11:00, in 14:00, out 17:00", "present",
     {"required": 480, "worked": 360, "regular": 360, "attended": 360, "missing": 120}),
    # 08:00–12:10 = 250: a break of 60 after 240 takes only the 10 above
    ("just above the limit", office(), "in 08:00, out 12:10", "present early_leave",
     {"required": 480, "worked": 240, "regular": 240,
      "attended": 250, "break_automatic": 10, "early": 290, "missing": 240}),
    # Germany: 30 after 6 h, 45 after 9 h, not both; 08:00–17:45 = 585 − 45 = 540
    ("the longest, not the sum", plan(breaks=Breaks((AutomaticBreak(360, 30), AutomaticBreak(540, 45)))),
     "in 08:00, out 17:45", "present",
     {"required": 480, "worked": 540, "regular": 480, "overtime": {100: 60}, "attended": 585, "break_automatic": 45}),
]  # fmt: skip
NIGHTS = [
    ("overnight", plan(NIGHT), "in 21:55, out 06:00+1", "present", {**FULL, "attended": 480, "outside": 5}),
    # 22:10 is late; leaves at 05:30: 440
    ("overnight, late and early", plan(NIGHT), "in 22:10, out 05:30+1", "present late early_leave",
     {"required": 480, "worked": 440, "regular": 440, "attended": 440, "late": 10, "early": 30, "missing": 40}),
    # two hours longer, to 08:00 of the next day
    ("overnight, overtime", plan(NIGHT), "in 22:00, out 08:00+1", "present",
     {"required": 480, "worked": 600, "regular": 480, "overtime": {100: 120}, "attended": 600}),
    # an ordinary day that ends after midnight: 08:00–00:30 = 990 − 60
    ("late into the night", office(), "in 08:00, out 00:30+1", "present",
     {"required": 480, "worked": 930, "regular": 480, "overtime": {100: 450}, "attended": 990, "break_automatic": 60}),
]  # fmt: skip
FORGOTTEN = [
    ("missing out", plan(), "in 08:00", "present missing_out", {"required": 480, "missing": 480}),
    ("missing in", plan(), "out 17:00", "present missing_in", {"required": 480, "missing": 480}),
    # closed at the shift's end: 540 − 60
    ("closed at the shift's end", office(auto_out=AutoOut("shift_end")), "in 08:00", "present missing_out auto_out",
     WHOLE_DAY),
    # closed 10 h after the last in
    ("closed at a limit", office(auto_out=AutoOut("limit", 600)), "in 08:00", "present missing_out auto_out",
     {"required": 480, "worked": 540, "regular": 480, "overtime": {100: 60}, "attended": 600, "break_automatic": 60}),
    # came after the shift's end: there is nothing to close at
    ("came after the end", plan(auto_out=AutoOut("shift_end")), "in 18:00", "present late missing_out",
     {"required": 480, "late": 600, "missing": 480}),
]  # fmt: skip
DAYS_OFF = [
    # rest day, five-day week: 10 h = 8 h ×2, the 9th ×3, the 10th ×4
    ("rest day", plan(None, overtime=INDONESIA_5_DAYS), "in 08:00, out 18:00", "rest_day present",
     {"worked": 600, "overtime": {200: 480, 300: 60, 400: 60}, "attended": 600}),
    # six-day week: 7 h ×2, the 8th ×3, 2 h ×4
    ("rest day of a six-day week", plan(None, overtime=INDONESIA_6_DAYS), "in 08:00, out 18:00", "rest_day present",
     {"worked": 600, "overtime": {200: 420, 300: 60, 400: 120}, "attended": 600}),
    # workday: 150 beyond = 1 h ×1.5, 90 min ×2
    ("overtime of a workday", office(overtime=INDONESIA_5_DAYS), "in 08:00, out 19:30", "present",
     {"required": 480, "worked": 630, "regular": 480, "overtime": {150: 60, 200: 90},
      "attended": 690, "break_automatic": 60}),
    # 44 beyond, in whole half hours: 30 count, 14 don't
    ("overtime in half hours", plan(overtime=Overtime(work=(Band(None, 150),), least_min=30, unit_min=30)),
     "in 08:00, out 16:44", "present early_leave",
     {"required": 480, "worked": 524, "regular": 480, "overtime": {150: 30}, "uncounted": 14,
      "attended": 524, "early": 16}),
    ("holiday", plan(holidays=(FEAST,)), "", "holiday", {"required": 480, "holiday": 480}),
    # worked 3 h on a holiday: all of it by the holiday's bands
    ("work on a holiday", plan(holidays=(FEAST,), overtime=INDONESIA_5_DAYS), "in 09:00, out 12:00", "holiday present",
     {"required": 480, "holiday": 480, "worked": 180, "overtime": {200: 180}, "attended": 180}),
    ("holiday on a rest day", plan(None, holidays=(FEAST,)), "", "holiday rest_day", {}),
    # free from 12:30 (the middle): 08:00–12:30 = 270; 240 are required, 30 are overtime of a holiday
    ("half a holiday", plan(holidays=(HALF_FEAST,), overtime=INDONESIA_5_DAYS),
     "in 08:00, out 12:30", "holiday present",
     {"required": 480, "holiday": 240, "worked": 270, "regular": 240, "overtime": {200: 30}, "attended": 270}),
    ("leave", plan(leaves=OFF[:1]), "", "on_leave", {"required": 480, "leave": 480}),
    # morning off: due at 12:30; 12:30–17:00 = 270, so that only 210 of the leave are left
    ("morning off", plan(leaves=OFF[1:2]), "in 12:30, out 17:00", "on_leave present",
     {"required": 480, "leave": 210, "worked": 270, "regular": 270, "attended": 270}),
    # with the hour's break after 4 h: 30 of 270 are deducted, 240 worked, 240 leave
    ("morning off, with a break", plan(leaves=OFF[1:2], breaks=Breaks((AutomaticBreak(240, 30),))),
     "in 12:30, out 17:00", "on_leave present",
     {"required": 480, "leave": 240, "worked": 240, "regular": 240, "attended": 270, "break_automatic": 30}),
    # due at 12:30, came at 13:00: late 30; 240 worked
    ("morning off, and late", plan(leaves=OFF[1:2]), "in 13:00, out 17:00", "on_leave present late",
     {"required": 480, "leave": 240, "worked": 240, "regular": 240, "attended": 240, "late": 30}),
    # afternoon off, nobody came: half is missing
    ("afternoon off, absent", plan(leaves=OFF[2:]), "", "on_leave absent",
     {"required": 480, "leave": 240, "missing": 240}),
    ("leave on a holiday", plan(leaves=OFF[:1], holidays=(FEAST,)), "", "holiday", {"required": 480, "holiday": 480}),
    # two hours on a day of leave: 120 regular, 360 of the leave used
    ("work on leave", plan(leaves=OFF[:1]), "in 09:00, out 11:00", "on_leave present",
     {"required": 480, "leave": 360, "worked": 120, "regular": 120, "attended": 120}),
]  # fmt: skip
CASES = [*ORDINARY, *BREAKS, *NIGHTS, *FORGOTTEN, *DAYS_OFF]


@pytest.mark.parametrize(("of", "words", "statuses", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_day(of: Plan, words: str, statuses: str, expected: dict[str, Any]) -> None:
    day = one_day(of, words)
    assert figures(day) == expected
    assert " ".join(day.statuses) == statuses


READINGS = [
    # the second in within a minute repeats the first
    ("kiosk", "in 08:00, in 08:00:40, out 17:00", "p1 in, p2 collapsed, p3 out", 540),
    # the other direction never repeats: through the door and out again
    ("kiosk", "in 08:00, out 08:00:40, in 08:10, out 17:00", "p1 in, p2 out, p3 in, p4 out", 530),
    # 61 s later it is said again, not repeated: still in
    ("kiosk", "in 08:00, in 08:01:01, out 17:00", "p1 in, p2 already_in, p3 out", 540),
    # out at 16:00, and out again at 17:00 without an in between: nobody knows, so 16:00 holds
    ("kiosk", "in 08:00, out 16:00, out 17:00", "p1 in, p2 out, p3 already_out", 480),
    # in turn, whatever was recorded
    ("alternate", "in 08:00, in 12:00, in 13:00, in 17:00", "p1 in, p2 out, p3 in, p4 out", 480),
    ("alternate", "in 08:00, out 08:00:40, in 17:00", "p1 in, p2 collapsed, p3 out", 540),
    # many punches: first in, last out, the rest passed over
    ("first_last", "out 08:00, in 09:10, out 11:00, in 17:00", "p1 in, p2 between, p3 between, p4 out", 540),
    ("first_last", "in 08:00", "p1 in", 0),
]  # fmt: skip


@pytest.mark.parametrize(("reading", "words", "expected", "attended"), READINGS)
def test_how_in_and_out_are_understood(reading: str, words: str, expected: str, attended: int) -> None:
    day = one_day(plan(reading=reading), words)
    assert (roles(day), day.minutes.attended) == (expected, attended)


def test_a_repetition_names_what_it_repeats() -> None:
    assert one_day(plan(), "in 08:00, in 08:00:40, in 08:01:20").punches[1].repeats == "p1"


NOTES = [
    (plan(), "in 08:00?, out 17:00", ["time_uncertain"]),
    (plan(), "in 07:00, out 17:00", ["early_in"]),
    (plan(), "in 08:00, in 09:00, out 17:00", ["already_in"]),
    (plan(), "out 17:00", ["no_in"]),
    (plan(minimum_min=240), "in 08:00, out 10:00", ["below_minimum"]),
    (plan(maximum_min=500), "in 08:00, out 17:00", ["over_maximum"]),
    (plan(overtime=INDONESIA_5_DAYS), "in 08:00, out 21:00", ["overtime_over_limit"]),
    (plan(leaves=OFF[:1], holidays=(FEAST,)), "", ["leave_on_holiday"]),
    (plan(None, leaves=OFF[:1]), "", ["leave_on_rest_day"]),
    (plan(leaves=OFF[:1]), "in 09:00, out 11:00", ["worked_on_leave"]),
    (plan(None, has_pattern=False), "", ["no_pattern"]),
]


@pytest.mark.parametrize(("of", "words", "expected"), NOTES, ids=[note[2][0] for note in NOTES])
def test_what_hr_is_told(of: Plan, words: str, expected: list[str]) -> None:
    assert codes(one_day(of, words)) == expected


def test_rules_say_whom_they_favour() -> None:
    assert plan().policy.rounding.favours == ("neither", "neither")
    assert in_favour_of("employee", 15).favours == ("employee", "employee")
    assert in_favour_of("employer", 15).favours == ("employer", "employer")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Shift(480, 480), "end 480 is not after start 480"),
        (lambda: Shift(1_440, 1_500), "start 1440"),
        (lambda: Shift(480, 480 + 1_441), "at most 24 hours"),
        (lambda: Shift(480, 1_000, "flexible"), "required_min: missing"),
        (lambda: Shift(480, 540, required_min=61), "from 1 to the 60 minutes"),
        (lambda: replace(OFFICE, core_start_min=600, core_end_min=900), "a flexible shift's"),
        (lambda: replace(FLEXIBLE, core_start_min=600), "both a start and an end"),
        (lambda: replace(FLEXIBLE, core_start_min=400, core_end_min=900), "within 420 to 1140"),
        (lambda: in_favour_of("employee", 7), "unit_min 7"),
        (lambda: Breaks((AutomaticBreak(540, 45), AutomaticBreak(360, 60))), "later and longer is needed"),
        (lambda: Breaks(tuple(AutomaticBreak(n, n) for n in range(1, 8))), "7 automatic breaks"),
        (lambda: Overtime(rest=tuple(Band(n, 150) for n in range(1, 7)) + PLAIN), "7 bands"),
        (lambda: Overtime(limit_min=-1), "limit_min -1"),
        (lambda: Overtime(work=(Band(60, 150),)), "the last has none"),
        (lambda: Overtime(work=(Band(60, 150), Band(30, 200), Band(None, 300))), "must rise"),
        (lambda: plan(maximum_min=1, minimum_min=2), "maximum_min 1"),
        (lambda: plan(grace_in_min=-1), "grace_in_min -1: from 0 to 240"),
        (lambda: plan(shift("08:00-17:00", break_min=540)), "break_min 540"),
    ],
)
def test_rules_that_cannot_be_are_refused_with_words(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_the_example_of_the_documentation() -> None:
    """docs/attendance-rules.md"""
    day = one_day(
        office(grace_in_min=10, overtime=INDONESIA_5_DAYS), "in 07:52:05, in 07:52:31, out 12:01, in 12:48, out 19:36"
    )
    assert roles(day) == "p1 in, p2 collapsed, p3 out, p4 in, p5 out"
    expected = {"required": 480, "attended": 649, "worked": 636, "regular": 480, "overtime": {150: 60, 200: 96}}
    assert figures(day) == {**expected, "break_punched": 47, "break_automatic": 13, "outside": 8}
    assert day.statuses == ("present",)


def test_office_is_what_the_table_says() -> None:
    assert plan(OFFICE).placed.required_min == 480  # type: ignore[union-attr]
