"""The plan of faults, the markers and what the doors write down, without a site."""

import time
from pathlib import Path

import numpy as np
import pytest

from kiosk.sender import encode
from tests.chaos import plan
from tests.chaos.doors import Doors
from tests.chaos.footage import Footage, marker_footage
from tests.chaos.marker_engine import MarkerEngine, marker, template
from tests.chaos.truth import standing_of
from worker.decode import decode_jpeg
from worker.settings import WorkerSettings

WORKERS, KIOSKS = ["worker-1", "worker-2"], ["kiosk-a", "kiosk-b"]


@pytest.fixture(scope="module")
def footage() -> Footage:
    return marker_footage(3)


def test_a_seed_gives_the_same_faults_again() -> None:
    first = plan.draw(5, 200, 24, 7.5, WORKERS, KIOSKS)
    assert first == plan.draw(5, 200, 24, 7.5, WORKERS, KIOSKS)
    assert first != plan.draw(6, 200, 24, 7.5, WORKERS, KIOSKS)
    assert sum(fault.kind == "stop" for fault in first) == 24
    assert len(first) == 224
    hit = {target for fault in first for target in fault.targets}
    assert hit == {*WORKERS, *KIOSKS, "recorder", "live", "ledger", "database"}
    assert 0.8 < first[-1].at_s / (224 * 7.5) < 1.2
    assert all(fault.for_s > 2 for fault in first if fault.kind == "stop"), "longer than a lease"


def test_a_marker_is_read_through_the_kiosks_encoding_or_fails_the_gates(footage: Footage) -> None:
    engine = MarkerEngine(WorkerSettings())
    for number, clip in enumerate(footage.people.values(), 1):
        good = 0
        for shot in (*clip.arriving, *clip.standing, *clip.leaving):
            picture = decode_jpeg(shot.jpeg)[:, :, ::-1]
            sight = engine.look([decode_jpeg(encode(picture, 960, 85)[0])])[0][0]
            assert (sight.template is not None) == shot.good
            if sight.template is not None:
                good += 1
                others = [np.linalg.norm(sight.template - template(n)) for n in range(1, 20)]
                assert int(np.argmin(others)) + 1 == number
        assert 0.5 < good / len(clip.standing) < 1, "some pictures of everybody fail the gates"
    assert not any(shot.good for shot in footage.empty)


def test_a_marker_that_contradicts_itself_is_nobody() -> None:
    picture = np.full((240, 320, 3), 120, np.uint8)
    picture[60:172, 100:212] = marker(9, 112)
    engine = MarkerEngine(WorkerSettings())
    assert engine.look([picture[:, :, ::-1]])[0][0].template is not None
    picture[70:100, 110:140] = 255 - picture[70:100, 110:140]
    assert engine.look([picture[:, :, ::-1]])[0][0].template is None


def test_doors_write_down_who_stood_there(tmp_path: Path, footage: Footage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.chaos.doors.EMPTY_S", (0.05, 0.2))
    monkeypatch.setattr("tests.chaos.doors.STAND_S", ((0.1, 0.3),) * 4)
    doors = Doors(tmp_path, ["a", "b"], footage, fps=60, apart_s=0.5, seed=1)
    doors.start()
    end_s = time.monotonic() + 20
    while len(doors.visits) < 4 and time.monotonic() < end_s:
        assert (tmp_path / "a" / "now.jpg").stat().st_size > 1_000
        time.sleep(0.05)
    doors.close_doors()
    while not doors.empty() and time.monotonic() < end_s:
        time.sleep(0.02)
    doors.stop()
    assert len(doors.visits) >= 4
    for visit in doors.visits:
        assert visit.came_s < visit.stood_s < visit.turned_s < visit.left_s
        assert all(visit.stood_s <= at_s <= visit.turned_s for at_s in visit.good_s)
        assert standing_of(visit, []) in ("counted", "too_short")
    places = [(visit.employee, visit.door, visit.came_s, visit.left_s) for visit in doors.visits]
    for who, door, came_s, left_s in places:
        for other, where, from_s, to_s in places:
            if (who, came_s) != (other, from_s) and who == other:
                assert left_s <= from_s or to_s <= came_s, "nobody is at two doors"
                assert where != door or abs(from_s - came_s) > 0.5
