"""What the worker found, as entries carry it."""

import numpy as np

from worker.decode import decode_jpeg
from worker.protocol.entries import MAX_SNAPSHOT_BYTES
from worker.wire import SNAPSHOT_SIDE_PX, face_crop, finite, fractions


def test_distances_to_nobody_are_left_out() -> None:
    assert [finite(d) for d in (None, float("inf"), 4.5)] == [None, None, 4.5]


def test_boxes_are_fractions_within_the_entrys_bounds() -> None:
    assert fractions(np.array([20.0, 60.0, 120.0, 180.0]), 640, 240) == (0.0312, 0.25, 0.1562, 0.5)
    assert fractions((-10_000, 0, 10_000, 1), 100, 100) == (-1.0, 0.0, 2.0, 0.01)


def test_a_crop_is_small_and_one_outside_the_picture_is_none() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1_080, 1_920, 3), np.uint8)
    crop = face_crop(noise, (100, 100, 1_000, 1_000))
    assert crop is not None
    assert len(crop) <= MAX_SNAPSHOT_BYTES
    assert max(decode_jpeg(crop).shape) == SNAPSHOT_SIDE_PX
    assert face_crop(noise, (3_000, 3_000, 3_100, 3_100)) is None
