"""Redis goes away, people pass, Redis comes back: each is recorded once, late, at the right time, and no name was shown.

The real kiosk, worker loop, recorder and Redis servers; the camera shows made-up pictures and the network is the stand-in
of the worker's tests, which knows people by their grey level.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

import kiosk.main
from dashboard.background import keep_going
from dashboard.database import SessionFactory, engine_for, now_ms, reading, session_factory, upgrade
from dashboard.models import AttendanceEvent, DecisionRecord, Employee
from dashboard.recording.recorder import Recorder
from dashboard.settings import DashboardSettings
from kiosk.settings import KioskSettings
from kiosk.sources import Picture
from tests.conftest import RedisPair
from tests.worker.fakes import FakeEngine, Publisher, away, axis, person, sight, until
from worker.main import Worker
from worker.protocol.connection import connect
from worker.protocol.sealing import new_key_pair
from worker.settings import WorkerSettings

EMPTY, ANNA, BEN, STRANGER = 100, 70, 130, 150
"""Mean grey levels."""


class Door:
    """A camera in front of which the test puts people."""

    def __init__(self) -> None:
        self.level = EMPTY
        self._first = True

    def open(self) -> None:
        self._first = True

    def read(self) -> tuple[Picture, bool]:
        time.sleep(0.03)
        picture = np.full((240, 640, 3), 100, np.uint8)
        if self.level != EMPTY:  # a shape over 40 % of the picture
            picture[:, 192:448] = 100 + round((self.level - 100) / 0.4)
        picture[::40] = 60  # something to be sharp about
        picture[20::40] = 140
        first, self._first = self._first, False
        return picture, first

    def close(self) -> None:
        """Nothing is open."""


class Running:
    """Kiosk, worker and recorder in threads of this process."""

    def __init__(self, pair: RedisPair, folder: Path, door: Door, sessions: SessionFactory, database_url: str) -> None:
        public, private = new_key_pair()
        urls = {"live_url": pair.live_server.url(), "ledger_url": pair.ledger_server.url(), "home": folder}
        self.stop = threading.Event()
        self.kiosk = kiosk.main.Kiosk(
            KioskSettings(name="front", screen_port=0, gate_hold_s=0.6, site_public_key=public, source="door", **urls),
            self.stop,
        )
        engine = FakeEngine({ANNA: sight(away(1, 6.0)), BEN: sight(away(2, 6.0)), STRANGER: sight(axis(50))})
        self.worker = Worker(WorkerSettings(name="w1", site_private_key=private, **urls), engine)
        settings = DashboardSettings(database_url=database_url, time_zone="Asia/Jakarta", **urls)
        live, ledger = (connect(url, name="recorder") for url in (urls["live_url"], urls["ledger_url"]))
        recorder = Recorder(settings, sessions, live, ledger, "r1", self.stop)
        self.kiosk.start()
        work: list[Callable[[], object]] = [
            self.kiosk.serve,
            self.worker.run,
            lambda: keep_going(recorder.step, self.stop, "recorder"),
        ]
        self.threads = [threading.Thread(target=one, daemon=True) for one in work]
        for thread in self.threads:
            thread.start()

    @property
    def view(self) -> Any:
        return self.kiosk.view.now()

    @property
    def spooled(self) -> int:
        return self.kiosk.counters["spool_written"]

    def end(self) -> None:
        self.worker.stop()
        self.kiosk.stop()
        self.stop.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[SessionFactory]:
    url = f"sqlite:///{tmp_path / 'attendance.db'}"
    upgrade(url)
    engine = engine_for(url)
    factory = session_factory(engine)
    with factory.begin() as session:
        for number in (1, 2):
            session.add(Employee(id=f"e{number}", code=f"E{number}", name=f"Person {number}", created_ms=now_ms()))
    yield factory
    engine.dispose()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    one = Door()
    monkeypatch.setattr(kiosk.main, "make_source", lambda *_: one)
    return one


@pytest.fixture
def running(redis_pair: RedisPair, tmp_path: Path, door: Door, sessions: SessionFactory) -> Iterator[Running]:
    Publisher(redis_pair.ledger).reset(person(1), person(2))
    one = Running(redis_pair, tmp_path, door, sessions, f"sqlite:///{tmp_path / 'attendance.db'}")
    yield one
    one.end()


def rows(sessions: SessionFactory, table: Any) -> list[Any]:
    with reading(sessions) as session:
        return list(session.scalars(select(table).order_by(table.captured_ms)))


def pass_by(running: Running, door: Door, level: int) -> tuple[int, int]:
    """Somebody stands there for some seconds and leaves; when they were there, in ms."""
    began_ms, before = now_ms(), running.spooled
    door.level = level
    end_s = time.monotonic() + 2.6
    while time.monotonic() < end_s:  # the length of the visit is what is tested
        view = running.view
        assert view.name is None
        time.sleep(0.05)
    left_ms = now_ms()
    door.level = EMPTY
    until(lambda: running.spooled > before)
    return began_ms, left_ms


@pytest.mark.long
def test_people_who_pass_while_redis_is_away_are_recorded_once_at_the_right_time(
    redis_pair: RedisPair, running: Running, door: Door, sessions: SessionFactory, tmp_path: Path
) -> None:
    until(lambda: running.kiosk.counters["feedback"] > 0)
    redis_pair.live_server.kill()
    redis_pair.ledger_server.kill()
    until(lambda: running.view.mode == "lost_server")
    until(lambda: "recorded when it is back" in running.view.detail)
    visits = {
        "e1": pass_by(running, door, ANNA),
        "e2": pass_by(running, door, BEN),
        None: pass_by(running, door, STRANGER),
    }
    files = list((tmp_path / "spool" / "front").iterdir())
    assert files
    # five bytes of its head: three may come up by chance in a megabyte of sealed ones
    assert not any(b"JFIF\0" in file.read_bytes() for file in files), "no JPEG lies open on the disk"
    redis_pair.live_server.start()
    redis_pair.ledger_server.start()
    until(lambda: len(rows(sessions, DecisionRecord)) >= 3, timeout_s=30)
    until(lambda: not list((tmp_path / "spool" / "front").iterdir()))
    until(lambda: running.worker.counters["backlog_entries"] >= len(files))
    events = rows(sessions, AttendanceEvent)
    assert [one.employee_id for one in events] == ["e1", "e2"]
    for one in rows(sessions, DecisionRecord):
        began_ms, left_ms = visits[one.employee_id]
        assert began_ms <= one.captured_ms <= left_ms + 500
        assert (one.late, one.time_uncertain) == (True, False)
    assert sorted(one.outcome for one in rows(sessions, DecisionRecord)) == ["accepted", "accepted", "unknown"]


def test_while_everything_runs_nothing_is_spooled(
    running: Running, door: Door, sessions: SessionFactory, tmp_path: Path
) -> None:
    until(lambda: running.kiosk.counters["feedback"] > 0)
    door.level = ANNA
    until(lambda: running.view.mode == "recorded")
    until(lambda: not running.kiosk.keeper or not running.kiosk.keeper._owed)
    door.level = EMPTY
    until(lambda: running.kiosk.keeper and not running.kiosk.keeper._kept)
    assert running.spooled == 0
    (event,) = rows(sessions, AttendanceEvent)
    assert event.employee_id == "e1"
    assert [one.late for one in rows(sessions, DecisionRecord)] == [False]
