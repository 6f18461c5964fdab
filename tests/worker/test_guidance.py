"""What a person is told about a frame, and which frame is kept."""

from dataclasses import replace

import pytest

from tests.worker.fakes import EMPTY, LEFT, RIGHT, sight
from worker.engine import Sight
from worker.guidance import SIDE_FROM_SHARE, STRAIGHT_SHARE, Collector, Look, guide, pose_hint, score
from worker.protocol.guided import GOOD_APART_MS, GOOD_FRAMES, Hint, Pose
from worker.protocol.outcomes import Outcome
from worker.quality import Quality
from worker.settings import WorkerSettings

HEIGHT = 240


@pytest.mark.parametrize(
    ("seen", "hint"),
    [
        (EMPTY, Hint.NO_FACE),
        (sight(others=[RIGHT], several=True), Hint.SEVERAL_FACES),
        (sight(fault=Outcome.TOO_SMALL), Hint.TOO_SMALL),
        (sight(fault=Outcome.CUT_OFF), Hint.CUT_OFF),
        (sight(fault=Outcome.CUT_OFF, box=(0, 0, 200, 230)), Hint.TOO_NEAR),
        (sight(box=(0, 10, 200, 230)), Hint.TOO_NEAR),
        (sight(fault=Outcome.TOO_DARK, turn=0.3), Hint.TOO_DARK),
        (sight(fault=Outcome.TOO_BRIGHT), Hint.TOO_BRIGHT),
        (sight(fault=Outcome.TURNED_AWAY, turn=-0.6), Hint.LOOK_STRAIGHT),
        (sight(fault=Outcome.BLURRED, turn=0.3), Hint.LOOK_STRAIGHT),
        (sight(fault=Outcome.BLURRED), Hint.BLURRED),
        (sight(), Hint.GOOD),
    ],
)
def test_the_nearest_cause_is_told(seen: Sight, hint: Hint, settings: WorkerSettings) -> None:
    look = guide(seen, HEIGHT, Pose.STRAIGHT, settings)
    assert look.hint is hint
    assert (look.score > 0) == (hint is Hint.GOOD)


@pytest.mark.parametrize(
    ("turn", "straight", "left", "right"),
    [
        (0.0, None, Hint.MORE_LEFT, Hint.MORE_RIGHT),
        (0.15, Hint.LOOK_STRAIGHT, Hint.MORE_LEFT, Hint.MORE_RIGHT),
        (0.3, Hint.LOOK_STRAIGHT, None, Hint.MORE_RIGHT),
        (-0.3, Hint.LOOK_STRAIGHT, Hint.MORE_LEFT, None),
        (0.5, Hint.LOOK_STRAIGHT, Hint.TURN_LESS, Hint.MORE_RIGHT),
        (-0.5, Hint.LOOK_STRAIGHT, Hint.MORE_LEFT, Hint.TURN_LESS),
    ],
)
def test_how_to_turn(turn: float, straight: Hint | None, left: Hint | None, right: Hint | None) -> None:
    assert [pose_hint(turn, pose, 0.45) for pose in Pose] == [straight, left, right]


def test_no_turn_fits_two_poses() -> None:
    for max_yaw in (0.05, 0.45, 1.0):
        for step in range(-100, 101):
            fits = [pose for pose in Pose if pose_hint(step / 100, pose, max_yaw) is None]
            assert len(fits) <= 1
    assert SIDE_FROM_SHARE > STRAIGHT_SHARE


def test_quality_orders_frames(settings: WorkerSettings) -> None:
    best = Quality(220, 200, 135, 0, None)
    for worse in (replace(best, sharpness=40), replace(best, face_px=90), replace(best, brightness=60)):
        assert 0 < score(worse, settings) < score(best, settings) <= 1


def test_the_best_of_a_pose_is_kept_and_the_next_one_wanted() -> None:
    collector, at_ms = Collector(), 1_000
    for pose in Pose:
        assert collector.pose is pose
        assert collector.offer(Look(Hint.BLURRED), b"blurred", at_ms) is None
        chosen = None
        for n in range(GOOD_FRAMES):
            assert chosen is None
            at_ms += GOOD_APART_MS
            chosen = collector.offer(Look(Hint.GOOD, 0.9 if n == 1 else 0.5), b"%d" % n, at_ms)
        assert chosen == b"1"
    assert collector.pose is None
    assert collector.offer(Look(Hint.GOOD, 1.0), b"more", at_ms) is None


def test_frames_of_one_moment_do_not_make_up_a_pose() -> None:
    collector = Collector()
    for n in range(3 * GOOD_FRAMES):
        assert collector.offer(Look(Hint.GOOD, 0.5 + n / 100), b"%d" % n, 1_000 + n) is None
    assert collector.offer(Look(Hint.GOOD, 0.1), b"later", 2_000) is None
    assert collector.offer(Look(Hint.GOOD, 0.1), b"last", 3_000) == b"8", "a better one of the same moment still counts"


def test_a_side_is_the_persons_own() -> None:
    assert sight(box=LEFT, turn=0.3).quality is not None
    assert pose_hint(0.3, Pose.LEFT, 0.45) is None
