"""The thread that puts what is owed on disk, and brings it to the ledger once that is back. It never holds up a frame."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import redis

from kiosk.keeper import Keeper, Kept, Part
from kiosk.spool import Head, Spool, Spooled, head_for
from kiosk.true_time import Clocks, true_time
from worker.protocol import keys
from worker.protocol.backlog import ENTRIES_WAITING, BacklogEntry, Picture, pack
from worker.protocol.connection import Backoff, Client, server_time_ms
from worker.protocol.entries import as_any
from worker.protocol.sealing import key_id, seal
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

LOOK_S = 0.2
HELD_EVERY = 2
"""New pictures after which the copy on disk of what waits for an answer is renewed."""
UNWRITTEN_KEPT = 8
"""Parts that the disk refused stay in memory, the newest of them, and are tried again."""


class Outage(threading.Thread):
    """`here()` is the presence in front of the camera or None, `links_up()` whether frames and answers pass.

    Counts `backlog_sent` besides what the spool counts.
    """

    def __init__(
        self,
        ledger: Client,
        shard: str,
        kiosk: str,
        public_key: str,
        keeper: Keeper,
        spool: Spool,
        counters: Counters,
        *,
        here: Callable[[], str | None],
        links_up: Callable[[], bool],
        on_keeping: Callable[[bool], None] = lambda keeping: None,
        clocks: Clocks | None = None,
    ) -> None:
        super().__init__(name="outage", daemon=True)
        self.ledger, self.kiosk, self.public_key = ledger, kiosk, public_key
        self.keeper, self.spool, self.counters = keeper, spool, counters
        self._key, self._key_id = keys.backlog(shard, kiosk), key_id(public_key)
        self._here, self._links_up, self._on_keeping = here, links_up, on_keeping
        self._clocks = clocks or Clocks()
        self._backoff = Backoff(cap_s=5.0)
        self._not_before_s = 0.0
        self._away = False
        self._sent: set[str] = set()
        """Names of files that the ledger has but the disk wouldn't delete: they are not sent twice."""
        self._unwritten: deque[Part] = deque(maxlen=UNWRITTEN_KEPT)
        self._held: dict[str, Part] = {}
        """What the copies on disk hold, by presence."""
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(LOOK_S):
            try:
                self.step()
            except Exception:
                log.exception("an entry could not be kept")  # the next one must not be lost with it

    def stop(self) -> None:
        """Put on disk what would be lost, as far as it can be told now, and end."""
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=1.0)
        self._unwritten.extend(self.keeper.flush(time.monotonic(), self._links_up()))
        self._write_down()
        self._hold()

    def step(self) -> None:
        """Everything due to the disk, then one entry to the ledger where it takes one."""
        self._unwritten.extend(self.keeper.due(time.monotonic(), self._here(), self._links_up()))
        self._write_down()
        self._hold()
        self._on_keeping(not self.spool.broken)
        if time.monotonic() >= self._not_before_s:
            self._send_oldest()

    def _write_down(self) -> None:
        while self._unwritten and self._write(self._unwritten[0]):
            self._unwritten.popleft()

    def _hold(self) -> None:
        """Copies on disk of what waits for an answer, only for the case that this process dies before it comes."""
        unsafe = {part.presence: part for part in self.keeper.unsafe(time.monotonic())}
        for presence in self._held.keys() - unsafe.keys():
            self.spool.let_go(presence)
            del self._held[presence]
        for presence, part in unsafe.items():
            held = self._held.get(presence)
            new = [kept for kept in part.pictures if held is None or kept.captured_s > held.pictures[-1].captured_s]
            if (held is None or len(new) >= HELD_EVERY) and self.spool.hold(*self._sealed(part)):
                self._held[presence] = part

    def _sealed(self, part: Part) -> tuple[Head, bytes]:
        sealed = seal(pack(self.kiosk, part.presence, part.number, _pictures(part.pictures)), self.public_key)
        head = head_for(
            sealed,
            self._clocks.at(part.pictures[0].captured_s),
            presence=part.presence,
            part=part.number,
            more=part.more,
            key_id=self._key_id,
        )
        return head, sealed

    def _write(self, part: Part) -> bool:
        done = self.spool.write(*self._sealed(part))
        if done:
            log.info("presence %s part %d: %d pictures wait for Redis", part.presence, part.number, len(part.pictures))
        return done

    def _send_oldest(self) -> None:
        entry = next((one for one in self.spool.entries() if one.path.name not in self._sent), None)
        if entry is None:
            self._not_before_s = time.monotonic() + LOOK_S
            return
        try:
            if self.ledger.xlen(self._key) >= ENTRIES_WAITING:
                self._not_before_s = time.monotonic() + 1.0
                return
            fields: Any = as_any(self._entry(entry, server_time_ms(self.ledger)).to_fields())
            self.ledger.xadd(self._key, fields)
        except (redis.exceptions.RedisError, OSError) as error:
            if not self._away:
                log.warning("the ledger takes no backlog now (%s); it stays on disk", error)
            self._away = True
            self._not_before_s = time.monotonic() + self._backoff.next_s()
            return
        self._sent.add(entry.path.name)
        self.spool.remove(entry.path)
        self._away = False
        self._backoff.reset()
        self.counters.add("backlog_sent")

    def _entry(self, entry: Spooled, server_now_ms: int) -> BacklogEntry:
        head = entry.head
        captured_ms, uncertain = true_time(head.taken, self._clocks.now(), server_now_ms)
        return BacklogEntry(
            presence=head.presence,
            part=head.part,
            more=head.more,
            captured_ms=captured_ms,
            time_uncertain=uncertain,
            key_id=head.key_id,
            sealed=entry.sealed,
        )


def _pictures(kept: tuple[Kept, ...]) -> list[Picture]:
    return [Picture(round((one.captured_s - kept[0].captured_s) * 1000), one.jpeg) for one in kept]
