"""Sends one picture as a frame: fresh or nothing. What fails is counted and dropped, never sent again."""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import cv2
import redis

from kiosk.camera import Shot
from kiosk.settings import KioskSettings
from kiosk.sources import MIN_SIDE_PX, Picture
from worker.protocol import keys
from worker.protocol.connection import Backoff, Client, connect
from worker.protocol.entries import MAX_JPEG_BYTES, Frame, as_any
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

SENT_KEPT = 256
"""Frames whose capture time is remembered; at 30 a second that is 8 s, more than any deadline that makes sense."""
PATIENCE_S = 1.0
"""A server that doesn't take a frame within this time hangs; waiting longer would only make the frame old."""
QUALITY_STEP, LOWEST_QUALITY = 15, 25
"""A picture too large for an entry is encoded again, coarser."""


def connect_live(url: str, name: str) -> Client:
    """A client for short commands that gives up early, so that a hanging server never holds up frame or shut-down."""
    client = connect(url, name=name)
    client.connection_pool.connection_kwargs.update(socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    return client


class SentFrames:
    """Capture times (monotonic s) of the last frames sent, by sequence number; asked from the listener's thread."""

    def __init__(self, kept: int = SENT_KEPT) -> None:
        self._kept = kept
        self._captured: OrderedDict[int, float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, seq: int, captured_s: float) -> None:
        with self._lock:
            self._captured[seq] = captured_s
            while len(self._captured) > self._kept:
                self._captured.popitem(last=False)

    def captured_s(self, seq: int) -> float | None:
        with self._lock:
            return self._captured.get(seq)


def encode(picture: Picture, width_px: int, quality: int, max_bytes: int = MAX_JPEG_BYTES) -> tuple[bytes, int, int]:
    """JPEG, width, height; shrunk to `width_px` where wider, coarser where it has more than `max_bytes`.

    Raises ValueError for what can't be sent.
    """
    height, width = picture.shape[:2]
    if width > width_px:
        height, width = max(1, round(height * width_px / width)), width_px
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if min(width, height) < MIN_SIDE_PX:
        raise ValueError(f"a picture of {width}×{height} pixels is too narrow to send")
    while True:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and data.size <= max_bytes:
            return data.tobytes(), width, height
        if not done or quality <= LOWEST_QUALITY:
            raise ValueError(f"a picture of {width}×{height} pixels doesn't fit into {max_bytes} bytes")
        quality = max(LOWEST_QUALITY, quality - QUALITY_STEP)


class Sender:
    """Writes frames to this kiosk's stream. Counts `frames_sent` and `frames_failed`."""

    def __init__(
        self,
        live: Client,
        settings: KioskSettings,
        counters: Counters,
        on_link: Callable[[bool], None] = lambda up: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.live, self.settings, self.counters, self._on_link, self._clock = live, settings, counters, on_link, clock
        self.sent = SentFrames()
        self._key = keys.frames(settings.shard, settings.name)
        # From the wall clock, so that a kiosk started again never takes an answer to its earlier self for its own.
        self._seq = round(time.time() * 1000)
        self._backoff = Backoff()
        self._not_before_s = -math.inf
        self._last_error: str | None = None

    def send(self, shot: Shot, presence: str) -> bool:
        """Send this picture now, once. False when it was dropped: too old, server away, or not sendable."""
        now_s = self._clock()
        if now_s < self._not_before_s or (now_s - shot.captured_s) * 1000 > self.settings.answer_deadline_ms:
            self.counters.add("frames_failed")
            return False
        try:
            jpeg, width, height = encode(shot.picture, self.settings.send_width_px, self.settings.jpeg_quality)
        except (ValueError, cv2.error) as error:
            return self._failed(str(error))
        self._seq += 1
        # Before the XADD: the answer may come before its reply.
        self.sent.add(self._seq, shot.captured_s)
        frame = Frame(
            seq=self._seq,
            width=width,
            height=height,
            age_ms=max(0, min(60_000, round((self._clock() - shot.captured_s) * 1000))),
            deadline_ms=self.settings.answer_deadline_ms,
            presence=presence,
            jpeg=jpeg,
        )
        try:
            self.live.xadd(self._key, as_any(frame.to_fields()), maxlen=keys.FRAMES_KEPT, approximate=False)
        except (redis.exceptions.RedisError, OSError) as error:
            self._not_before_s = self._clock() + self._backoff.next_s()
            self._on_link(False)
            return self._failed(f"Redis didn't take it ({error})")
        if self._last_error is not None:
            log.info("frames go out again")
        self._last_error = None
        self._backoff.reset()
        self._on_link(True)
        self.counters.add("frames_sent")
        return True

    def _failed(self, why: str) -> bool:
        if self._last_error is None:
            log.warning("frame dropped: %s", why)
        self._last_error = why
        self.counters.add("frames_failed")
        return False
