"""Whole workers on a real Redis, with chosen sights: frames in, feedback and decisions out, whatever fails meanwhile."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.fakes import FakeEngine, Publisher, announce, away, axis, frame, person, send, sight, until
from worker.main import Worker
from worker.protocol import heartbeats, keys
from worker.protocol.connection import FAILURES, connect, server_time_ms
from worker.protocol.entries import Feedback
from worker.protocol.outcomes import Outcome
from worker.settings import WorkerSettings

ANNA, STRANGER, TROUBLE = 10, 20, 30
DEADLINE_MS = 1_500
DOOR_OF_W1 = "side"
"""Its rightful owner among w1 and w2 is w1."""
Start = Callable[..., Worker]


def engine() -> FakeEngine:
    return FakeEngine(
        {ANNA: sight(away(1, 6.0)), STRANGER: sight(axis(50)), TROUBLE: RuntimeError("the network fell over")}
    )


class Kiosk(threading.Thread):
    """A door that sends a frame every 40 ms and announces itself, whether or not Redis is there."""

    def __init__(self, pair: RedisPair, level: int, name: str = "front") -> None:
        super().__init__(daemon=True)
        self.client, self.level, self.name_of_door = connect(pair.live_server.url(), name=name), level, name
        self.stop_asked = threading.Event()

    def run(self) -> None:
        for seq in itertools.count():
            if self.stop_asked.wait(0.04):
                return
            try:
                announce(self.client, self.name_of_door)
                send(self.client, self.name_of_door, frame(self.level, seq, deadline_ms=DEADLINE_MS))
            except FAILURES:
                continue

    def stop(self) -> None:
        self.stop_asked.set()
        self.join(10)


@pytest.fixture
def start(redis_pair: RedisPair, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts workers that end with the test."""
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)  # each test waits for the end of one
    running: list[tuple[Any, threading.Thread]] = []

    def begin(name: str = "w1", **changes: Any) -> Worker:
        urls = {"live_url": redis_pair.live_server.url(), "ledger_url": redis_pair.ledger_server.url()}
        worker = Worker(settings.model_copy(update={"name": name, **urls, **changes}), engine())
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        running.append((worker, thread))
        return worker

    begin.running = running  # type: ignore[attr-defined]
    yield begin
    for worker, thread in running:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def kiosk(redis_pair: RedisPair) -> Iterator[Callable[..., Kiosk]]:
    doors: list[Kiosk] = []

    def begin(level: int, name: str = "front") -> Kiosk:
        doors.append(Kiosk(redis_pair, level, name))
        doors[-1].start()
        return doors[-1]

    yield begin
    for door in doors:
        door.stop()


def stopped(start: Start) -> None:
    worker, thread = start.running[-1]  # type: ignore[attr-defined]
    worker.stop()
    thread.join(20)
    assert not thread.is_alive()


def saw(pair: RedisPair, outcome: Outcome, door: str = "front") -> bool:
    return any(one.outcome is outcome for one in fakes.answers(pair.live, door))


def test_frames_in_words_and_a_decision_out(any_redis_pair: RedisPair, settings: WorkerSettings) -> None:
    urls = {"live_url": any_redis_pair.live_server.url(), "ledger_url": any_redis_pair.ledger_server.url()}
    Publisher(any_redis_pair.ledger).reset(person(1))
    worker = Worker(settings.model_copy(update=urls), engine())
    thread = threading.Thread(target=worker.run)
    door = Kiosk(any_redis_pair, ANNA)
    thread.start()
    door.start()
    try:
        until(lambda: saw(any_redis_pair, Outcome.ACCEPTED))
        (decision,) = until(lambda: fakes.decisions(any_redis_pair.ledger))
        assert decision.employee_id == "e1"
        beat = until(lambda: next(heartbeats.read(any_redis_pair.live, "s0", "worker"), None))
        assert beat.data["ready"]
        assert (beat.data["model_id"], beat.data["gallery_size"]) == (fakes.MODEL, 1)
        assert beat.data["meets_target"]
    finally:
        door.stop()
        worker.stop()
        thread.join(20)
    assert not thread.is_alive()
    assert not any_redis_pair.live.exists(keys.lease("s0", "front"))
    assert len(fakes.decisions(any_redis_pair.ledger)) == 1


def test_live_redis_killed_and_restarted_under_load(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk]
) -> None:
    """It goes on, decides nothing twice, and answers no frame that is older than its deadline."""
    Publisher(redis_pair.ledger).reset(person(1))
    worker = start(cooldown_s=300)
    kiosk(ANNA)
    until(lambda: saw(redis_pair, Outcome.ACCEPTED))
    for _ in range(2):
        redis_pair.live_server.kill()
        time.sleep(0.4)
        redis_pair.live_server.start()  # live keeps nothing: streams, leases and groups are gone
        until(lambda: saw(redis_pair, Outcome.ACCEPTED))
    entries: Any = redis_pair.live.xrange(keys.feedback("s0", "front"))
    answers = [(int(entry_id.split(b"-")[0]), Feedback.from_fields(fields)) for entry_id, fields in entries]
    assert max(answered_ms - one.captured_ms for answered_ms, one in answers) < DEADLINE_MS + 1_000
    seqs = [one.seq for _, one in answers]
    assert seqs == sorted(set(seqs))
    assert len(fakes.decisions(redis_pair.ledger)) == 1
    assert worker.counters["rounds_failed"] == 0


