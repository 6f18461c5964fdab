"""Answers: only fresh ones to our own frames are shown; hostile entries are counted; a restarted Redis is followed."""

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.feedback import FeedbackListener
from kiosk.sender import SentFrames
from tests.conftest import RedisPair
from tests.kiosk.support import FakeClock, accepted, answer, eventually, recorded
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import Entry, Feedback, Recorded, as_any
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters

KEY = keys.feedback("s0", "door-1")
DEADLINE_MS = 1500


class Heard:
    """A listener and what it passed on. Its clock stands still, so that a loaded machine makes nothing late."""

    def __init__(self, url: str = "redis://127.0.0.1:1") -> None:
        self.clock = FakeClock()
        self.frames: list[Feedback] = []
        self.recorded: list[Recorded] = []
        self.links: list[bool] = []
        self.sent = SentFrames()
        self.listener = FeedbackListener(
            connect(url, name="test-feedback"),
            "s0",
            "door-1",
            DEADLINE_MS,
            self.sent,
            Counters(),
            on_frame=lambda feedback, captured_s: self.frames.append(feedback),
            on_recorded=self.recorded.append,
            on_link=self.links.append,
            clock=self.clock,
        )

    def count(self, name: str) -> int:
        return self.listener.counters[name]

    def send(self, seq: int) -> None:
        self.sent.add(seq, self.clock.now_s)


@pytest.fixture
def heard(redis_pair: RedisPair) -> Iterator[Heard]:
    one = Heard(redis_pair.live_server.url())
    yield one
    one.listener.stop()


def wire(entry: Entry) -> dict[bytes, bytes]:
    return {name.encode(): value for name, value in entry.to_fields().items()}


def put(pair: RedisPair, entry: Entry, entry_id: str = "*") -> None:
    pair.live.xadd(KEY, as_any(entry.to_fields()), id=entry_id, maxlen=keys.FEEDBACK_KEPT, approximate=False)


def listening(heard: Heard) -> None:
    heard.listener.start()
    assert eventually(lambda: heard.listener._last_id is not None)


# --- staleness, without a server ---


def test_fresh_answers_are_shown_and_measured() -> None:
    heard = Heard()
    heard.send(5)
    heard.clock.pass_s(0.120)
    heard.listener.handle(wire(accepted(5)))
    assert [f.seq for f in heard.frames] == [5]
    assert heard.listener.latency.to_dict() == {"120": 1}


def test_late_unknown_and_stale_answers_are_counted_and_never_shown() -> None:
    heard = Heard()
    heard.send(5)
    heard.send(6)
    heard.listener.handle(wire(accepted(4)))  # of an earlier run of this kiosk
    heard.listener.handle(wire(answer(6, Outcome.STALE)))
    heard.clock.pass_s(DEADLINE_MS / 1000 + 0.001)
    heard.listener.handle(wire(accepted(5)))
    assert heard.frames == []
    assert heard.count("feedback_stale") == 3
    assert heard.count("feedback") == 0
    assert heard.listener.latency.to_dict() == {}


# --- hostile entries ---

HOSTILE = [
    {},
    {b"v": b"1"},
    {b"v": b"2", b"meta": b"{}"},
    {b"v": b"1", b"meta": b"not json"},
    {b"v": b"1", b"meta": b"\xff\xfe\x00"},
    {b"v": b"1", b"meta": b"[1, 2]"},
    {b"v": b"1", b"meta": b'"recorded"'},
    {b"v": b"1", b"meta": b"[" * 100_000},
    {b"v": b"1", b"meta": b'{"kind": "recorded"}'},
    {b"v": b"1", b"meta": b'{"kind": ["frame"], "seq": 1}'},
    {b"v": b"1", b"meta": json.dumps({"seq": "x", "captured_ms": -1, "outcome": "accepted", "worker": "w"}).encode()},
    {b"v": b"1", b"meta": json.dumps({"seq": 5, "captured_ms": 1, "outcome": "king", "worker": "w"}).encode()},
    {
        b"v": b"1",
        b"meta": b'{"seq": 5, "captured_ms": 1, "outcome": "accepted", "worker": "w", "faces": [{"box": [NaN, 1, 1, 1]}]}',
    },
    {b"v": b"1", b"meta": b"1" * 5000},
    {b"v": b"1", b"meta": b" " * 300_000},
]


