"""What the worker found, as entries carry it: boxes as fractions of the frame, finite distances, small pictures."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.protocol.entries import MAX_SNAPSHOT_BYTES, Box

SNAPSHOT_SIDE_PX = 240


def finite(distance: float | None) -> float | None:
    """None where there was nobody to compare with."""
    return None if distance is None or distance == float("inf") else distance


def fractions(box: Any, width: int, height: int) -> Box:
    """(left, top, right, bottom) in pixels as left, top, width, height in fractions of the frame."""
    left, top, right, bottom = (float(v) for v in box)
    values = (left / width, top / height, (right - left) / width, (bottom - top) / height)
    x, y, w, h = (round(max(-1.0, min(2.0, v)), 4) for v in values)
    return x, y, w, h


def face_crop(picture: NDArray[np.uint8], box: Any) -> bytes | None:
    """The face with a little around it as a JPEG of at most 40 KB, or None. `picture` is RGB, the box in its pixels."""
    left, top, right, bottom = (round(float(v)) for v in box)
    margin = (right - left) // 4
    part = picture[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    if not part.size:
        return None
    scale = min(1.0, SNAPSHOT_SIDE_PX / max(part.shape[:2]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data.tobytes() if done and data.size <= MAX_SNAPSHOT_BYTES else None
