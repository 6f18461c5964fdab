"""Decisions on their way to the ledger: sent in order, kept in memory and sent again until the ledger has them."""

import logging
import queue
import threading

import redis

from worker.protocol import keys
from worker.protocol.connection import Client, keep_trying
from worker.protocol.entries import Decision, as_any

log = logging.getLogger(__name__)

STOP_WAIT_S = 5.0


class DecisionSender(threading.Thread):
    """A thread of its own, so that a ledger that hangs doesn't hold up anybody's screen.

    A decision whose answer was lost is sent twice; the recorder knows it by its event id.
    """

    def __init__(self, ledger: Client, shard: str) -> None:
        super().__init__(name="decisions", daemon=True)
        self.ledger, self.shard = ledger, shard
        self._waiting: queue.SimpleQueue[Decision] = queue.SimpleQueue()
        self._in_hand: Decision | None = None
        self._stop_asked = threading.Event()

    def put(self, decision: Decision) -> None:
        self._waiting.put(decision)

    @property
    def pending(self) -> int:
        return self._waiting.qsize() + (self._in_hand is not None)

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "decisions", cap_s=0.5)

    def step(self) -> None:
        if self._in_hand is None:
            try:
                self._in_hand = self._waiting.get(timeout=0.2)
            except queue.Empty:
                return
        self.ledger.xadd(keys.decisions(self.shard), as_any(self._in_hand.to_fields()))
        self._in_hand = None

    def stop(self) -> None:
        """End the thread, then send what is left; what the ledger doesn't take within five seconds is logged by its id."""
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=STOP_WAIT_S)
        try:
            while self.pending:
                self.step()
        except (redis.exceptions.RedisError, OSError) as error:
            left = self._in_hand.event_id if self._in_hand else "?"
            log.error("stopping with %d decisions unsent (first event id %s): %s", self.pending, left, error)
