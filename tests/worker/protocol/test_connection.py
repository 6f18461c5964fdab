import logging
import threading
import time

import pytest
import redis

from tests.conftest import RedisPair
from tests.worker.fakes import until
from worker.protocol.connection import Backoff, connect, keep_trying, server_time_ms


def test_the_servers_clock_is_in_milliseconds(any_redis_pair: RedisPair) -> None:
    assert abs(server_time_ms(any_redis_pair.live) - time.time() * 1000) < 2_000


def test_backoff_doubles_up_to_its_cap_and_starts_again() -> None:
    backoff = Backoff(cap_s=1.0, first_s=0.1)
    for ceiling in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0):
        assert ceiling / 2 <= backoff.next_s() <= ceiling
    backoff.reset()
    assert backoff.next_s() <= 0.1


def test_keep_trying_outlives_a_killed_and_restarted_server(
    any_redis_pair: RedisPair, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(any_redis_pair.live_server.url(), name="steps")
    stop, done = threading.Event(), []

    def step() -> None:
        done.append(client.incr("steps"))
        stop.wait(0.01)

    thread = threading.Thread(target=keep_trying, args=(step, stop, "the test", 0.1))
    with caplog.at_level(logging.INFO, "worker.protocol.connection"):
        thread.start()
        until(lambda: len(done) > 3)
        any_redis_pair.live_server.kill()
        until(lambda: "is away" in caplog.text)
        time.sleep(0.3)  # several tries fail meanwhile
        any_redis_pair.live_server.start()
        before = len(done)
        until(lambda: len(done) > before + 3 and "is back" in caplog.text)
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert sum("is away" in r.message for r in caplog.records) == 1  # told once an outage
    assert sum("is back" in r.message for r in caplog.records) == 1


def test_keep_trying_outlives_refusals_and_lets_bugs_out() -> None:
    stop = threading.Event()
    errors: list[Exception] = [
        redis.exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        redis.exceptions.OutOfMemoryError("OOM command not allowed"),
        redis.exceptions.BusyLoadingError("loading"),
        ConnectionResetError(),
    ]
    tried = len(errors)

    def step() -> None:
        if errors:
            raise errors.pop(0)
        stop.set()

    keep_trying(step, stop, "the test", cap_s=0.01)
    assert not errors
    assert tried == 4

    def bug() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        keep_trying(bug, threading.Event(), "the test")
