"""True time after an outage: the steady clock within a boot, the wall clock with a flag after one."""

import time

import pytest

from kiosk.true_time import Clocks, Moment, age_ms, true_time

SERVER_MS = 1_795_478_400_000
THEN = Moment(wall_ms=SERVER_MS - 90_000, steady_ms=10_000, boot_id="a")


@pytest.mark.parametrize("wall_wrong_by_ms", [0, -50 * 365 * 86_400_000, 3_600_000])
def test_in_the_same_boot_the_steady_clock_tells_whatever_the_wall_clock_says(wall_wrong_by_ms: int) -> None:
    then = Moment(THEN.wall_ms + wall_wrong_by_ms, THEN.steady_ms, "a")
    assert true_time(then, Moment(0, 70_000, "a"), SERVER_MS) == (SERVER_MS - 60_000, False)


def test_after_a_restart_the_wall_clock_counts_and_is_uncertain() -> None:
    assert true_time(THEN, Moment(SERVER_MS, 70_000, "b"), SERVER_MS) == (THEN.wall_ms, True)


def test_it_is_never_later_than_now_nor_before_the_epoch() -> None:
    ahead = Moment(SERVER_MS + 10**9, 10_000, "a")
    assert true_time(ahead, Moment(0, 5, "b"), SERVER_MS) == (SERVER_MS, True)
    assert true_time(Moment(-5, 1, "a"), Moment(0, 5, "b"), SERVER_MS) == (0, True)


def test_a_steady_clock_that_ran_backwards_is_another_boot() -> None:
    assert true_time(THEN, Moment(0, 9_999, "a"), SERVER_MS) == (THEN.wall_ms, True)


def test_age_is_known_only_where_a_clock_can_tell() -> None:
    assert age_ms(THEN, Moment(0, 70_000, "a")) == 60_000
    assert age_ms(THEN, Moment(SERVER_MS, 5, "b")) == 90_000
    assert age_ms(THEN, Moment(THEN.wall_ms - 1, 5, "b")) == 0
    assert age_ms(Moment(1_000, 5, "a"), Moment(SERVER_MS, 5, "b")) is None, "a clock that was never set tells nothing"


def test_the_moment_of_a_picture_is_when_it_was_taken() -> None:
    clocks = Clocks()
    now, then = clocks.now(), clocks.at(time.monotonic() - 30)
    assert 29_000 < now.steady_ms - then.steady_ms < 31_000
    assert 29_000 < now.wall_ms - then.wall_ms < 31_000
    assert now.boot_id == then.boot_id == Clocks().boot_id
