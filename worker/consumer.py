"""Taking frames: the newest of each kiosk, longest-waiting kiosk first, fresh or not at all."""

import logging
import time
from dataclasses import dataclass

from worker.protocol import keys
from worker.protocol.connection import Client, server_time_ms
from worker.protocol.entries import BadEntry, Frame, entry_time_ms
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

IDLE_BLOCK_MS = 200
"""How long an idle worker waits for the first frame of any kiosk."""
ASKED_AT_ONCE = 16
"""Kiosks asked in one round trip. Most are idle and answer nothing; an answer too many costs a picture's transfer."""
MAX_AHEAD_MS = 5_000
"""A frame this far ahead of the server's clock was sent with an id made up by the kiosk."""


@dataclass(frozen=True)
class TakenFrame:
    """A fresh frame; `captured_ms` is on the server's clock."""

    kiosk: str
    frame: Frame
    captured_ms: int
    taken_ms: int

    @property
    def waited_ms(self) -> int:
        """From the shutter to the worker."""
        return self.taken_ms - self.captured_ms


@dataclass(frozen=True)
class BadFrame:
    """An entry that can't be used; the reason is for the kiosk's screen and log."""

    kiosk: str
    reason: str
    captured_ms: int


class Consumer:
    """Remembers per kiosk the last entry looked at and when the kiosk was last served."""

    def __init__(self, live: Client, shard: str, batch_size: int, counters: Counters) -> None:
        self.live, self.shard, self.batch_size, self.counters = live, shard, batch_size, counters
        self._last_id: dict[str, bytes] = {}
        self._last_seq: dict[str, int] = {}
        self._served_s: dict[str, float] = {}

    def keep_only(self, kiosks: set[str]) -> None:
        for memory in (self._last_id, self._last_seq, self._served_s):
            for kiosk in set(memory) - kiosks:
                del memory[kiosk]

    def restart(self) -> None:
        """After a lost connection: the server may have come back empty, with ids lower than those we remember."""
        self._last_id.clear()

    def wait(self, kiosks: set[str]) -> None:
        """Return when one of the kiosks has a new frame, or after a fifth of a second."""
        if not kiosks:
            time.sleep(IDLE_BLOCK_MS / 1000)
            return
        streams = {keys.frames(self.shard, kiosk): self._last_id.get(kiosk, b"0") for kiosk in kiosks}
        self.live.xread(streams, count=1, block=IDLE_BLOCK_MS)

    def take(self, kiosks: set[str]) -> list[TakenFrame | BadFrame]:
        """The newest unseen entry of at most `batch_size` kiosks. Late ones are dropped and counted here."""
        order = sorted(kiosks, key=lambda kiosk: (self._served_s.get(kiosk, 0.0), kiosk))
        taken: list[TakenFrame | BadFrame] = []
        while order and len(taken) < self.batch_size:
            some, order = order[:ASKED_AT_ONCE], order[ASKED_AT_ONCE:]
            pipe = self.live.pipeline(transaction=False)
            for kiosk in some:
                last = self._last_id.get(kiosk)
                pipe.xrevrange(keys.frames(self.shard, kiosk), "+", b"(" + last if last else "-", count=1)
            answers = pipe.execute()
            if any(answers):
                now_ms = server_time_ms(self.live)
                for kiosk, answer in zip(some, answers, strict=True):
                    if answer and len(taken) < self.batch_size:
                        entry_id, fields = answer[0]
                        self._sort(kiosk, entry_id, fields, now_ms, taken)
        return taken

    def _sort(self, kiosk, entry_id, fields, now_ms, taken) -> None:  # type: ignore[no-untyped-def]
        self._last_id[kiosk] = entry_id
        self._served_s[kiosk] = time.monotonic()
        sent_ms = entry_time_ms(entry_id)
        if sent_ms > now_ms + MAX_AHEAD_MS:
            # Such an id would make every later one look old; the stream goes, the kiosk's next frame starts it anew.
            self.live.delete(keys.frames(self.shard, kiosk))
            del self._last_id[kiosk]
            self.counters.add("frames_bad")
            taken.append(
                BadFrame(kiosk, "stream id ahead of the server's clock; let Redis give the ids (XADD *)", now_ms)
            )
            return
        try:
            frame = Frame.from_fields(fields)
        except BadEntry as error:
            self.counters.add("frames_bad")
            taken.append(BadFrame(kiosk, str(error), sent_ms))
            return
        missed = frame.seq - self._last_seq.get(kiosk, frame.seq) - 1
        self._last_seq[kiosk] = frame.seq
        if 0 < missed < 1_000_000:
            self.counters.add("frames_skipped", missed)
        captured_ms = sent_ms - frame.age_ms
        if now_ms - captured_ms > frame.deadline_ms:
            self.counters.add("frames_stale")
            return
        taken.append(TakenFrame(kiosk, frame, captured_ms, now_ms))
