"""Each fault made from the one good portrait."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worker.fakes import face
from worker.detector import Detector, Face
from worker.protocol.outcomes import Outcome
from worker.quality import judge, outside_share, several, turn_of, yaw_of
from worker.settings import WorkerSettings


@pytest.fixture(scope="module")
def found(portrait: NDArray[np.uint8], model_cache: Path) -> Face:
    return Detector(model_cache).find([portrait])[0][0]


def fault(picture: NDArray[np.generic], found: Face, settings: WorkerSettings) -> Outcome | None:
    return judge(np.asarray(np.clip(picture, 0, 255), np.uint8), found, settings).fault


def test_the_portrait_is_good(portrait: NDArray[np.uint8], found: Face, settings: WorkerSettings) -> None:
    quality = judge(portrait, found, settings)
    assert quality.fault is None
    assert quality.figures()["face_px"] == pytest.approx(found.width, abs=0.1)
    assert set(quality.figures()) == {"face_px", "sharpness", "brightness", "yaw"}


def test_dark_bright_and_blurred(portrait: NDArray[np.uint8], found: Face, settings: WorkerSettings) -> None:
    assert fault(portrait * 0.15, found, settings) is Outcome.TOO_DARK
    assert fault(portrait * 0.2 + 215, found, settings) is Outcome.TOO_BRIGHT
    assert fault(cv2.GaussianBlur(portrait, (0, 0), 5), found, settings) is Outcome.BLURRED


def test_small(portrait: NDArray[np.uint8], found: Face, settings: WorkerSettings) -> None:
    half = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    near = Face(found.box * np.float32(0.5), found.landmarks * np.float32(0.5), 0.99)
    assert fault(half, near, settings) is Outcome.TOO_SMALL
    assert fault(half, near, settings.model_copy(update={"good_face_px": 32})) is None


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_cut_off_at_each_side(side: str, portrait: NDArray[np.uint8], found: Face, settings: WorkerSettings) -> None:
    left, top, right, bottom = (int(v) for v in found.box)
    dx, dy = (right - left) // 3, (bottom - top) // 3
    cuts = {
        "left": (left + dx, 0, 512, 512),
        "right": (0, 0, right - dx, 512),
        "top": (0, top + dy, 512, 512),
        "bottom": (0, 0, 512, bottom - dy),
    }
    x0, y0, x1, y1 = cuts[side]
    shift = np.array([x0, y0], np.float32)
    moved = Face(found.box - np.tile(shift, 2), found.landmarks - shift, 0.99)
    assert fault(portrait[y0:y1, x0:x1], moved, settings) is Outcome.CUT_OFF


def test_turned_away(portrait: NDArray[np.uint8], found: Face, settings: WorkerSettings) -> None:
    marks = found.landmarks.copy()
    marks[2] = marks[1]  # the nose under an eye
    assert fault(portrait, Face(found.box, marks, 0.99), settings) is Outcome.TURNED_AWAY


def test_the_nearest_cause_is_told_first(portrait: NDArray[np.uint8], found: Face, settings: WorkerSettings) -> None:
    marks = found.landmarks.copy()
    marks[2] = marks[1]
    black = np.zeros_like(portrait)
    assert fault(black, Face(found.box, marks, 0.99), settings) is Outcome.TOO_DARK
    assert (
        fault(black, Face(found.box, marks, 0.99), settings.model_copy(update={"good_face_px": 900}))
        is Outcome.TOO_SMALL
    )


def test_yaw() -> None:
    marks = np.array([[0, 0], [10, 0], [5, 8], [2, 12], [8, 12]], np.float32)
    assert yaw_of(marks) == pytest.approx(0)
    for nose, expected in ((0, -1), (10, 1), (7.5, 0.5)):
        marks[2, 0] = nose
        assert turn_of(marks) == pytest.approx(expected)
        assert yaw_of(marks) == pytest.approx(abs(expected))
    marks[2] = [5, 8]
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])  # a tilted head looks at the camera too
    assert yaw_of((marks @ turn.T).astype(np.float32)) == pytest.approx(0, abs=1e-5)
    assert yaw_of(np.zeros((5, 2), np.float32)) == 1


def test_outside_share() -> None:
    assert outside_share(face((0, 0, 10, 10)), 100, 100) == pytest.approx(0)
    assert outside_share(face((-5, 0, 5, 10)), 100, 100) == pytest.approx(0.5)
    assert outside_share(face((95, 95, 105, 105)), 100, 100) == pytest.approx(0.75)
    assert outside_share(face((200, 200, 210, 210)), 100, 100) == pytest.approx(1)


@pytest.mark.parametrize(
    ("widths", "expected"), [([], False), ([100], False), ([100, 70], True), ([100, 69], False), ([100, 90, 80], True)]
)
def test_several(widths: list[int], expected: bool) -> None:
    assert several([face((0, 0, width, width)) for width in widths]) is expected
