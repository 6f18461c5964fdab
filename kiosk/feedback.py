"""Listens to the answers for this kiosk. An answer to a frame that isn't ours, or too late, is counted and never shown."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from kiosk.sender import SentFrames
from worker.protocol import keys
from worker.protocol.connection import FAILURES, MAX_BLOCK_MS, Client, keep_trying
from worker.protocol.entries import BadEntry, Feedback, Recorded, decode_feedback
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters, LatencyHistogram

log = logging.getLogger(__name__)

FROM_START = "0-0"
WARN_EVERY = 1000
"""Of bad entries: the first is logged, then one in so many."""


def _position(entry_id: bytes | str) -> tuple[int, int]:
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    ms, _, number = text.partition("-")
    return int(ms), int(number or 0)


class FeedbackListener(threading.Thread):
    """Calls `on_frame(feedback, captured_s)`, `on_recorded(entry)` and `on_link(up)` from its own thread.

    Counts `feedback`, `feedback_stale` and `feedback_bad`; `latency` holds capture → answer of those not stale.
    """

    def __init__(
        self,
        live: Client,
        shard: str,
        kiosk: str,
        deadline_ms: int,
        sent: SentFrames,
        counters: Counters,
        *,
        on_frame: Callable[[Feedback, float], None],
        on_recorded: Callable[[Recorded], None],
        on_link: Callable[[bool], None] = lambda up: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="feedback", daemon=True)
        self.live, self.deadline_ms, self.sent, self.counters = live, deadline_ms, sent, counters
        self.latency = LatencyHistogram()
        self._key, self._kiosk = keys.feedback(shard, kiosk), kiosk
        self._on_frame, self._on_recorded, self._on_link, self._clock = on_frame, on_recorded, on_link, clock
        self._last_id: str | bytes | None = None
        self._check_position = False
        self._stop_asked = threading.Event()

    def run(self) -> None:
        keep_trying(self._step, self._stop_asked, "feedback")

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=MAX_BLOCK_MS / 1000 + 0.3)

    def _step(self) -> None:
        try:
            self._read()
        except FAILURES:
            self._check_position = True
            self._on_link(False)
            raise
        except redis.exceptions.RedisError as error:  # no permission, or another kind of key under this name
            log.warning("feedback can't be read: %s", error)
            self._on_link(False)
            self._stop_asked.wait(1.0)
        else:
            self._on_link(True)

    def _read(self) -> None:
        if self._last_id is None:
            self._last_id = self._newest_id() or FROM_START
        elif self._check_position:
            self._follow_new_stream()
        self._check_position = False
        answer = self.live.xread({self._key: self._last_id}, count=keys.FEEDBACK_KEPT, block=MAX_BLOCK_MS)
        if not answer:
            self._check_position = True
            return
        for entry_id, fields in answer[0][1]:
            self._last_id = entry_id
            self.handle(fields)

    def _newest_id(self) -> bytes | None:
        newest = self.live.xrevrange(self._key, count=1)
        return newest[0][0] if newest else None

    def _follow_new_stream(self) -> None:
        """A server that lost its data starts the stream anew, maybe at lower ids: waiting for higher ones would be for ever."""
        newest = self._newest_id()
        if newest is None or _position(newest) < _position(self._last_id or FROM_START):
            self._last_id = FROM_START

    def handle(self, fields: dict[bytes, Any]) -> None:
        """Judge one entry; bad ones are counted and dropped."""
        try:
            entry = decode_feedback(fields)
        except BadEntry as error:
            if self.counters["feedback_bad"] % WARN_EVERY == 0:
                log.warning("bad feedback entry dropped: %s", error)
            self.counters.add("feedback_bad")
            return
        if isinstance(entry, Recorded):
            self._on_recorded(entry)
            return
        if entry.outcome is Outcome.BAD_FRAME:
            log.warning("the worker refused a frame: %s", entry.reason, extra={"kiosk": self._kiosk, "seq": entry.seq})
        captured_s = self.sent.captured_s(entry.seq)
        latency_ms = None if captured_s is None else (self._clock() - captured_s) * 1000
        if captured_s is None or latency_ms is None or latency_ms > self.deadline_ms or entry.outcome is Outcome.STALE:
            self.counters.add("feedback_stale")
            return
        self.counters.add("feedback")
        self.latency.add(latency_ms)
        self._on_frame(entry, captured_s)
