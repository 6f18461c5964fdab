"""The demo's clip: its timeline, the sizes of the faces, and that it is the same every time."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from deploy import demo_scene as scene


def test_the_timeline_has_both_visits_and_quiet_between() -> None:
    first, second = scene.timeline()
    assert (first.person, second.person) == (scene.ENROLLED, scene.STRANGER)
    assert first.in_view_from_ms == 3_000
    assert second.in_view_from_ms - first.in_view_to_ms == 4_000
    assert second.in_view_to_ms < scene.LOOP_S * 1000
    for visit in (first, second):
        assert visit.in_view_from_ms < visit.stands_from_ms < visit.stands_to_ms < visit.in_view_to_ms
        assert visit.stands_to_ms - visit.stands_from_ms == 6_000


def test_a_face_grows_while_its_person_walks_up() -> None:
    for visit in scene.timeline():
        walk = range(visit.in_view_from_ms, visit.stands_from_ms, 200)
        sizes = [pose.face_px for at_ms in walk if (pose := scene.pose(visit, at_ms))]
        assert sizes[0] == pytest.approx(50, abs=4)
        assert all(later > earlier - 2 for earlier, later in itertools.pairwise(sizes))
        standing = scene.pose(visit, visit.stands_from_ms + 3_000)
        assert standing is not None
        assert standing.face_px == pytest.approx(150, abs=4)
        assert 200 < standing.x < 440
        assert standing.speed < 3
        assert scene.pose(visit, visit.in_view_from_ms - 1) is scene.pose(visit, visit.in_view_to_ms) is None


def test_who_is_there_also_in_later_rounds() -> None:
    clip = scene.Scene(Path("x.avi"), 38_000, scene.timeline())
    assert [clip.person_at(at_ms) for at_ms in (0, 7_000, 15_000, 22_000, 30_000)] == [
        *(None, scene.ENROLLED, None, scene.STRANGER, None)
    ]
    assert clip.person_at(38_000 * 3 + 7_000) == scene.ENROLLED


def test_the_same_seed_gives_the_same_pictures_and_another_does_not() -> None:
    first, again, other = (list(itertools.islice(scene.frames(seed=seed), 3)) for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert first[0].shape == (480, 640, 3)


def test_people_are_seen_in_front_of_the_hallway() -> None:
    empty, visits = scene.hallway(), scene.timeline()
    for visit in visits:
        pose = scene.pose(visit, visit.stands_from_ms + 1_000)
        assert pose is not None
        picture = scene.paste(empty, scene.load_portrait(visit.person), pose)
        changed = np.abs(picture - empty).max(axis=2) > 30
        assert changed[int(pose.y) - 40 : int(pose.y) + 40, int(pose.x) - 40 : int(pose.x) + 40].mean() > 0.8
        assert changed[470:, int(pose.x)].mean() > 0.6, "the clothes reach the picture's edge"
        assert not changed[:40, :40].any()


def test_a_rendered_clip_can_be_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "LOOP_S", 0.4)
    clip = scene.render(tmp_path / "scene.avi", 0.4)
    assert clip.length_ms == 400
    capture = cv2.VideoCapture(str(clip.path))
    assert capture.get(cv2.CAP_PROP_FPS) == scene.FPS
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    assert count == 6


def test_a_clip_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="can't be written"):
        scene.render(tmp_path / "no-folder" / "scene.avi")


def test_the_portrait_is_a_jpeg() -> None:
    assert scene.portrait_jpeg(scene.ENROLLED).startswith(b"\xff\xd8")
