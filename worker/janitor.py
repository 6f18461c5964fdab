"""Keeps what kiosks write within bounds, and announces the kiosks that live. Identity is a key's name, never what it holds.

Redis' access rules can say which keys a kiosk writes, not how much: XADD without MAXLEN is a flood. So every worker sweeps
a few times a second over all streams of the shard, also those of kiosks that nobody serves, and cuts them to what an honest
kiosk never exceeds. And a kiosk can't name others: `kiosks:{shard}` is written here, from the heartbeats' keys.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable

from worker.protocol import keys
from worker.protocol.backlog import ENTRIES_WAITING, MAX_SEALED_BYTES
from worker.protocol.connection import Client, keep_trying, server_time_ms
from worker.protocol.entries import MAX_JPEG_BYTES, MAX_META_BYTES
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

SWEEP_S = 0.25
LEDGER_EVERY = 8
"""Sweeps of live for one of the ledger, which kiosks write to only after an outage."""
KEYS_AT_ONCE = 1_000
LOGGED_EVERY = 100
"""Of the times that one stream was cut: the first is logged, then one in so many."""
FRAMES_BYTES = 2 * (keys.FRAMES_KEPT + 1) * (MAX_JPEG_BYTES + MAX_META_BYTES)
BACKLOG_KEPT = 8 * ENTRIES_WAITING
BACKLOG_BYTES = 2 * BACKLOG_KEPT * MAX_SEALED_BYTES
EVENTS_KEPT, EVENTS_BYTES = 1_000, 4_000_000
"""Bytes: twice what so many of the largest entries take. More is no entry that anybody could read."""


class Janitor(threading.Thread):
    """Counts `streams_trimmed` and, for entries too large to be any, `streams_deleted`."""

    def __init__(self, live: Client, ledger: Client, shard: str, counters: Counters) -> None:
        super().__init__(name="janitor", daemon=True)
        self.live, self.ledger, self.shard, self.counters = live, ledger, shard, counters
        self._times_cut: dict[str, int] = defaultdict(int)
        self._sweeps = 0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "janitor", cap_s=1.0)

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)

    def step(self) -> None:
        self.sweep_live()
        if self._sweeps % LEDGER_EVERY == 0:
            self.sweep_ledger()
        self._sweeps += 1
        self._stop_asked.wait(SWEEP_S)

    def sweep_live(self) -> None:
        names = self._names(self.live)
        heart = keys.heartbeat(self.shard, "kiosk", "")
        living = [kiosk for name in names if name.startswith(heart) and _is_kiosk(kiosk := name.removeprefix(heart))]
        if living:
            self.live.zadd(keys.kiosks(self.shard), dict.fromkeys(living, server_time_ms(self.live)))
        self._cut(self.live, names, "frames", keys.FRAMES_KEPT, FRAMES_BYTES)

    def sweep_ledger(self) -> None:
        names = self._names(self.ledger)
        self._cut(self.ledger, names, "backlog", BACKLOG_KEPT, BACKLOG_BYTES)
        self._cut(self.ledger, names, "kiosk_events", EVENTS_KEPT, EVENTS_BYTES)

    def _names(self, client: Client) -> list[str]:
        """The shard's keys that belong to one kiosk or process."""
        found = client.scan_iter(match=f"*:{{{self.shard}}}:*", count=KEYS_AT_ONCE)
        return [key.decode(errors="replace") for key in found]

    def _cut(self, client: Client, names: Iterable[str], kind: str, kept: int, bytes_kept: int) -> None:
        """Cut the streams of one kind to their last `kept` entries, and delete those that are larger all the same."""
        streams = sorted(name for name in names if name.startswith(f"{kind}:{{{self.shard}}}:"))
        pipe = client.pipeline(transaction=False)
        for name in streams:
            pipe.xlen(name)
            pipe.memory_usage(name)
        answers = pipe.execute(raise_on_error=False) if streams else []
        for name, length, size in zip(streams, answers[::2], answers[1::2], strict=True):
            if isinstance(length, Exception):
                raise length
            if length > kept:
                client.xtrim(name, maxlen=kept, approximate=False)
                self._tell("streams_trimmed", name, f"{length} entries, {kept} are kept")
            elif isinstance(size, int) and size > bytes_kept:
                client.delete(name)
                self._tell(
                    "streams_deleted", name, f"{length} entries of {size} bytes, at most {bytes_kept} make sense"
                )

    def _tell(self, what: str, name: str, words: str) -> None:
        self.counters.add(what)
        if self._times_cut[name] % LOGGED_EVERY == 0:
            log.warning("%s held %s: somebody writes more than a kiosk does", name, words)
        self._times_cut[name] += 1


def _is_kiosk(name: str) -> bool:
    return keys.KIOSK_NAME.fullmatch(name) is not None
