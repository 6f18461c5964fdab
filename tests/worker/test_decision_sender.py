import logging
import time

import pytest

from tests.conftest import RedisPair
from tests.worker import fakes
from worker.decision_sender import DecisionSender
from worker.protocol.connection import connect
from worker.protocol.entries import Decision
from worker.protocol.outcomes import Outcome


def decision(number: int) -> Decision:
    return Decision(
        event_id=f"event-{number}",
        kiosk="front",
        presence="p",
        outcome=Outcome.UNKNOWN,
        captured_ms=number,
        good_frames=5,
        model_id=fakes.MODEL,
        worker="w1",
    )


def sender(pair: RedisPair) -> DecisionSender:
    return DecisionSender(connect(pair.ledger_server.url(), name="decisions"), "s0")


def arrived(pair: RedisPair) -> list[int]:
    """In order; a decision whose answer was lost may be there twice, which the recorder knows by its event id."""
    return list(dict.fromkeys(one.captured_ms for one in fakes.decisions(pair.ledger)))


def test_a_ledger_that_is_killed_and_restarted_gets_all_in_order(any_redis_pair: RedisPair) -> None:
    one = sender(any_redis_pair)
    one.start()
    for number in range(5):
        one.put(decision(number))
    fakes.until(lambda: one.pending == 0)
    any_redis_pair.ledger_server.kill()
    for number in range(5, 12):
        one.put(decision(number))
    time.sleep(0.3)
    assert one.pending == 7
    any_redis_pair.ledger_server.start()
    fakes.until(lambda: one.pending == 0)
    one.stop()
    assert arrived(any_redis_pair) == list(range(12))


def test_stopping_sends_what_is_left(redis_pair: RedisPair) -> None:
    one = sender(redis_pair)
    one.start()
    for number in range(40):
        one.put(decision(number))
    one.stop()
    assert not one.is_alive()
    assert arrived(redis_pair) == list(range(40))


def test_stopping_without_a_ledger_says_what_wasnt_sent(
    redis_pair: RedisPair, caplog: pytest.LogCaptureFixture
) -> None:
    one = sender(redis_pair)
    redis_pair.ledger_server.kill()
    one.put(decision(1))
    one.put(decision(2))
    with caplog.at_level(logging.ERROR, "worker.decision_sender"):
        one.stop()
    assert "2 decisions unsent (first event id event-1)" in caplog.text


def test_a_refusing_ledger_is_waited_for(redis_pair: RedisPair) -> None:
    """A full disk or memory is a refusal, not a lost connection; nothing may be lost by it."""
    redis_pair.ledger.config_set("maxmemory", 1)
    one = sender(redis_pair)
    try:
        one.start()
        one.put(decision(1))
        time.sleep(0.4)
        assert one.is_alive()
        assert one.pending == 1
    finally:
        redis_pair.ledger.config_set("maxmemory", 0)
    fakes.until(lambda: one.pending == 0)
    one.stop()
    assert arrived(redis_pair) == [1]
