"""People as drawn markers, and an engine that reads them: dozens of employees for the price of a threshold.

A marker is a magenta frame around 4 × 4 light and dark cells: the person's number in eight of them and its complement in
the other eight. The gates are the worker's own (worker/quality.py), on the marker as if it were a face.
"""

import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.worker.fakes import INFO, away, axis, face
from worker.detector import Face
from worker.engine import Engine, Sight, always
from worker.quality import judge
from worker.settings import WorkerSettings

CELLS = 4
LIGHT, DARK = 205, 70
FRAME_BGR = (230, 40, 230)
DISTANCE = 5.0
"""Of a face in front of the camera to its template: well below every threshold."""
MODEL_ID = INFO.id

Picture = NDArray[np.uint8]


def template(number: int) -> NDArray[np.float32]:
    """What person `number` is enrolled with."""
    return axis(number)


def marker(number: int, side_px: int) -> Picture:
    """BGR square of person `number` (0 … 255)."""
    bits = [number >> bit & 1 for bit in range(8)]
    cells = np.array([*bits, *(1 - bit for bit in bits)], np.uint8).reshape(CELLS, CELLS)
    frame = max(4, side_px // 12)
    inner = side_px - 2 * frame
    grey = cv2.resize(np.where(cells, LIGHT, DARK).astype(np.uint8), (inner, inner), interpolation=cv2.INTER_NEAREST)
    picture = np.full((side_px, side_px, 3), FRAME_BGR, np.uint8)
    picture[frame:-frame, frame:-frame] = grey[:, :, None]
    return picture


def find_marker(rgb: Picture) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the magenta frame; None where there is none."""
    red, green, blue = (rgb[:, :, i].astype(np.int16) for i in range(3))
    mask = (red - green > 70) & (blue - green > 70)
    if mask.sum() < 60:
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def read_marker(rgb: Picture, box: tuple[int, int, int, int]) -> int | None:
    """The number in a marker; None when a cell contradicts its complement."""
    left, top, right, bottom = box
    grey = cv2.cvtColor(rgb[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    frame_y, frame_x = (max(4, size // 12) for size in grey.shape)
    inner = cv2.resize(grey[frame_y:-frame_y, frame_x:-frame_x], (64, 64), interpolation=cv2.INTER_AREA)
    means = inner.reshape(CELLS, 16, CELLS, 16)[:, 4:12, :, 4:12].mean(axis=(1, 3)).ravel()
    bits = means > (LIGHT + DARK) / 2
    if not np.array_equal(bits[:8], ~bits[8:]):
        return None
    return sum(int(bit) << place for place, bit in enumerate(bits[:8]))


class MarkerEngine(Engine):
    """Stands in for MTCNN and the recogniser; every call has one thread at a time, as the real one's."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings, self.info, self._lock = settings, INFO, threading.Lock()

    def look(
        self, pictures: Sequence[Picture], due: Callable[[int, Face], bool] = always
    ) -> tuple[list[Sight], dict[str, float]]:
        with self._lock:
            return [self._sight(number, picture, due) for number, picture in enumerate(pictures)], {}

    def _sight(self, number: int, picture: Picture, due: Callable[[int, Face], bool]) -> Sight:
        box = find_marker(picture)
        if box is None or min(box[2] - box[0], box[3] - box[1]) < 24:
            return Sight([], None, False, None)
        found = face(box)
        quality = judge(picture, found, self.settings)
        who = read_marker(picture, box) if quality.fault is None else None
        wanted = who is not None and 0 < who < 127 and due(number, found)
        return Sight([found], quality, False, away(who, DISTANCE) if wanted and who else None)