def test_a_frame_from_before_an_outage_is_not_answered(redis_pair: RedisPair, start: Start) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    late = server_time_ms(redis_pair.live) - 5_000
    send(redis_pair.live, "front", frame(ANNA, seq=1, deadline_ms=500), f"{late}-0")
    announce(redis_pair.live, "front")
    worker = start()
    until(lambda: worker.counters["frames_stale"] == 1)
    assert fakes.answers(redis_pair.live) == []


def test_the_ledger_killed_and_restarted_under_load(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk]
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    start(cooldown_s=300)
    kiosk(ANNA)
    until(lambda: saw(redis_pair, Outcome.ACCEPTED))
    redis_pair.ledger_server.kill()
    until(lambda: saw(redis_pair, Outcome.NOT_READY))
    assert not saw(redis_pair, Outcome.UNKNOWN)
    kiosk(ANNA, "back")
    redis_pair.ledger_server.start()
    until(lambda: saw(redis_pair, Outcome.ACCEPTED, "back"))
    until(lambda: {one.kiosk for one in fakes.decisions(redis_pair.ledger)} == {"front", "back"})
    # One whose answer was lost with the server is sent again, under the same event id: the recorder's to tell apart.
    assert len({one.event_id for one in fakes.decisions(redis_pair.ledger)}) == 2


def test_a_frame_that_breaks_the_engine_stops_nothing(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk]
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    worker = start()
    kiosk(TROUBLE, "bad")
    redis_pair.live.xadd(keys.frames("s0", "worse"), {"v": "1", "meta": "["})
    announce(redis_pair.live, "worse")
    kiosk(ANNA)
    until(lambda: saw(redis_pair, Outcome.ACCEPTED))
    until(lambda: worker.counters["frames_failed"] > 3)
    assert saw(redis_pair, Outcome.BAD_FRAME, "bad")
    assert saw(redis_pair, Outcome.BAD_FRAME, "worse")


def test_a_surprise_in_a_round_is_outlived(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk], monkeypatch: pytest.MonkeyPatch
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    worker = start()
    process, failures = worker.pipeline.process, iter(range(3))

    def surprised(batch: Any) -> None:
        if next(failures, None) is not None:
            raise KeyError("a bug")
        process(batch)

    monkeypatch.setattr(worker.pipeline, "process", surprised)
    kiosk(ANNA)
    until(lambda: saw(redis_pair, Outcome.ACCEPTED))
    assert worker.counters["rounds_failed"] == 3


def seen_for_a_second(pair: RedisPair) -> bool:
    times = [one.captured_ms for one in fakes.answers(pair.live) if one.outcome is Outcome.UNKNOWN]
    return bool(times) and max(times) - min(times) > 1_000


def test_a_stall_forgets_the_tracks_but_not_that_somebody_was_there(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk], monkeypatch: pytest.MonkeyPatch
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    worker = start(lease_ms=10_000)
    door = kiosk(STRANGER)
    until(lambda: seen_for_a_second(redis_pair))
    door.stop()
    monkeypatch.setattr(worker.leases, "refresh", lambda _ready: True)
    (decision,) = until(lambda: fakes.decisions(redis_pair.ledger))
    assert decision.outcome is Outcome.UNKNOWN


def test_a_stop_writes_down_open_presences_and_gives_up_the_kiosks(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk]
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    start(lease_ms=10_000)
    kiosk(STRANGER)
    until(lambda: saw(redis_pair, Outcome.UNKNOWN))

    until(lambda: seen_for_a_second(redis_pair))
    stopped(start)
    (decision,) = fakes.decisions(redis_pair.ledger)
    assert decision.outcome is Outcome.UNKNOWN
    assert not redis_pair.live.exists(keys.lease("s0", "front"))
    second = start("w2", lease_ms=10_000)
    until(lambda: second.leases.held == {"front"}, timeout_s=5)


def test_a_stop_while_both_servers_are_away(redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk]) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    start()
    kiosk(ANNA)
    until(lambda: saw(redis_pair, Outcome.ACCEPTED))
    redis_pair.live_server.kill()
    redis_pair.ledger_server.kill()
    stopped(start)


WORKER = """
import sys
from tests.worker.test_main import engine
from worker.main import Worker
from worker.settings import WorkerSettings
worker = Worker(WorkerSettings(name="w1", live_url=sys.argv[1], ledger_url=sys.argv[2]), engine())
worker.run()
"""


def test_a_killed_workers_kiosks_are_served_again(
    redis_pair: RedisPair, start: Start, kiosk: Callable[..., Kiosk], tmp_path: Path
) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    urls = [redis_pair.live_server.url(), redis_pair.ledger_server.url()]
    root = Path(__file__).parents[2]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *urls], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stderr=log
        )
    try:
        kiosk(ANNA, DOOR_OF_W1)
        until(lambda: redis_pair.live.get(keys.lease("s0", DOOR_OF_W1)) == b"w1", timeout_s=120)
        until(lambda: saw(redis_pair, Outcome.ACCEPTED, DOOR_OF_W1))
        second = start("w2")
        until(lambda: second.leases.living == {"w1", "w2"})
        assert second.leases.held == set()
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        process.kill()
        process.wait()
    killed_s = time.monotonic()
    until(lambda: any(one.worker == "w2" for one in fakes.answers(redis_pair.live, DOOR_OF_W1)))
    assert time.monotonic() - killed_s < 3 + 2  # three seconds, and two for a machine with much else to do
    until(lambda: any((a.worker, a.outcome) == ("w2", "accepted") for a in fakes.answers(redis_pair.live, DOOR_OF_W1)))


def test_without_a_redis_it_says_what_to_set(settings: WorkerSettings) -> None:
    with pytest.raises(ValueError, match="no Redis for the live role: set ATTENDANCE_LIVE_URL"):
        Worker(settings, engine())
