"""Words to the live role after a commit: `recorded` for a kiosk's screen, arrivals for the live board.

The record is safe by then, so live being away must cost the recorder next to nothing: the last notices are kept and go
out when it is back, and in between it is tried only now and then.
"""

import logging
import time
from collections import deque

import redis

from worker.protocol.entries import Entry, as_any

log = logging.getLogger(__name__)

KEPT = 256
"""Notices that wait for live; of more than these only the latest are still worth showing."""
PAUSE_S = 2.0
"""Between two tries while live is away; a try may hang as long as the socket's timeout."""


class Notices:
    """Not for several threads at once."""

    def __init__(self, live: redis.Redis) -> None:
        self.live = live
        self.waiting: deque[tuple[str, Entry, int]] = deque(maxlen=KEPT)
        self.not_before = 0.0

    def add(self, stream: str, entry: Entry, kept: int) -> None:
        """Queue `entry` for `stream`, which keeps its last `kept` entries."""
        self.waiting.append((stream, entry, kept))

    def send(self) -> bool:
        """Send what waits, in order; False while live is away. Never raises for it."""
        if not self.waiting or time.monotonic() < self.not_before:
            return not self.waiting
        pipe = self.live.pipeline(transaction=False)
        for stream, entry, kept in self.waiting:
            pipe.xadd(stream, as_any(entry.to_fields()), maxlen=kept, approximate=False)
        try:
            pipe.execute()
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("live is away (%s); records are safe, %d notices wait", error, len(self.waiting))
            self.not_before = time.monotonic() + PAUSE_S
            return False
        self.waiting.clear()
        return True