@pytest.mark.parametrize("fields", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_entries_are_counted_and_dropped(fields: dict[bytes, bytes]) -> None:
    heard = Heard()
    heard.send(5)
    heard.listener.handle(fields)
    assert (heard.frames, heard.recorded) == ([], [])
    assert heard.count("feedback_bad") == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
META = st.binary(max_size=200) | st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("kind", "seq", "captured_ms", "outcome", "faces", "worker", "event_id", "local_time"), JSON
    ),
).map(lambda value: json.dumps(value).encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([b"v", b"meta", b"x"]), st.just(b"1") | META, max_size=3))
def test_nothing_that_is_written_can_stop_the_listener(fields: dict[bytes, bytes]) -> None:
    heard = Heard()
    heard.listener.handle(fields)
    assert heard.frames == []


def test_bad_entries_between_good_ones(heard: Heard, redis_pair: RedisPair) -> None:
    listening(heard)
    heard.send(1)
    heard.send(2)
    put(redis_pair, accepted(1))
    for fields in HOSTILE[1:]:
        redis_pair.live.xadd(KEY, dict(fields))  # type: ignore[arg-type]
    put(redis_pair, accepted(2))
    put(redis_pair, recorded())
    assert eventually(lambda: heard.recorded)
    assert [f.seq for f in heard.frames] == [1, 2]
    assert heard.count("feedback_bad") == len(HOSTILE) - 1


# --- following the stream ---


def test_what_was_there_before_the_start_is_not_read(heard: Heard, redis_pair: RedisPair) -> None:
    put(redis_pair, recorded("old"))
    listening(heard)
    put(redis_pair, recorded("new"))
    assert eventually(lambda: heard.recorded)
    assert [r.decision_id for r in heard.recorded] == ["new"]


def test_a_killed_server_is_told_at_once_and_followed_when_it_is_back(any_redis_pair: RedisPair) -> None:
    pair = any_redis_pair
    heard = Heard(pair.live_server.url())
    listening(heard)
    heard.send(1)
    put(pair, accepted(1))
    assert eventually(lambda: heard.frames)
    pair.live_server.kill()
    assert eventually(lambda: heard.links[-1:] == [False])
    pair.live_server.start()  # without persistence: the stream is gone
    heard.send(2)
    put(pair, accepted(1), "1-1")  # lower ids than before, as after a clock that was set back
    put(pair, accepted(2), "1-2")
    assert eventually(lambda: heard.frames[-1].seq == 2)
    assert eventually(lambda: heard.links[-1])
    heard.listener.stop()


def test_a_stream_made_anew_with_lower_ids_is_followed(heard: Heard, redis_pair: RedisPair) -> None:
    put(redis_pair, recorded("old"))
    listening(heard)
    redis_pair.live.delete(KEY)
    put(redis_pair, recorded("new"), "5-1")
    assert eventually(lambda: heard.recorded)
    assert [r.decision_id for r in heard.recorded] == ["new"]


def test_a_key_of_another_kind_is_survived(heard: Heard, redis_pair: RedisPair) -> None:
    redis_pair.live.set(KEY, "somebody's mistake")
    heard.listener.start()
    assert eventually(lambda: heard.links[-1:] == [False])
    redis_pair.live.delete(KEY)
    assert eventually(lambda: heard.links[-1:] == [True])
    put(redis_pair, recorded("new"))
    assert eventually(lambda: heard.recorded)


def test_stop_is_quick(heard: Heard) -> None:
    listening(heard)
    began_s = time.monotonic()
    heard.listener.stop()
    assert time.monotonic() - began_s < 2
    assert not heard.listener.is_alive()
