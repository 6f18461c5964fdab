"""Is this face good enough to decide on? Size, position, pose, exposure, sharpness; the first fault is the one to tell."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.crop import five_points
from worker.detector import Face
from worker.protocol.outcomes import Outcome
from worker.settings import WorkerSettings

OUTSIDE_SHARE = 0.12
"""Share of the box that may lie outside the frame: MTCNN's boxes reach a little over the chin and the forehead."""
RIVAL_SHARE = 0.7
"""A second face at least this wide, compared with the nearest one, means that two people stand at the camera."""


@dataclass(frozen=True)
class Quality:
    """Measures of one face; `fault` is None for a good one."""

    face_px: float
    sharpness: float
    brightness: float
    turn: float
    fault: Outcome | None

    @property
    def yaw(self) -> float:
        return abs(self.turn)

    def figures(self) -> dict[str, float]:
        return {
            "face_px": round(self.face_px, 1),
            "sharpness": round(self.sharpness, 1),
            "brightness": round(self.brightness, 1),
            "yaw": round(self.yaw, 3),
        }


def turn_of(landmarks: NDArray[np.float32]) -> float:
    """How far the nose lies from the eyes' middle along the eye line, in half eye distances: 0 frontal, about ±1 profile.

    Positive where the person turns to their own left, which is to the right in a picture that isn't mirrored.
    """
    left, right, nose = (np.asarray(point, np.float64) for point in landmarks[:3])
    line = right - left
    half = float(np.hypot(*line)) / 2
    if half < 1e-6:
        return 1.0
    along = float(np.dot(nose - (left + right) / 2, line / (2 * half)))
    return along / half


def yaw_of(landmarks: NDArray[np.float32]) -> float:
    """How far a head is turned, to either side."""
    return abs(turn_of(landmarks))


def outside_share(face: Face, width: int, height: int) -> float:
    """Share of the box's area that lies outside a width × height frame."""
    left, top, right, bottom = (float(v) for v in face.box)
    inside = max(0.0, min(right, width) - max(left, 0.0)) * max(0.0, min(bottom, height) - max(top, 0.0))
    return 1 - inside / max(1e-6, face.width * face.height)


def judge(frame: NDArray[np.uint8], face: Face, settings: WorkerSettings) -> Quality:
    """Measure one face of an RGB frame (height, width, 3) and name its first fault, nearest cause first."""
    grey = cv2.cvtColor(five_points(frame, face.landmarks), cv2.COLOR_RGB2GRAY)[16:104, 16:96]
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    brightness = float(grey.mean())
    turn = turn_of(face.landmarks)
    if face.width < settings.good_face_px:
        fault = Outcome.TOO_SMALL
    elif outside_share(face, frame.shape[1], frame.shape[0]) > OUTSIDE_SHARE:
        fault = Outcome.CUT_OFF
    elif brightness < settings.min_brightness:
        fault = Outcome.TOO_DARK
    elif brightness > settings.max_brightness:
        fault = Outcome.TOO_BRIGHT
    elif abs(turn) > settings.max_yaw:
        fault = Outcome.TURNED_AWAY
    elif sharpness < settings.min_sharpness:
        fault = Outcome.BLURRED
    else:
        fault = None
    return Quality(face.width, sharpness, brightness, turn, fault)


def several(faces: list[Face]) -> bool:
    """Whether a second face is about as near as the nearest (`faces` widest first)."""
    return len(faces) > 1 and faces[1].width >= RIVAL_SHARE * faces[0].width
