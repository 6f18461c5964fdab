"""Fresh or nothing: what a worker takes from the frames streams, and what it doesn't."""

import time
from collections.abc import Callable

import pytest

from tests.conftest import RedisPair
from tests.worker.fakes import frame, send
from worker.consumer import BadFrame, Consumer, TakenFrame
from worker.protocol import keys
from worker.protocol.connection import server_time_ms
from worker.protocol.telemetry import Counters

Make = Callable[..., Consumer]


@pytest.fixture
def make(redis_pair: RedisPair) -> Make:
    return lambda batch_size=4: Consumer(redis_pair.live, "s0", batch_size, Counters())


def seqs(items: list[TakenFrame | BadFrame]) -> dict[str, int]:
    return {item.kiosk: item.frame.seq for item in items if isinstance(item, TakenFrame)}


def test_the_newest_only_and_once(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    assert consumer.take({"front"}) == []
    send(redis_pair.live, "front", frame(seq=1))
    assert seqs(consumer.take({"front"})) == {"front": 1}
    assert consumer.take({"front"}) == []
    for seq in range(2, 8):
        send(redis_pair.live, "front", frame(seq=seq))
    assert seqs(consumer.take({"front"})) == {"front": 7}
    assert consumer.counters["frames_skipped"] == 5
    assert consumer.take(set()) == []


def test_a_kiosk_that_counts_anew_has_skipped_nothing(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    for seq in (50, 1, 2, 2**53):
        send(redis_pair.live, "front", frame(seq=seq))
        consumer.take({"front"})
    assert consumer.counters["frames_skipped"] == 0


def test_capture_time_is_the_servers_minus_the_age(redis_pair: RedisPair, make: Make) -> None:
    before_ms = server_time_ms(redis_pair.live)
    send(redis_pair.live, "front", frame(age_ms=400, deadline_ms=60_000))
    (item,) = make().take({"front"})
    assert isinstance(item, TakenFrame)
    assert before_ms - 400 <= item.captured_ms <= item.taken_ms - 400
    assert item.waited_ms >= 400


def test_late_frames_are_dropped_and_counted(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    send(redis_pair.live, "front", frame(age_ms=600, deadline_ms=500))
    assert consumer.take({"front"}) == []
    send(redis_pair.live, "front", frame(seq=2, deadline_ms=30))
    time.sleep(0.05)
    assert consumer.take({"front"}) == []
    assert consumer.counters["frames_stale"] == 2
    assert consumer.counters["frames_bad"] == 0


def test_the_longest_waiting_kiosk_comes_first(redis_pair: RedisPair, make: Make) -> None:
    consumer, kiosks = make(batch_size=2), {f"k{i}" for i in range(5)}
    served: list[str] = []
    for seq in range(5):
        for kiosk in kiosks:
            send(redis_pair.live, kiosk, frame(seq=seq, deadline_ms=60_000))
        found = consumer.take(kiosks)
        assert len(found) == 2
        served += [item.kiosk for item in found]
    assert {kiosk: served.count(kiosk) for kiosk in kiosks} == dict.fromkeys(kiosks, 2)


def test_silent_kiosks_hold_nobody_up_and_a_batch_has_its_size(redis_pair: RedisPair, make: Make) -> None:
    consumer = make(batch_size=4)
    for kiosk in ("k1", "k5", "k6", "k7", "k8", "k9"):  # the first four looked at give one frame only
        send(redis_pair.live, kiosk, frame(deadline_ms=60_000))
    first = consumer.take({f"k{i}" for i in range(10)})
    second = consumer.take({f"k{i}" for i in range(10)})
    assert len(first) == 4
    assert {*seqs(first), *seqs(second)} == {"k1", "k5", "k6", "k7", "k8", "k9"}


def test_many_silent_kiosks_cost_few_round_trips(
    redis_pair: RedisPair, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer, kiosks = make(batch_size=2), {f"k{i:02}" for i in range(64)}
    for seq, kiosk in enumerate(("k07", "k63", "k62")):
        send(redis_pair.live, kiosk, frame(seq=seq, deadline_ms=60_000))
    trips = 0
    pipeline = redis_pair.live.pipeline

    def counted(transaction: bool) -> object:
        nonlocal trips
        trips += 1
        return pipeline(transaction=transaction)

    monkeypatch.setattr(redis_pair.live, "pipeline", counted)
    assert set(seqs(consumer.take(kiosks))) == {"k07", "k62"}
    assert trips == 4
    send(redis_pair.live, "k07", frame(seq=9, deadline_ms=60_000))
    send(redis_pair.live, "k62", frame(seq=9, deadline_ms=60_000))
    assert set(seqs(consumer.take(kiosks))) == {"k63", "k07"}  # who waited longest, though others were asked before


@pytest.mark.parametrize("ahead_ms", [6_000, 10**9, 10**15])
def test_an_id_from_the_future_cant_silence_a_kiosk(redis_pair: RedisPair, make: Make, ahead_ms: int) -> None:
    consumer = make()
    send(redis_pair.live, "front", frame(), f"{server_time_ms(redis_pair.live) + ahead_ms}-0")
    (bad,) = consumer.take({"front"})
    assert isinstance(bad, BadFrame)
    assert "ahead of the server's clock" in bad.reason
    assert bad.captured_ms <= server_time_ms(redis_pair.live)
    send(redis_pair.live, "front", frame(seq=2))
    assert seqs(consumer.take({"front"})) == {"front": 2}


def test_the_greatest_id_there_is(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    send(redis_pair.live, "front", frame(), "18446744073709551615-18446744073709551615")
    assert isinstance(consumer.take({"front"})[0], BadFrame)
    send(redis_pair.live, "front", frame(seq=2))
    assert seqs(consumer.take({"front"})) == {"front": 2}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"x": "y"}, "protocol version missing"),
        ({"v": "7", "meta": "{}"}, "protocol version"),
        ({"v": "1", "meta": "{}"}, "seq: Field required"),
        ({"v": "1", "meta": "[" * 5000}, "not JSON"),
    ],
)
def test_bad_entries_are_told_and_hold_nobody_up(
    redis_pair: RedisPair, make: Make, fields: dict[str, str], said: str
) -> None:
    consumer = make()
    redis_pair.live.xadd(keys.frames("s0", "bad"), fields)  # type: ignore[arg-type]
    send(redis_pair.live, "good", frame())
    found = consumer.take({"bad", "good"})
    assert seqs(found) == {"good": 1}
    (bad,) = [item for item in found if isinstance(item, BadFrame)]
    assert said in bad.reason
    assert consumer.counters["frames_bad"] == 1
    assert consumer.take({"bad", "good"}) == []


def test_a_restarted_server_with_lower_ids(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    now_ms = server_time_ms(redis_pair.live)
    send(redis_pair.live, "front", frame(seq=1), f"{now_ms + 3_000}-0")
    assert seqs(consumer.take({"front"})) == {"front": 1}
    redis_pair.live.flushall()
    send(redis_pair.live, "front", frame(seq=2), f"{now_ms}-0")
    assert consumer.take({"front"}) == []
    consumer.restart()
    assert seqs(consumer.take({"front"})) == {"front": 2}


def test_a_kiosk_given_up_is_forgotten(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    send(redis_pair.live, "front", frame(seq=1))
    consumer.take({"front"})
    consumer.keep_only({"back"})
    assert seqs(consumer.take({"front"})) == {"front": 1}  # taken back, it starts with the newest there is


def test_waiting_ends_with_the_first_frame(redis_pair: RedisPair, make: Make) -> None:
    consumer = make()
    started = time.monotonic()
    consumer.wait({"front"})
    consumer.wait(set())
    assert time.monotonic() - started >= 0.3
    send(redis_pair.live, "front", frame())
    started = time.monotonic()
    for _ in range(5):
        consumer.wait({"front", "back"})
    assert time.monotonic() - started < 0.9
