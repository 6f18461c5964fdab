"""A site of two shards on different masters of a real Redis Cluster: frames in, records and words back, in both.

The kiosks' sender and listener, the workers' loops, the recorders and the dashboard's board are the product's; what a
picture shows is its grey level. Everybody has the Redis user that `attendance acl` gives.
"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from dashboard.database import SessionFactory, engine_for, now_ms, reading, session_factory, upgrade
from dashboard.gallery.outbox import queue_change
from dashboard.live import arrivals
from dashboard.models import AttendanceEvent, EnrolmentPicture, Template
from dashboard.operating.running import running
from dashboard.people.employees import create_employee, deactivate
from dashboard.recording import recorder
from dashboard.settings import DashboardSettings
from deploy import acl
from kiosk.camera import Shot
from kiosk.feedback import FeedbackListener
from kiosk.sender import Sender, connect_live
from kiosk.settings import KioskSettings
from tests.cluster import Cluster
from tests.worker import fakes
from tests.worker.fakes import FakeEngine, away, axis, sight, until
from worker.main import Worker
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import Feedback, Recorded
from worker.protocol.heartbeats import Heart
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters
from worker.settings import WorkerSettings

ANNA = 10
PASSWORD = "a-password-of-the-tests"


class Door(threading.Thread):
    """A kiosk without camera and screen: its sender, its listener and its heart. It shows somebody all the time."""

    def __init__(self, shard: str, name: str, url: str) -> None:
        super().__init__(daemon=True)
        self.stop_asked = threading.Event()
        self.seen: list[tuple[float, Feedback]] = []
        self.recorded: list[Recorded] = []
        settings = KioskSettings(name=name, shard=shard, redis_url=url)
        live = connect_live(settings.url("live"), name)
        self.sender = Sender(live, settings, Counters())
        self.listener = FeedbackListener(
            *(connect(settings.url("live"), name=name), shard, name, 5_000, self.sender.sent, Counters()),
            on_frame=lambda feedback, _s: self.seen.append((time.monotonic(), feedback)),
            on_recorded=self.recorded.append,
        )
        self.heart = Heart(live, shard, "kiosk", name, dict)

    def run(self) -> None:
        self.listener.start()
        self.heart.start()
        picture = np.full((240, 640, 3), ANNA, np.uint8)
        number = 0
        while not self.stop_asked.wait(0.05):
            number += 1
            self.sender.send(Shot(picture, time.monotonic(), number), "p1")
        self.listener.stop()
        self.heart.stop()

    def accepted_since(self, since_s: float) -> bool:
        return any(at > since_s and one.outcome is Outcome.ACCEPTED for at, one in list(self.seen))


class TwoShards:
    """A worker, a recorder and a door in each of two shards, and one database."""

    def __init__(self, cluster: Cluster, home: Path) -> None:
        self.cluster, self.names = cluster, cluster.shards_on_two_nodes()
        users = acl.site_users(self.names, {f"door-{shard}": shard for shard in self.names})
        lines = [acl.user_line(u, PASSWORD, [*g["live"], *g["ledger"]], (7, 0)) for u, g in users.items()]
        cluster.set_users(lines)
        common: dict[str, Any] = {"home": home, "database_url": f"sqlite:///{home / 'a.db'}", "shards": self.names}
        self.dashboard = DashboardSettings(redis_url=self.url("dashboard"), **common)
        upgrade(self.dashboard.database)
        self.engine = engine_for(self.dashboard.database)
        self.sessions = session_factory(self.engine)
        self.lives = {shard: connect(self.dashboard.url("live", shard), name="dashboard") for shard in self.names}
        self.stop_asked = threading.Event()
        self.doors = {s: Door(s, f"door-{s}", self.url(f"kiosk-door-{s}")) for s in self.names}
        self.workers, self.threads = [], [*self.doors.values()]
        for shard in self.names:
            settings = WorkerSettings(home=home, shard=shard, name=f"worker-{shard}", redis_url=self.url("worker"))
            worker = Worker(settings, FakeEngine({ANNA: sight(away(1, 6.0))}))
            of_recorder = DashboardSettings(redis_url=self.url("recorder"), shard=shard, presence_gap_s=1, **common)
            self.workers.append(worker)
            self.threads.append(threading.Thread(target=worker.run, daemon=True))
            self.threads.append(threading.Thread(target=recorder.run, args=(of_recorder, self.stop_asked), daemon=True))

    def url(self, user: str) -> str:
        return self.cluster.url(user, PASSWORD)

    def stop(self) -> None:
        self.stop_asked.set()
        for ending in (*self.workers,):
            ending.stop()
        for door in self.doors.values():
            door.stop_asked.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()
        for live in self.lives.values():
            live.close()
        self.engine.dispose()


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoShards]:
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)
    made = TwoShards(cluster, tmp_path)
    yield made
    made.stop()


def enrol(sessions: SessionFactory) -> str:
    with sessions.begin() as session:
        anna = create_employee(session, "E-1", "Anna", "", consent_by="admin", now_ms=now_ms())
        template = Template(model_id=fakes.MODEL, vector=axis(1).astype("<f4").tobytes(), created_ms=now_ms())
        picture = EnrolmentPicture(
            employee_id=anna.id, sha256="0" * 64, jpeg=b"picture", created_ms=now_ms(), templates=[template]
        )
        session.add(picture)
        queue_change(session, "put", anna.id, fakes.MODEL)
        return anna.id


def events(sessions: SessionFactory) -> list[str]:
    with reading(sessions) as session:
        return list(session.scalars(select(AttendanceEvent.kiosk).order_by(AttendanceEvent.captured_ms)))


@pytest.mark.long
def test_both_shards_work_and_outlive_a_move_and_a_killed_node(site: TwoShards, cluster: Cluster) -> None:
    anna = enrol(site.sessions)
    for thread in site.threads:
        thread.start()
    for shard, door in site.doors.items():
        (first, *_) = until(lambda door=door: door.recorded, 20)
        assert (first.name, first.outcome) == ("Anna", Outcome.RECORDED)
        assert set(cluster.admins[cluster.holder(shard)].keys("frames:*")) == {
            keys.frames(shard, door.heart.who).encode()
        }
    assert sorted(events(site.sessions)) == sorted(door.heart.who for door in site.doors.values())

    board = [json.loads(chunk.split("data: ")[1]) for chunk in _arrivals(site, 2)]
    assert {one["kiosk"] for one in board} == {door.heart.who for door in site.doors.values()}
    now = running(site.lives)
    assert (len(now.kiosks), len(now.workers), now.recorders) == (2, 2, 2)

    moved, stays = site.names
    third = ({0, 1, 2} - {cluster.holder(moved), cluster.holder(stays)}).pop()
    cluster.begin_move(moved, third)
    cluster.finish_move(moved, third)
    _accepted_again(site)

    node = cluster.nodes[cluster.holder(stays)]
    node.kill()
    other = time.monotonic()
    until(lambda: site.doors[moved].accepted_since(other), 20)
    node.start()
    cluster.wait_until_well()
    _accepted_again(site)

    with site.sessions.begin() as session:
        deactivate(session, anna, now_ms())
    until(lambda: all(_stranger(door) for door in site.doors.values()), 20)
    assert sorted(events(site.sessions)) == sorted(door.heart.who for door in site.doors.values()), "nothing twice"


def _arrivals(site: TwoShards, count: int) -> list[str]:
    board = arrivals.follow(site.lives, None, life_s=20)
    found = (chunk for chunk in board if "event: arrival" in chunk)
    return [next(found) for _ in range(count)]


def _accepted_again(site: TwoShards) -> None:
    since = time.monotonic()
    until(lambda: all(door.accepted_since(since) for door in site.doors.values()), 30)


def _stranger(door: Door) -> bool:
    return bool(door.seen) and door.seen[-1][1].outcome is not Outcome.ACCEPTED
