"""What a hostile kiosk writes is cut to what an honest one writes, while the others are served."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from deploy import acl
from deploy.redis_server import CLIENTS_MAX_MEMORY_MB
from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.fakes import Publisher, frame, person, send, until
from tests.worker.test_main import ANNA, Start, start  # noqa: F401 the fixture
from worker.janitor import BACKLOG_KEPT, FRAMES_BYTES, SWEEP_S, Janitor
from worker.protocol import keys
from worker.protocol.connection import FAILURES, Client, connect
from worker.protocol.heartbeats import Heart
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters

KEPT = keys.FRAMES_KEPT


@pytest.fixture
def janitor(redis_pair: RedisPair) -> Janitor:
    return Janitor(redis_pair.live, redis_pair.ledger, "s0", Counters())


@pytest.fixture
def hostile(redis_pair: RedisPair) -> Iterator[Client]:
    """The live server as the kiosk `back` sees it."""
    line = acl.user_line("kiosk-back", "hostile-password", acl.kiosk("s0", "back")["live"], (7, 0))
    words = line.removeprefix("user kiosk-back ").replace("(", "\0(").replace(")", ")\0").split("\0")
    rules = [rule for part in words for rule in ([part] if part.startswith("(") else part.split())]
    redis_pair.live.execute_command("ACL", "SETUSER", "kiosk-back", *rules)
    client = connect(redis_pair.live_server.url("kiosk-back", "hostile-password"), name="hostile")
    yield client
    client.close()
    redis_pair.live.execute_command("ACL", "DELUSER", "kiosk-back")


def flood(client: Client, entries: int, size: int = 10_000) -> None:
    """XADD as an honest kiosk would, but without MAXLEN."""
    pipe = client.pipeline(transaction=False)
    for _ in range(entries):
        pipe.xadd(keys.frames("s0", "back"), {"v": "1", "jpeg": b"x" * size})
    pipe.execute()


def test_any_stream_is_cut_to_its_cap_also_one_that_nobody_serves(
    redis_pair: RedisPair, hostile: Client, janitor: Janitor, caplog: pytest.LogCaptureFixture
) -> None:
    flood(hostile, 3_000)
    assert redis_pair.live.xlen(keys.frames("s0", "back")) == 3_000
    janitor.sweep_live()
    assert redis_pair.live.xlen(keys.frames("s0", "back")) == KEPT
    assert redis_pair.live.memory_usage(keys.frames("s0", "back")) < 100_000
    assert "frames:{s0}:back held 3000 entries" in caplog.text
    flood(hostile, 10)
    janitor.sweep_live()
    assert janitor.counters["streams_trimmed"] == 2
    assert caplog.text.count("held") == 1, "a flood doesn't flood the log"


def test_an_honest_kiosk_is_left_alone(redis_pair: RedisPair, janitor: Janitor) -> None:
    for seq in range(5):
        send(redis_pair.live, "front", frame(ANNA, seq))
    before = redis_pair.live.xrange(keys.frames("s0", "front"))
    redis_pair.ledger.xadd(keys.backlog("s0", "front"), {"sealed": b"x" * 1_800_000})
    janitor.step()
    assert redis_pair.live.xrange(keys.frames("s0", "front")) == before
    assert redis_pair.ledger.xlen(keys.backlog("s0", "front")) == 1
    assert janitor.counters.to_dict() == {}


def test_entries_too_large_to_be_any_are_deleted(redis_pair: RedisPair, hostile: Client, janitor: Janitor) -> None:
    hostile.xadd(keys.frames("s0", "back"), {str(i): b"x" * 1_900_000 for i in range(8)}, maxlen=KEPT)
    assert redis_pair.live.memory_usage(keys.frames("s0", "back")) > FRAMES_BYTES
    janitor.sweep_live()
    assert not redis_pair.live.exists(keys.frames("s0", "back"))
    assert janitor.counters["streams_deleted"] == 1


def test_one_giant_command_ends_its_connection_and_nobody_elses(redis_pair: RedisPair, hostile: Client) -> None:
    fields: Any = {str(i): b"x" * 1_900_000 for i in range(CLIENTS_MAX_MEMORY_MB)}
    with pytest.raises((*FAILURES, redis.exceptions.OutOfMemoryError)):
        hostile.xadd(keys.frames("s0", "back"), fields)
    assert send(redis_pair.live, "front", frame(ANNA))
    assert not redis_pair.live.exists(keys.frames("s0", "back"))


def test_the_ledger_is_swept_as_well(redis_pair: RedisPair, janitor: Janitor) -> None:
    backlog, events = keys.backlog("s0", "back"), keys.kiosk_events("s0", "back")
    redis_pair.ledger.xadd(keys.decisions("s0"), {"v": "1"})
    pipe = redis_pair.ledger.pipeline(transaction=False)
    for _ in range(2_000):
        pipe.xadd(backlog, {"v": "1"})
        pipe.xadd(events, {"v": "1"})
    pipe.execute()
    janitor.sweep_ledger()
    assert redis_pair.ledger.xlen(backlog) == BACKLOG_KEPT
    assert redis_pair.ledger.xlen(events) == 1_000
    assert redis_pair.ledger.xlen(keys.decisions("s0")) == 1, "decisions are never trimmed"


def test_a_kiosk_announces_itself_by_its_heartbeat_and_nobody_else(
    redis_pair: RedisPair, hostile: Client, janitor: Janitor
) -> None:
    Heart(hostile, "s0", "kiosk", "back", dict).beat()
    redis_pair.live.set(keys.heartbeat("s0", "kiosk", "Not A Name"), "{}", ex=3)
    redis_pair.live.set(keys.heartbeat("s0", "worker", "w1"), "{}", ex=3)
    redis_pair.live.set(keys.heartbeat("s1", "kiosk", "elsewhere"), "{}", ex=3)
    janitor.sweep_live()
    assert redis_pair.live.zrange(keys.kiosks("s0"), 0, -1) == [b"back"]
    with pytest.raises(redis.exceptions.NoPermissionError):
        hostile.zadd(keys.kiosks("s0"), {f"door-{i}": 1 for i in range(1_000)})
    with pytest.raises(redis.exceptions.NoPermissionError):
        Heart(hostile, "s0", "kiosk", "front", dict).beat()


def test_a_flood_stays_small_and_an_honest_kiosk_is_served_meanwhile(
    redis_pair: RedisPair,
    hostile: Client,
    start: Start,  # noqa: F811
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    worker = start()
    Heart(redis_pair.live, "s0", "kiosk", "front", dict).beat()
    until(lambda: "front" in worker.leases.held)
    stop, most = threading.Event(), 0

    def keep_flooding() -> None:
        while not stop.is_set():
            flood(hostile, 20, size=50_000)
            stop.wait(0.01)

    thread = threading.Thread(target=keep_flooding)
    thread.start()
    try:
        for seq in range(60):
            Heart(redis_pair.live, "s0", "kiosk", "front", dict).beat()
            send(redis_pair.live, "front", frame(ANNA, seq))
            most = max(most, int(redis_pair.live.memory_usage(keys.frames("s0", "back")) or 0))
            stop.wait(0.03)
    finally:
        stop.set()
        thread.join(10)
    assert any(one.outcome is Outcome.ACCEPTED for one in fakes.answers(redis_pair.live, "front"))
    until(lambda: redis_pair.live.xlen(keys.frames("s0", "back")) <= KEPT)
    assert most < 128_000_000, "what comes within a sweep or two"
    assert worker.counters["streams_trimmed"] >= 60 * 0.03 / (4 * SWEEP_S)
