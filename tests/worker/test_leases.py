import itertools
import time
from typing import Any

import pytest

from tests.conftest import RedisPair
from tests.worker.fakes import announce, until
from worker.leases import ANNOUNCED_MS, FORGOTTEN_MS, Leases
from worker.protocol import keys
from worker.protocol.connection import connect, server_time_ms
from worker.rendezvous import owner


def leases(pair: RedisPair, worker: str, lease_ms: int = 800) -> Leases:
    return Leases(connect(pair.live_server.url(), name=worker), "s0", worker, lease_ms)


def refreshed(one: Leases) -> set[str]:
    one._last_s = float("-inf")  # as if the pause between two refreshes were over, however short
    one.refresh()
    return one.held


def doors_of(worker: str, count: int, workers: tuple[str, ...] = ("w1", "w2")) -> list[str]:
    """Kiosk names whose rightful owner is that worker."""
    names = (f"door-{i}" for i in itertools.count())
    return list(itertools.islice((name for name in names if owner(name, workers) == worker), count))


def test_kiosks_are_shared_out_and_each_has_one_worker(any_redis_pair: RedisPair) -> None:
    ones, twos = doors_of("w1", 3), doors_of("w2", 3)
    announce(any_redis_pair.live, *ones[:2], *twos[:2])
    first, second = leases(any_redis_pair, "w1"), leases(any_redis_pair, "w2")
    assert refreshed(first) == {*ones[:2], *twos[:2]}  # alone
    assert refreshed(second) == set()  # nobody's kiosk is taken away: it is given up
    assert refreshed(first) == set(ones[:2])
    assert refreshed(second) == set(twos[:2])
    announce(any_redis_pair.live, ones[2], twos[2])
    assert refreshed(second) == set(twos)
    assert refreshed(first) == set(ones)


def test_leaving_frees_kiosks_at_once_and_only_ones_own(redis_pair: RedisPair) -> None:
    announce(redis_pair.live, "front", "back")
    first, second = leases(redis_pair, "w1", 10_000), leases(redis_pair, "w2", 10_000)
    refreshed(first)
    redis_pair.live.set(keys.lease("s0", "back"), "w3")  # taken over meanwhile
    first.leave()
    assert first.held == set()
    assert redis_pair.live.get(keys.lease("s0", "back")) == b"w3"
    assert refreshed(second) == {"front"}


def test_one_that_is_not_ready_leaves_the_kiosks_to_those_that_are(redis_pair: RedisPair) -> None:
    announce(redis_pair.live, "front", "back")
    first, second = leases(redis_pair, "w1"), leases(redis_pair, "w2")

    def look(one: Leases, ready: bool) -> set[str]:
        one._last_s = float("-inf")
        one.refresh(ready)
        return one.held

    assert look(first, False) == {"front", "back"}  # somebody must tell the people that it isn't ready
    assert look(second, True) == set()
    assert look(first, False) == set()
    assert look(second, True) == {"front", "back"}
    assert look(second, False) == {"front", "back"}
    assert look(first, False) == set()


def test_hostile_announcements_of_workers_change_nothing(redis_pair: RedisPair) -> None:
    now_ms = server_time_ms(redis_pair.live)
    hostile: dict[Any, int] = {
        b"\xff\xfe": now_ms,
        "": now_ms,
        "x" * 65: now_ms,
        "a b": now_ms,
        "dead": now_ms - 60_000,
    }
    redis_pair.live.zadd(keys.workers("s0"), hostile)
    doors = [f"door-{i}" for i in range(16)]
    announce(redis_pair.live, *doors)
    assert refreshed(leases(redis_pair, "w1")) == set(doors)


def test_the_kiosks_of_a_dead_worker_are_taken_after_the_lease(redis_pair: RedisPair) -> None:
    announce(redis_pair.live, "front")
    first, second = leases(redis_pair, "w1", 500), leases(redis_pair, "w2", 500)
    refreshed(first)
    started = time.monotonic()
    until(lambda: second.refresh() or second.held)
    assert time.monotonic() - started > 0.2
    assert second.held == {"front"}
    assert owner("front", ["w1", "w2"]) == "w2"
    assert refreshed(first) == set()  # and the first learns of it


def test_a_refresh_renews(redis_pair: RedisPair) -> None:
    announce(redis_pair.live, "front")
    first, second = leases(redis_pair, "w1", 10_000), leases(redis_pair, "w2", 10_000)
    refreshed(first)
    redis_pair.live.pexpire(keys.lease("s0", "front"), 5_000)
    assert refreshed(first) == {"front"}
    assert redis_pair.live.pttl(keys.lease("s0", "front")) > 5_000
    assert refreshed(second) == set()


def test_a_stall_longer_than_a_lease_is_told(redis_pair: RedisPair) -> None:
    announce(redis_pair.live, "front")
    one = leases(redis_pair, "w1", 500)
    assert not one.refresh()
    assert not one.refresh()  # too soon: nothing is asked
    one._last_s -= 0.3
    assert not one.refresh()
    one._last_s -= 0.6
    assert one.refresh()
    assert one.held == {"front"}
    assert not one.refresh()


def test_a_stall_is_told_also_when_redis_was_away_meanwhile(
    redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(redis_pair.live, "front")
    one = leases(redis_pair, "w1", 500)
    one.refresh()
    one._last_s -= 0.6

    def away(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("worker.leases.server_time_ms", away)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                one.refresh()
    assert one.refresh()


def test_only_kiosks_that_live_are_wanted(redis_pair: RedisPair) -> None:
    now_ms = server_time_ms(redis_pair.live)
    known: dict[Any, int] = {
        "fresh": now_ms,
        "quiet": now_ms - ANNOUNCED_MS - 1_000,
        "gone": now_ms - FORGOTTEN_MS - 1_000,
    }
    hostile = {"Not A Name": now_ms, "a:b": now_ms, "x" * 33: now_ms, b"\xff\xfe": now_ms, "": now_ms}
    redis_pair.live.zadd(keys.kiosks("s0"), known | hostile)
    assert refreshed(leases(redis_pair, "w1")) == {"fresh"}
    assert redis_pair.live.zscore(keys.kiosks("s0"), "gone") is None
    assert redis_pair.live.zscore(keys.kiosks("s0"), "quiet") is not None
