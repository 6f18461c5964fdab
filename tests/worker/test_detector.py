"""MTCNN with its real weights; frames of several kiosks in one call."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.detector import Detector, Face, MtcnnTorch
from worker.mtcnn_cpu import Halvings, MtcnnCpu


@pytest.fixture(scope="module")
def detector(model_cache: Path) -> Detector:
    return Detector(model_cache)


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
    np.testing.assert_allclose(found[1][0].landmarks, alone.landmarks + np.array([700, 100]), atol=8)
    np.testing.assert_allclose(found[1][0].box, alone.box + np.array([700, 100, 700, 100]), atol=20)


def test_the_widest_face_comes_first(detector: Detector, portrait: NDArray[np.uint8]) -> None:
    frame = np.zeros((512, 640, 3), np.uint8)
    frame[:320, :320] = cv2.resize(portrait, (320, 320))
    frame[:, 300:] = portrait[:, 40:380]
    (faces,) = detector.find([frame])
    assert len(faces) == 2
    assert faces[0].width > faces[1].width * 1.3


def test_nothing_to_look_at(detector: Detector) -> None:
    assert detector.find([]) == []


def test_the_compiled_cascade_finds_what_the_original_finds(model_cache: Path, portrait: NDArray[np.uint8]) -> None:
    """Same networks, same arithmetic; only the pyramid is made in steps."""
    other = np.ascontiguousarray(portrait[:, ::-1])
    small = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    for picture in (portrait, other, np.asarray(small, np.uint8)):
        (original,) = MtcnnTorch("cpu", 40).find([picture])
        (ours,) = MtcnnCpu(model_cache, 40, threads=1).find([picture])
        sure = [part[original[1] >= 0.95] for part in original]
        ours = tuple(part[ours[1] >= 0.95] for part in ours)  # type: ignore[assignment]
        assert len(ours[0]) == len(sure[0]) == 1
        width = float(sure[0][0, 2] - sure[0][0, 0])
        np.testing.assert_allclose(ours[0], sure[0], atol=0.12 * width)
        np.testing.assert_allclose(ours[2], sure[2], atol=0.05 * width)


def test_halvings_are_the_picture_at_half_and_a_quarter() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (101, 64, 3), np.uint8)
    halvings = Halvings(picture)
    for times, px in ((0.1, 1), (1.9, 1), (2, 2), (5, 4)):
        level, spans = halvings.at(times)
        assert (spans, level.shape[:2]) == (px, (101 // px, 64 // px))
    level, _ = halvings.at(4)
    whole = picture[:100].reshape(25, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(level.astype(float) - whole).max() <= 1.5
    assert halvings.at(1e9)[0].size > 0, "never shrunk to nothing"


def test_pictures_that_break_cascades(model_cache: Path) -> None:
    """Nothing to find, nothing to crop, extreme shapes: an answer for each, and no error."""
    rng = np.random.default_rng(3)
    pictures = [
        np.zeros((32, 32, 3), np.uint8),
        np.full((33, 4000, 3), 255, np.uint8),
        rng.integers(0, 255, (600, 40, 3), np.uint8),
        rng.integers(0, 255, (300, 300, 3), np.uint8),
    ]
    assert [len(found[0]) for found in MtcnnCpu(model_cache, 20, threads=1).find(pictures)] == [0, 0, 0, 0]
    assert MtcnnCpu(model_cache, 48, threads=1).find([]) == []


def test_the_cascade_for_cuda_outlives_a_sliver(portrait: NDArray[np.uint8]) -> None:
    """facenet-pytorch raises on a picture too small for any face, and would take the whole batch with it."""
    none, some = MtcnnTorch("cpu", 48).find([np.zeros((40, 33, 3), np.uint8), portrait])
    assert len(none[0]) == 0
    assert len(some[0]) >= 1
