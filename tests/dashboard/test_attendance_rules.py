"""The rules of a punch, without any database."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.recording.attendance_rules import (
    day_bounds_ms,
    direction_for,
    is_duplicate,
    local_date,
    local_datetime,
    local_time,
)
from worker.protocol.outcomes import Direction

JAKARTA, BERLIN = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin")
IN, OUT = Direction.IN, Direction.OUT
MS = st.integers(min_value=0, max_value=4_102_444_800_000)


@pytest.mark.parametrize(
    ("kiosk", "last", "expected"),
    [
        ("alternate", None, IN),
        ("alternate", IN, OUT),
        ("alternate", OUT, IN),
        ("in", IN, IN),
        ("in", None, IN),
        ("out", None, OUT),
        ("out", OUT, OUT),
    ],
)
def test_direction(kiosk, last, expected) -> None:
    assert direction_for(kiosk, last) is expected


@pytest.mark.parametrize(
    ("apart_ms", "gap_s", "expected"),
    [(0, 0, True), (1, 0, False), (60_000, 60, True), (60_001, 60, False), (-60_000, 60, True), (-60_001, 60, False)],
)
def test_duplicates_reach_to_either_side(apart_ms: int, gap_s: float, expected: bool) -> None:
    assert is_duplicate(1_000_000, 1_000_000 + apart_ms, gap_s) is expected


def test_local_time_and_date_are_the_sites() -> None:
    just_after_midnight_ms = 1_795_453_500_000  # 17:05 UTC on the 23rd
    assert local_time(just_after_midnight_ms, JAKARTA) == "00:05"
    assert local_date(just_after_midnight_ms, JAKARTA) == date(2026, 11, 24)
    assert local_date(just_after_midnight_ms, ZoneInfo("UTC")) == date(2026, 11, 23)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)])
def test_days_have_the_hours_that_clocks_gave_them(day: tuple[int, int, int], hours: int) -> None:
    start_ms, end_ms = day_bounds_ms(date(*day), BERLIN)
    assert end_ms - start_ms == hours * 3_600_000


@given(MS, st.sampled_from([JAKARTA, BERLIN, ZoneInfo("UTC")]))
def test_every_moment_is_within_its_own_day(captured_ms: int, zone: ZoneInfo) -> None:
    start_ms, end_ms = day_bounds_ms(local_date(captured_ms, zone), zone)
    assert start_ms <= captured_ms < end_ms
    assert abs(local_datetime(captured_ms, zone).timestamp() * 1000 - captured_ms) < 1


@given(MS, MS, st.floats(min_value=0, max_value=3_600))
def test_being_a_duplicate_is_mutual(a_ms: int, b_ms: int, gap_s: float) -> None:
    assert is_duplicate(a_ms, b_ms, gap_s) is is_duplicate(b_ms, a_ms, gap_s)
