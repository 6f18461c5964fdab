"""Guided enrolment's rules: what to tell the person, how good a frame is, and which frame of a pose is kept. No I/O.

The pose is the turn that the quality gate measures (worker/quality.py), by its own limit: straight is a quarter of what
still passes as turned, a wanted side lies between two fifths and nine tenths of it. So the chosen frames of two poses are
never nearly equal: they are at least 0.15 of the limit apart.
"""

from dataclasses import dataclass, field

from worker.engine import Sight
from worker.protocol.guided import GOOD_APART_MS, GOOD_FRAMES, Hint, Pose
from worker.protocol.outcomes import Outcome
from worker.quality import Quality
from worker.settings import WorkerSettings

STRAIGHT_SHARE, SIDE_FROM_SHARE, SIDE_TO_SHARE = 0.25, 0.4, 0.9
"""Of `max_yaw`: 0.11, 0.18 and 0.41 half eye distances at 0.45, which is about 7°, 11° and 24° on most heads."""
NEAR_SHARE = 0.85
"""A face higher than this share of the picture is too near: a step back, and the whole head is in it."""
FINE_SHARPNESS, FINE_SIZE = 4.0, 2.5
"""Times the gate's least, beyond which a frame gets no better."""

FIRST_FAULTS = {
    Outcome.TOO_SMALL: Hint.TOO_SMALL,
    Outcome.CUT_OFF: Hint.CUT_OFF,
    Outcome.TOO_DARK: Hint.TOO_DARK,
    Outcome.TOO_BRIGHT: Hint.TOO_BRIGHT,
}
"""What is told before the pose; blur comes last, since a head that turns is blurred."""


@dataclass(frozen=True)
class Look:
    """One frame for one pose; `score` (0 … 1) is above 0 exactly when the hint is `good`."""

    hint: Hint
    score: float = 0.0


def guide(sight: Sight, frame_height: int, pose: Pose, settings: WorkerSettings) -> Look:
    """What to tell the person in this frame, nearest cause first."""
    quality = sight.quality
    if not sight.faces or quality is None:
        return Look(Hint.NO_FACE)
    if sight.several:
        return Look(Hint.SEVERAL_FACES)
    if quality.fault in FIRST_FAULTS:
        near = quality.fault is Outcome.CUT_OFF and sight.faces[0].height > NEAR_SHARE * frame_height
        return Look(Hint.TOO_NEAR if near else FIRST_FAULTS[quality.fault])
    if sight.faces[0].height > NEAR_SHARE * frame_height:
        return Look(Hint.TOO_NEAR)
    turn = pose_hint(quality.turn, pose, settings.max_yaw)
    if turn is not None:
        return Look(turn)
    if quality.fault is not None:
        return Look(Hint.BLURRED)
    return Look(Hint.GOOD, score(quality, settings))


def pose_hint(turn: float, pose: Pose, max_yaw: float) -> Hint | None:
    """How to turn for the pose; None when it is right."""
    if pose is Pose.STRAIGHT:
        return None if abs(turn) <= STRAIGHT_SHARE * max_yaw else Hint.LOOK_STRAIGHT
    aside = turn if pose is Pose.LEFT else -turn
    if aside < SIDE_FROM_SHARE * max_yaw:
        return Hint.MORE_LEFT if pose is Pose.LEFT else Hint.MORE_RIGHT
    return None if aside <= SIDE_TO_SHARE * max_yaw else Hint.TURN_LESS


def score(quality: Quality, settings: WorkerSettings) -> float:
    """How good a frame that passes the gates is, above 0 to 1: the geometric mean of sharpness, size and light."""
    sharp = min(1.0, quality.sharpness / (FINE_SHARPNESS * max(settings.min_sharpness, 1.0)))
    size = min(1.0, quality.face_px / (FINE_SIZE * settings.good_face_px))
    middle = (settings.min_brightness + settings.max_brightness) / 2
    half = max(1.0, (settings.max_brightness - settings.min_brightness) / 2)
    light = max(0.0, 1 - abs(quality.brightness - middle) / half)
    return float(max(1e-3, sharp * size * light) ** (1 / 3))


@dataclass
class Collector:
    """The best frame of each pose, one pose after the other; times in ms, rising."""

    done: set[Pose] = field(default_factory=set)
    _best: tuple[float, bytes] | None = None
    _good: int = 0
    _counted_ms: int = 0

    @property
    def pose(self) -> Pose | None:
        """The pose that is wanted now; None once all are there."""
        return next((pose for pose in Pose if pose not in self.done), None)

    def offer(self, look: Look, jpeg: bytes, at_ms: int) -> bytes | None:
        """Take a look at a frame for the present pose; returns the frame to keep once the pose has enough good ones."""
        pose = self.pose
        if pose is None or look.hint is not Hint.GOOD:
            return None
        if self._best is None or look.score > self._best[0]:
            self._best = (look.score, jpeg)
        if self._good == 0 or at_ms - self._counted_ms >= GOOD_APART_MS:
            self._good, self._counted_ms = self._good + 1, at_ms
        if self._good < GOOD_FRAMES:
            return None
        best = self._best[1]
        self.done.add(pose)
        self._best, self._good = None, 0
        return best
