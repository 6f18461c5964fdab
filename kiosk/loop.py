"""The way of a frame out of the kiosk: take the newest picture when one is due, ask the gate, send."""

import time
from collections.abc import Callable

from kiosk.camera import Camera
from kiosk.keeper import Keeper
from kiosk.live_view import LiveView
from kiosk.motion import MotionGate
from kiosk.sender import Sender
from worker.protocol.entries import Feedback, Recorded
from worker.protocol.telemetry import Counters

WAIT_S = 0.2
"""Longest wait for a picture: a stop is noticed within it."""


class SendLoop:
    """Runs in the main thread. Every picture is looked at once and sent at most once.

    Counts `frames_skipped_idle`: pictures that were due but not sent because nobody was there.
    """

    def __init__(
        self,
        camera: Camera,
        gate: MotionGate,
        sender: Sender,
        view: LiveView,
        counters: Counters,
        max_frames_per_s: float,
        clock: Callable[[], float] = time.monotonic,
        keeper: Keeper | None = None,
    ) -> None:
        self.camera, self.gate, self.sender, self.view, self.counters = camera, gate, sender, view, counters
        self.keeper = keeper
        self._interval_s, self._clock = 1 / max_frames_per_s, clock
        self._due_s = clock()
        self._looked_at = 0

    def step(self) -> None:
        """Wait until the next picture is due and there, or a fifth of a second at most."""
        early_s = self._due_s - self._clock()
        if early_s > 0:
            time.sleep(min(early_s, WAIT_S))
            if early_s > WAIT_S:
                return
        shot = self.camera.wait_newer(self._looked_at, WAIT_S)
        if shot is None:
            return
        self._looked_at = shot.number
        now_s = self._clock()
        # Catching up is limited to one interval: a pause must not be followed by a burst.
        self._due_s = max(self._due_s + self._interval_s, now_s)
        self.gate.look(shot.picture, now_s)
        if self.keeper is not None and self.gate.worth_keeping:
            self.keeper.offer(shot.picture, shot.captured_s, self.gate.presence, self.gate.score, self.gate.moving)
        if not self.gate.may_send(now_s):
            self.counters.add("frames_skipped_idle")
            return
        self.gate.sent(now_s)
        if self.sender.send(shot, self.gate.presence):
            self.view.frame_sent()

    def answered(self, feedback: Feedback, captured_s: float) -> None:
        """A fresh answer, from the listener's thread."""
        # while somebody is enrolled here, every frame counts, also before they have stepped up
        self.gate.answered(bool(feedback.faces) or feedback.enrolling is not None, self._clock())
        self.view.frame(feedback, captured_s)
        if self.keeper is not None:
            self.keeper.answered(feedback, captured_s, self._clock())

    def recorded(self, entry: Recorded) -> None:
        """The recorder's word, from the listener's thread."""
        self.view.recorded(entry)
        if self.keeper is not None:
            self.keeper.recorded(entry)

    def here(self) -> str | None:
        """The presence in front of the camera; None when nobody is there."""
        return self.gate.presence if self.gate.is_open(self._clock()) else None
