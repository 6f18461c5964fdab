"""The screen's state, shared: camera, listener and loop put things in from their threads, watching pages wait for changes."""

import threading
import time
from collections.abc import Callable

from kiosk.camera import CameraStatus
from kiosk.screen_state import ScreenState, View
from worker.protocol.entries import Feedback, Recorded

TICK_S = 0.2
"""A view also changes by time alone (a name's time is over); watchers look again this often."""


class LiveView:
    """Locks one ScreenState. The server counts as up only while both frames go out and answers can be read."""

    def __init__(self, state: ScreenState, clock: Callable[[], float] = time.monotonic) -> None:
        self._state, self._clock = state, clock
        self._changed = threading.Condition()
        self._links = {"frames": True, "feedback": True}
        self._stopping = False

    def _put(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def frame_sent(self) -> None:
        with self._changed:
            self._state.frame_sent(self._clock())

    def frame(self, feedback: Feedback, captured_s: float) -> None:
        self._put(lambda: self._state.frame(feedback, captured_s, self._clock()))

    def recorded(self, entry: Recorded) -> None:
        self._put(lambda: self._state.recorded(entry, self._clock()))

    def camera(self, status: CameraStatus) -> None:
        self._put(lambda: self._state.camera(status.state))

    def frames_link(self, up: bool) -> None:
        self._link("frames", up)

    def feedback_link(self, up: bool) -> None:
        self._link("feedback", up)

    def _link(self, which: str, up: bool) -> None:
        with self._changed:
            if self._links[which] != up:
                self._links[which] = up
                self._state.server(all(self._links.values()))
                self._changed.notify_all()

    def links_up(self) -> bool:
        with self._changed:
            return all(self._links.values())

    def keeping(self, keeping: bool) -> None:
        """Whether people who come while the server is away are kept for later."""
        with self._changed:
            if self._state.keeping != keeping:
                self._state.keeping = keeping
                self._changed.notify_all()

    def clock_offset(self, offset_ms: int | None) -> None:
        with self._changed:
            self._state.clock_offset(offset_ms)

    def now(self) -> View:
        with self._changed:
            return self._state.view(self._clock())

    def wait_other(self, than: View | None, timeout_s: float) -> View | None:
        """The view once it differs from `than`; None after `timeout_s`, or when the screen stops."""
        end_s = self._clock() + timeout_s
        with self._changed:
            while not self._stopping:
                now_s = self._clock()
                view = self._state.view(now_s)
                if view != than:
                    return view
                if now_s >= end_s:
                    return None
                self._changed.wait(min(TICK_S, end_s - now_s))
        return None

    def stop(self) -> None:
        """Let all watchers go."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    @property
    def stopping(self) -> bool:
        return self._stopping
