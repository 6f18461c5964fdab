"""MTCNN with its real weights; frames of several kiosks in one call."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.detector import Detector, Face


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture(scope="module")
def alone(detector: Detector, portrait: NDArray[np.uint8]) -> Face:
    (faces,) = detector.find([portrait])
    assert len(faces) == 1
    return faces[0]


def test_the_face_is_where_it_is(alone: Face) -> None:
    left, top, right, bottom = alone.box
    assert 150 < left < 190 < 260 < right < 300
    assert 40 < top < 90 < 160 < bottom < 200
    left_eye, right_eye, nose, left_mouth, right_mouth = alone.landmarks
    assert left < left_eye[0] < nose[0] < right_eye[0] < right
    assert left_eye[1] < nose[1] < left_mouth[1] < bottom
    assert left_mouth[0] < right_mouth[0]
    assert alone.probability > 0.95


def test_one_batch_of_mixed_sizes_with_frames_without_faces(
    detector: Detector, alone: Face, portrait: NDArray[np.uint8]
) -> None:
    wide = np.zeros((720, 1280, 3), np.uint8)
    wide[100:612, 700:1212] = portrait  # shrunk to half for the search
    beside = np.zeros((512, 640, 3), np.uint8)
    beside[:, :512] = portrait
    empty, noise = np.zeros((480, 640, 3), np.uint8), np.random.default_rng(1).integers(0, 255, (512, 512, 3), np.uint8)
    sliver = np.zeros((40, 33, 3), np.uint8)
    found = detector.find([empty, wide, portrait, noise, beside, sliver, portrait])
    assert [len(faces) for faces in found] == [0, 1, 1, 0, 1, 0, 1]
    np.testing.assert_allclose(found[2][0].box, alone.box, atol=1)
    np.testing.assert_allclose(found[6][0].landmarks, alone.landmarks, atol=1)
    np.testing.assert_allclose(found[4][0].landmarks, alone.landmarks, atol=6)
    # coordinates are the frame's own, though the search saw it at half its size
    np.testing.assert_allclose(found[1][0].landmarks, alone.landmarks + [700, 100], atol=8)
    np.testing.assert_allclose(found[1][0].box, alone.box + [700, 100, 700, 100], atol=20)


def test_the_widest_face_comes_first(detector: Detector, portrait: NDArray[np.uint8]) -> None:
    frame = np.zeros((512, 640, 3), np.uint8)
    frame[:320, :320] = cv2.resize(portrait, (320, 320))
    frame[:, 300:] = portrait[:, 40:380]
    (faces,) = detector.find([frame])
    assert len(faces) == 2
    assert faces[0].width > faces[1].width * 1.3


def test_nothing_to_look_at(detector: Detector) -> None:
    assert detector.find([]) == []
