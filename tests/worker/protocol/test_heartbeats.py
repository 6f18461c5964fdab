import json
import os

import pytest

from tests.conftest import RedisPair
from tests.worker.fakes import until
from worker.protocol import heartbeats, keys
from worker.protocol.connection import connect
from worker.protocol.heartbeats import TTL_S, Heart


def test_a_heartbeat_is_written_read_and_ends_by_itself(any_redis_pair: RedisPair) -> None:
    live = any_redis_pair.live
    heart = Heart(live, "s0", "worker", "w1", lambda: {"ready": True})
    heart.start()
    beat = until(lambda: next(heartbeats.read(live, "s0", "worker"), None))
    assert (beat.role, beat.name, beat.pid, beat.data) == ("worker", "w1", os.getpid(), {"ready": True})
    assert abs(beat.clock_offset_ms) < 2_000  # same machine, same clock
    assert 0 < live.pttl(keys.heartbeat("s0", "worker", "w1")) <= TTL_S * 1000
    heart.stop()
    assert not heart.is_alive()
    live.pexpire(keys.heartbeat("s0", "worker", "w1"), 1)
    until(lambda: not list(heartbeats.read(live, "s0")))


def test_heartbeats_are_told_apart_by_role_and_shard(redis_pair: RedisPair) -> None:
    Heart(redis_pair.live, "s0", "kiosk", "front", dict).beat()
    assert [beat.name for beat in heartbeats.read(redis_pair.live, "s0", "kiosk")] == ["front"]
    assert not list(heartbeats.read(redis_pair.live, "s0", "worker"))
    assert not list(heartbeats.read(redis_pair.live, "s1"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"pid": "x", "clock_offset_ms": 1, "data": {}}',
        b'{"pid": Infinity, "clock_offset_ms": 1, "data": {}}',
        b'{"pid": 1e999, "clock_offset_ms": NaN, "data": {}}',
        b'{"pid": 1, "clock_offset_ms": 1, "data": 7}',
    ],
)
def test_what_cant_be_read_is_skipped(redis_pair: RedisPair, raw: bytes) -> None:
    live = redis_pair.live
    live.set(keys.heartbeat("s0", "kiosk", "bad"), raw)
    live.rpush(keys.heartbeat("s0", "kiosk", "list"), "x")
    good = {"pid": 1, "clock_offset_ms": -3, "data": {"a": 1}}
    live.set(keys.heartbeat("s0", "kiosk", "good"), json.dumps(good))
    assert [beat.name for beat in heartbeats.read(live, "s0", "kiosk")] == ["good"]


def test_an_outage_is_outlived(redis_pair: RedisPair) -> None:
    client = connect(redis_pair.live_server.url(), name="heart")
    heart = Heart(client, "s0", "recorder", "r1", dict)
    heart.start()
    until(lambda: list(heartbeats.read(redis_pair.live, "s0")))
    redis_pair.live_server.kill()
    until(lambda: heart.clock_offset_ms is None)
    assert heart.is_alive()
    redis_pair.live_server.start()
    until(lambda: list(heartbeats.read(redis_pair.live, "s0")))
    redis_pair.live_server.kill()
    heart.stop()  # the last words find nobody, which is no error
    assert not heart.is_alive()
