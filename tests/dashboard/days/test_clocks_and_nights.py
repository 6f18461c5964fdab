"""Days in zones whose clocks change, days that are still running, and which day a punch belongs to."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.days.calendar import begins_ms
from dashboard.days.clock import wall_ms
from dashboard.days.corrections import corrected
from dashboard.days.month import days_in_row, turns_of
from dashboard.days.shifts import Shift
from tests.dashboard.days.sheet import (
    BERLIN,
    JAKARTA,
    NEW_YORK,
    NIGHT,
    at,
    codes,
    figures,
    one_day,
    plan,
    punches,
    shift,
)

SPRING_BERLIN, AUTUMN_BERLIN = date(2026, 3, 28), date(2026, 10, 24)
"""The nights from these days on lose, and gain, an hour."""
SPRING_US, AUTUMN_US = date(2026, 3, 7), date(2026, 10, 31)


@pytest.mark.parametrize(
    ("zone", "day", "required", "change"),
    [
        (BERLIN, SPRING_BERLIN, 420, -60),  # 22:00–02:00 and 03:00–06:00
        (BERLIN, AUTUMN_BERLIN, 540, 60),  # 02:00–03:00 comes twice
        (BERLIN, date(2026, 6, 1), 480, 0),
        (NEW_YORK, SPRING_US, 420, -60),
        (NEW_YORK, AUTUMN_US, 540, 60),
        (JAKARTA, SPRING_BERLIN, 480, 0),
        (JAKARTA, AUTUMN_US, 480, 0),
    ],
)
def test_a_night_over_the_change_of_clocks(zone: ZoneInfo, day: date, required: int, change: int) -> None:
    worked = one_day(plan(NIGHT, day, zone), "in 22:00, out 06:00+1")
    assert figures(worked) == dict.fromkeys(("required", "worked", "regular", "attended"), required)
    assert [(note.code, note.value) for note in worked.notes] == ([("clock_change", change)] if change else [])


def test_a_time_that_is_skipped_is_read_as_before_the_change_and_one_that_comes_twice_is_the_first() -> None:
    sunday, autumn = SPRING_BERLIN + timedelta(days=1), AUTUMN_BERLIN + timedelta(days=1)
    assert wall_ms(sunday, 150, BERLIN) == wall_ms(sunday, 210, BERLIN)  # 02:30 is 03:30
    assert (
        wall_ms(autumn, 180, BERLIN) - wall_ms(autumn, 150, BERLIN) == 90 * 60_000
    )  # 02:30, an hour and a half to 03:00
    assert plan(Shift(150, 180), sunday, BERLIN).placed.required_min == 0  # type: ignore[union-attr] 02:30–03:00 isn't there


@pytest.mark.parametrize(
    ("before", "after", "turns"),
    [
        (shift(), shift(), "04:00"),  # 17:00 + 6 h is before 04:00, 08:00 − 4 h is 04:00
        (NIGHT, NIGHT, "12:00"),  # 06:00 + 6 h
        (NIGHT, None, "12:00"),
        (None, shift("02:00-10:00"), "22:00-1"),  # 02:00 − 4 h
        (NIGHT, shift("08:00-17:00"), "07:00"),  # 12:00 and 04:00 collide: halfway from 06:00 to 08:00
        (shift("14:00-22:00"), shift("06:00-14:00"), "02:00"),  # 04:00 and 02:00 collide: halfway from 22:00 to 06:00
        (None, None, "04:00"),
    ],
)  # fmt: skip
def test_where_a_day_begins(before: Shift | None, after: Shift | None, turns: str) -> None:
    tuesday = date(2026, 11, 24)
    clock, _, back = turns.partition("-")
    turn = begins_ms(plan(before), plan(after, tuesday))
    assert turn == at(clock, tuesday - timedelta(days=int(back or 0)))


def test_a_punch_after_midnight_belongs_to_the_night_that_began_before() -> None:
    days = [plan(NIGHT, date(2026, 11, day)) for day in (22, 23, 24, 25)]
    given = corrected(punches("in 22:00, out 06:00+1, in 21:50+1, out 06:10+2"), ())
    first, second = days_in_row(days, turns_of(days), given, 4_000_000_000_000)
    assert [use.punch.id for use in first.punches] == ["p1", "p2"]
    assert [use.punch.id for use in second.punches] == ["p3", "p4"]


RUNNING = [
    # as of 03:00 the day hasn't begun (it turns at 04:00)
    ("03:00", "", "upcoming", {"required": 480}, []),
    ("08:20", "", "incomplete", {"required": 480}, ["not_in_yet"]),
    # 08:00–10:30, so far; nothing is missing yet
    ("10:30", "in 08:00", "incomplete present", {"required": 480, "worked": 150, "regular": 150, "attended": 150}, []),
    # out for lunch: nobody left early before the shift is over
    ("12:10", "in 08:00, out 12:00", "incomplete present", {"required": 480, "worked": 240, "regular": 240, "attended": 240}, []),
    ("17:10", "in 08:00, out 12:00", "incomplete present early_leave",
     {"required": 480, "worked": 240, "regular": 240, "attended": 240, "early": 300}, []),
]  # fmt: skip


@pytest.mark.parametrize(("now", "words", "statuses", "expected", "notes"), RUNNING)
def test_a_day_that_is_not_over(now, words, statuses, expected, notes) -> None:
    day = one_day(plan(), words, as_of_ms=at(now))
    assert (figures(day), " ".join(day.statuses), codes(day)) == (expected, statuses, notes)


def test_a_punch_that_is_ahead_of_the_clock_is_flagged() -> None:
    assert "in_future" in codes(one_day(plan(), "in 08:00, out 17:00", as_of_ms=at("12:00")))


def test_days_in_a_row_have_no_gap() -> None:
    with pytest.raises(ValueError, match="three days in a row"):
        turns_of([plan(), plan(), plan()])
