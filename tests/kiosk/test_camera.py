"""The newest picture, never a queue; and coming back after a source failed or fell silent."""

import threading
import time

import pytest

from kiosk.camera import Camera, CameraStatus
from kiosk.sources import SourceError
from tests.kiosk.support import FakeSource, eventually, grey, level_of
from worker.protocol.connection import Backoff


def quick() -> Backoff:
    return Backoff(cap_s=0.05, first_s=0.02)


def test_only_the_newest_picture_is_there() -> None:
    hold = threading.Event()
    source = FakeSource([*(grey(level) for level in range(0, 200, 10)), lambda: (hold.wait(20), grey(250))[1]])
    camera = Camera(lambda: source)
    camera.start()
    assert eventually(lambda: (shot := camera.newest()) is not None and shot.number == 20)
    shot = camera.newest()
    assert shot is not None
    assert level_of(shot.picture) == 190
    assert camera.wait_newer(shot.number, 0.01) is None, "the same picture is not new"
    hold.set()
    newer = camera.wait_newer(shot.number, 20)
    assert newer is not None
    assert level_of(newer.picture) == 250
    assert newer.captured_s >= shot.captured_s
    assert camera.source_started_ms == pytest.approx(time.time() * 1000, abs=60_000)
    camera.stop()


def test_an_unplugged_camera_is_told_and_opened_again() -> None:
    said: list[CameraStatus] = []
    sources = [FakeSource([grey(1)] * 3), FakeSource([SourceError("busy")]), FakeSource([grey(2)] * 10_000)]
    left = iter(sources)
    camera = Camera(lambda: next(left), said.append, backoff=quick())
    camera.start()
    assert eventually(lambda: (shot := camera.newest()) is not None and level_of(shot.picture) == 2)
    assert [s.state for s in said] == ["ok", "lost", "lost", "ok"]
    assert [s.words for s in said[1:3]] == ["unplugged", "busy"]
    shot = camera.newest()
    assert shot is not None
    assert shot.number > 3, "numbers go on rising over a reconnect"
    assert [s.closed for s in sources[:2]] == [1, 1]
    camera.stop()


def test_a_lost_camera_has_no_picture() -> None:
    camera = Camera(lambda: FakeSource([grey(1)]), backoff=Backoff(cap_s=60, first_s=60))
    camera.start()
    assert eventually(lambda: camera.status.state == "lost")
    assert camera.newest() is None
    camera.stop()


def test_a_silent_source_is_given_up_and_its_late_picture_ignored() -> None:
    hang = threading.Event()
    silent = FakeSource([grey(1), lambda: (hang.wait(20), grey(99))[1]])
    lively = FakeSource([grey(2)] * 10_000)
    left = iter([silent, lively])
    said: list[str] = []
    camera = Camera(lambda: next(left), lambda s: said.append(s.words), stall_s=0.2, backoff=quick())
    camera.start()
    assert eventually(lambda: (shot := camera.newest()) is not None and level_of(shot.picture) == 2)
    assert said[:2] == ["ok", "no new picture for 0 s"]
    hang.set()
    assert eventually(lambda: silent.closed == 1)
    shot = camera.newest()
    assert shot is not None
    assert level_of(shot.picture) == 2
    camera.stop()


def test_a_source_that_cannot_even_be_made_is_tried_again() -> None:
    tries = []

    def make() -> FakeSource:
        tries.append(1)
        if len(tries) < 3:
            raise SourceError("the folder is gone")
        return FakeSource([grey(5)] * 10_000)

    camera = Camera(make, backoff=quick())
    camera.start()
    assert eventually(lambda: camera.status.state == "ok")
    camera.stop()


def test_stop_is_quick_even_when_a_read_hangs() -> None:
    hang = threading.Event()
    camera = Camera(lambda: FakeSource([lambda: (hang.wait(20), grey(1))[1]]))
    camera.start()
    began_s = time.monotonic()
    camera.stop()
    assert time.monotonic() - began_s < 2
    hang.set()
