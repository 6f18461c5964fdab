"""Two and three whole workers on a real Redis: who serves which kiosk while workers come, leave and die."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.fakes import Publisher, person, until
from tests.worker.test_main import ANNA, Kiosk, engine
from worker.main import Worker
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import Feedback
from worker.rendezvous import owner
from worker.settings import WorkerSettings

LEASE_MS = 1_000
DOORS = [f"door-{i}" for i in range(4)]
UNSERVED_MS = 3_000


class Answers(threading.Thread):
    """Follows the feedback of all doors: (server time ms, worker), oldest first, by door."""

    def __init__(self, pair: RedisPair) -> None:
        super().__init__(daemon=True)
        self.client = connect(pair.live_server.url(), name="answers")
        self.seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.stop_asked = threading.Event()

    def run(self) -> None:
        last: dict[str, Any] = {keys.feedback("s0", door): "0-0" for door in DOORS}
        while not self.stop_asked.is_set():
            for key, entries in self.client.xread(last, block=100) or []:
                for entry_id, fields in entries:
                    last[key.decode()] = entry_id
                    door = key.decode().rsplit(":", 1)[1]
                    self.seen[door].append((int(entry_id.split(b"-")[0]), Feedback.from_fields(fields).worker))

    def all_by(self, *workers: str) -> bool:
        """Whether each door's latest answer is its rightful owner's among these workers."""
        return all(self.seen[door] and self.seen[door][-1][1] == owner(door, workers) for door in DOORS)


Begin = Callable[[str], tuple[Worker, threading.Thread]]


@pytest.fixture
def begin(redis_pair: RedisPair, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)
    urls = {"live_url": redis_pair.live_server.url(), "ledger_url": redis_pair.ledger_server.url()}
    running = []

    def start(name: str) -> tuple[Worker, threading.Thread]:
        worker = Worker(settings.model_copy(update={"name": name, "lease_ms": LEASE_MS, **urls}), engine())
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        running.append((worker, thread))
        return worker, thread

    yield start
    for worker, thread in running:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()
        if "_leave" in vars(worker):
            Worker._leave(worker)  # one that died: its other threads would go on in the tests after this


@pytest.fixture
def answers(redis_pair: RedisPair) -> Iterator[Answers]:
    Publisher(redis_pair.ledger).reset(person(1))
    doors = [Kiosk(redis_pair, ANNA, door) for door in DOORS]
    follower = Answers(redis_pair)
    for thread in (*doors, follower):
        thread.start()
    yield follower
    for door in doors:
        door.stop()
    follower.stop_asked.set()
    follower.join(10)


def die(worker: Worker, thread: threading.Thread) -> None:
    """End its loop at once, as a kill does: nothing is given up or announced."""
    worker._leave = lambda: None  # type: ignore[method-assign]
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()


def check(seen: dict[str, list[tuple[int, str]]]) -> None:
    """No door had two workers for longer than a lease, and none waited longer than three seconds."""
    for door, answers in seen.items():
        gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(answers)]
        assert max(gaps) <= UNSERVED_MS, door
        for worker in {worker for _, worker in answers}:
            times = [ms for ms, who in answers if who == worker]
            others = [ms for ms, who in answers if who != worker and times[0] < ms < times[-1]]
            assert not others or others[-1] - others[0] <= LEASE_MS, f"{door}: {worker} and another"


def test_two_workers_share_the_kiosks_and_one_takes_over_from_the_dead(begin: Begin, answers: Answers) -> None:
    begin("w1")
    until(lambda: answers.all_by("w1"))
    second = begin("w2")
    until(lambda: answers.all_by("w1", "w2"))
    assert {owner(door, ["w1", "w2"]) for door in DOORS} == {"w1", "w2"}
    die(*second)
    until(lambda: answers.all_by("w1"))
    check(answers.seen)


def test_three_workers_come_leave_and_die(begin: Begin, answers: Answers, redis_pair: RedisPair) -> None:
    first, second, third = begin("w1"), begin("w2"), begin("w3")
    until(lambda: answers.all_by("w1", "w2", "w3"))
    settled = {door: len(seen) for door, seen in answers.seen.items()}
    first[0].stop()
    until(lambda: answers.all_by("w2", "w3"))
    die(*second)
    until(lambda: answers.all_by("w3"))
    assert {redis_pair.live.get(keys.lease("s0", door)) for door in DOORS} == {b"w3"}
    check({door: seen[settled[door] - 1 :] for door, seen in answers.seen.items()})
    assert third[0].counters["rounds_failed"] == 0


def test_tracks_go_with_the_kiosk(begin: Begin, answers: Answers) -> None:
    first, _ = begin("w1")
    until(lambda: answers.all_by("w1"))
    until(lambda: set(first.pipeline._tracks) == set(DOORS))
    begin("w2")
    until(lambda: answers.all_by("w1", "w2"))
    until(lambda: set(first.pipeline._tracks) == {door for door in DOORS if owner(door, ["w1", "w2"]) == "w1"})


def test_a_new_kiosk_is_served_within_a_second(begin: Begin, redis_pair: RedisPair) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    worker, _ = begin("w1")
    until(lambda: worker.gallery.ready)
    door = Kiosk(redis_pair, ANNA, "brand-new")
    door.start()
    entries: Any = until(lambda: redis_pair.live.xrange(keys.feedback("s0", "brand-new"), count=1))
    door.stop()
    first = Feedback.from_fields(entries[0][1])
    assert first.seq <= 2 * (1 / 0.04), "one second of frames, and as much again for a machine with much else to do"
    assert fakes.answers(redis_pair.live, "brand-new")
