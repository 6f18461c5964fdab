"""The newest picture and only that: a thread reads the source and overwrites one slot; a lost source is opened again."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2

from kiosk.sources import Picture, Source, SourceError
from worker.protocol.connection import Backoff

log = logging.getLogger(__name__)

STALL_S = 5.0
"""Without a new picture for this long a source counts as lost and is opened again."""
OPEN_S = 15.0
"""Some cameras take long to start; after this they count as lost too."""


@dataclass(frozen=True)
class Shot:
    """One picture. `number` rises over reconnects; `captured_s` is on the monotonic clock."""

    picture: Picture
    captured_s: float
    number: int


@dataclass(frozen=True)
class CameraStatus:
    state: Literal["starting", "ok", "lost"]
    words: str
    since_s: float


class Camera:
    """Reads a source in the background. `on_status` is called from its threads whenever the state changes."""

    def __init__(
        self,
        make: Callable[[], Source],
        on_status: Callable[[CameraStatus], None] = lambda status: None,
        *,
        stall_s: float = STALL_S,
        open_s: float = OPEN_S,
        backoff: Backoff | None = None,
    ) -> None:
        self._make, self._on_status, self._stall_s, self._open_s = make, on_status, stall_s, open_s
        self._backoff = backoff or Backoff(cap_s=5.0, first_s=0.5)
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._number = 0
        self._stopping = False
        self._reading: _Reading | None = None
        self.status = CameraStatus("starting", "starting", time.monotonic())
        self.source_started_ms: int | None = None
        """Wall clock of the first picture of the current pass (of a clip or folder) or connection."""
        self._keeper = threading.Thread(target=self._keep_reading, name="camera", daemon=True)

    def start(self) -> None:
        self._keeper.start()

    def stop(self) -> None:
        """End reading. A read that hangs in a driver is left behind; its picture would be ignored."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._keeper.is_alive():
            self._keeper.join(timeout=1.0)

    def newest(self) -> Shot | None:
        """None before the first picture and while the source is lost."""
        with self._changed:
            return self._shot

    def wait_newer(self, number: int, timeout_s: float) -> Shot | None:
        """The newest picture once its number is above `number`; None when there is none within `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._is_newer(number), timeout_s)
            return self._shot if self._is_newer(number) else None

    def _is_newer(self, number: int) -> bool:
        return self._shot is not None and self._shot.number > number

    def wants(self, reading: "_Reading") -> bool:
        """False once this reading was given up, or the camera stops."""
        return reading is self._reading and not self._stopping

    def publish(self, reading: "_Reading", picture: Picture, begins: bool) -> None:
        """Overwrite the slot; a reading that was given up is ignored."""
        with self._changed:
            if not self.wants(reading):
                return
            self._number += 1
            self._shot = Shot(picture, time.monotonic(), self._number)
            if begins:
                self.source_started_ms = round(time.time() * 1000)
            self._changed.notify_all()
        self._backoff.reset()
        self._say("ok", "ok")

    def _say(self, state: Literal["starting", "ok", "lost"], words: str) -> None:
        if (state, words) != (self.status.state, self.status.words):
            if state != self.status.state:
                log.log(logging.WARNING if state == "lost" else logging.INFO, "camera: %s", words)
            self.status = CameraStatus(state, words, time.monotonic())
            self._on_status(self.status)

    def _keep_reading(self) -> None:
        while not self._stopping:
            reading = _Reading(self, self._make)
            with self._changed:
                self._reading = reading
            reading.start()
            words = self._watch(reading)
            with self._changed:
                self._reading, self._shot = None, None
            if words is not None and not self._stopping:
                self._say("lost", words)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, self._backoff.next_s())

    def _watch(self, reading: "_Reading") -> str | None:
        """Return why the reading ended, or stalled; None when the camera is being stopped."""
        opened_s = time.monotonic()
        while not self._stopping:
            reading.ended.wait(0.05)
            if reading.ended.is_set():
                return reading.error
            shot = self.newest()
            limit_s = opened_s + self._open_s if shot is None else shot.captured_s + self._stall_s
            if time.monotonic() > limit_s:
                return f"no new picture for {self._stall_s if shot else self._open_s:.0f} s"
        return None


class _Reading(threading.Thread):
    """One connection to the source: opens, reads, publishes, until it fails or is given up."""

    def __init__(self, camera: Camera, make: Callable[[], Source]) -> None:
        super().__init__(name="camera-reading", daemon=True)
        self.camera, self.make = camera, make
        self.ended = threading.Event()
        self.error = "the source ended"

    def run(self) -> None:
        source: Source | None = None
        try:
            source = self.make()
            source.open()
            while self.camera.wants(self):
                self.camera.publish(self, *source.read())
        except (SourceError, cv2.error, OSError, RuntimeError) as error:
            self.error = str(error)
        finally:
            if source is not None:
                source.close()
            self.ended.set()
