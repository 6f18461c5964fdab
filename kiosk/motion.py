"""Is anyone there? A gate on a small grey picture: motion opens it, faces in the answers keep it open."""

import math
import threading

import cv2
import numpy as np

from kiosk.sources import Picture
from worker.protocol.entries import new_id

SMALL_PX = (160, 120)
BACKGROUND_S = 5.0
"""Time in which the background takes over most of a lasting change."""
FACE_TRUSTED_S = 10.0
"""A face in the last answer keeps the gate open this long; without newer answers it may have left long ago."""
UNSURE_S = 3.0
"""After the start, or until the first answer: who stands there already is part of the background, and no motion."""
GAIN_LIMITS = (0.4, 2.5)
"""A lamp switched on or a cloud changes all pixels by one factor within these; more is not light alone."""


def small_grey(picture: Picture) -> np.ndarray:
    """160×120 float32, smoothed against the noise of the sensor."""
    grey = cv2.cvtColor(cv2.resize(picture, SMALL_PX, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return grey.astype(np.float32)


def sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian: near 0 for a covered lens or no light, hundreds for an ordinary room."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def changed_share(grey: np.ndarray, background: np.ndarray, levels: float) -> float:
    """Share of pixels that differ by more than `levels`, after the change that all pixels share was taken out."""
    gain = float(np.clip(np.median((grey + 8) / (background + 8)), *GAIN_LIMITS))
    return float(np.mean(np.abs(grey - background * gain) > levels))


class MotionGate:
    """Open: frames go out at full rate. Closed: one in `idle_interval_s`, so that a still face is found too.

    Times are monotonic seconds, given by the caller. Frames and answers come from two threads.
    """

    def __init__(
        self, *, hold_s: float, idle_interval_s: float, levels: float, share: float, min_sharpness: float
    ) -> None:
        self.hold_s, self.idle_interval_s = hold_s, idle_interval_s
        self.levels, self.share, self.min_sharpness = levels, share, min_sharpness
        self.changed, self.sharpness = 0.0, 0.0
        """Of the last picture."""
        self._background: np.ndarray | None = None
        self._looked_s = -math.inf
        self._motion_until_s = -math.inf
        self._face_until_s = -math.inf
        self._unsure_until_s = -math.inf
        self._last_sent_s = -math.inf
        self._presence = new_id()
        self._open = False
        self._lock = threading.Lock()

    def look(self, picture: Picture, now_s: float) -> None:
        """Compare a picture with the background, and let the background follow."""
        grey = small_grey(picture)
        self.sharpness = sharpness(grey)
        grey = cv2.GaussianBlur(grey, (5, 5), 0)
        if self._background is None:
            self._background = grey
            self._unsure_until_s = now_s + UNSURE_S
        else:
            self.changed = changed_share(grey, self._background, self.levels)
            follow = 1 - math.exp(-max(0.0, now_s - self._looked_s) / BACKGROUND_S)
            self._background = self._background + follow * (grey - self._background)
        self._looked_s = now_s
        with self._lock:
            if self.moving:
                self._motion_until_s = now_s + self.hold_s
            elif self._unsure(now_s):
                self._motion_until_s = max(self._motion_until_s, self._unsure_until_s)
            self._update(now_s)

    def answered(self, has_face: bool, now_s: float) -> None:
        """The newest answer from the worker held a face, or none."""
        with self._lock:
            if has_face:
                self._motion_until_s = max(self._motion_until_s, now_s + self.hold_s)
            elif self._unsure(now_s):
                self._motion_until_s = now_s
            self._unsure_until_s = -math.inf
            self._face_until_s = now_s + FACE_TRUSTED_S if has_face else -math.inf
            self._update(now_s)

    def _update(self, now_s: float) -> None:
        is_open = now_s < max(self._motion_until_s, self._face_until_s)
        if self._open and not is_open:
            # Drawn at closing: the idle frame that finds a face belongs to the presence that it opens.
            self._presence = new_id()
        self._open = is_open

    def is_open(self, now_s: float) -> bool:
        with self._lock:
            self._update(now_s)
            return self._open

    @property
    def moving(self) -> bool:
        """Whether the last picture shows motion itself; the gate stays open for a while after it."""
        return self.changed >= self.share and self.sharpness >= self.min_sharpness

    @property
    def worth_keeping(self) -> bool:
        """Whether somebody may be in the last picture: it shows motion, or we only just began and nobody has answered."""
        with self._lock:
            return self.moving or self._unsure(self._looked_s)

    def _unsure(self, now_s: float) -> bool:
        return now_s < self._unsure_until_s and self.sharpness >= self.min_sharpness

    @property
    def score(self) -> float:
        """How promising the last picture is among its neighbours: much has changed, and it is sharp."""
        return max(self.changed, self.share) * self.sharpness

    @property
    def presence(self) -> str:
        """Id of this presence; while closed, of the next one."""
        with self._lock:
            return self._presence

    def may_send(self, now_s: float) -> bool:
        return self.is_open(now_s) or now_s - self._last_sent_s >= self.idle_interval_s

    def sent(self, now_s: float) -> None:
        self._last_sent_s = now_s
