"""Simulated kiosks in one process: frames go out at their times, answers are timed as they arrive."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deploy.bench.figures import jain, percentiles
from kiosk.sender import encode
from worker.protocol import keys
from worker.protocol.connection import Client, connect, server_time_ms
from worker.protocol.entries import BadEntry, Feedback, Frame, as_any, new_id
from worker.protocol.outcomes import Outcome

DEADLINE_MS = 1_500
LAST_ANSWERS_S = 2.0
ANNOUNCE_EVERY_S = 0.5


@dataclass(frozen=True)
class Planned:
    """A frame due `at_s` after the start: a JPEG, or a BGR picture that is encoded when it is due, as a kiosk does."""

    at_s: float
    kiosk: str
    picture: bytes | NDArray[np.uint8]


@dataclass
class Answer:
    kiosk: str
    at_s: float
    """When its frame was captured, from the start."""
    latency_ms: float
    outcome: Outcome
    timings_ms: dict[str, float]


@dataclass
class Played:
    offered: dict[str, int]
    answers: list[Answer] = field(default_factory=list)
    late_starts: int = 0
    """Frames that this process itself sent more than 50 ms after their time: the load was heavier than it could make."""

    @property
    def drops(self) -> int:
        return sum(self.offered.values()) - len(self.answers)

    def row(self, seconds: float) -> dict[str, float | None]:
        """What every table says of a load of that many seconds."""
        latencies = percentiles([answer.latency_ms for answer in self.answers], (50, 95))
        return {
            "offered_fps": round(sum(self.offered.values()) / seconds, 1),
            "p50_ms": latencies["p50"],
            "p95_ms": latencies["p95"],
            "jain": round(self.fairness(), 4),
            "sent_late": self.late_starts,
        }

    def fairness(self) -> float:
        answered = dict.fromkeys(self.offered, 0)
        for answer in self.answers:
            answered[answer.kiosk] += 1
        return jain([answered[kiosk] / count for kiosk, count in self.offered.items()])


class Player:
    """`play` sends the plan and returns what came back. Answers of another outcome than a look at the frame don't count."""

    def __init__(self, live_url: str, shard: str) -> None:
        self.live, self.shard = connect(live_url, name="bench"), shard
        self._reader: Client = connect(live_url, name="bench-reader")

    def play(self, plan: Sequence[Planned]) -> Played:
        plan = sorted(plan, key=lambda one: one.at_s)
        kiosks = sorted({one.kiosk for one in plan})
        played = Played({kiosk: sum(one.kiosk == kiosk for one in plan) for kiosk in kiosks})
        # From the wall clock, as a kiosk counts, so that a second run takes no answer to the first for its own.
        first_seq = round(time.time() * 1000)
        self._announce(kiosks)
        time.sleep(1.5)  # a worker finds new kiosks within a second
        began_s, stop = time.monotonic(), threading.Event()
        sent_s: dict[int, float] = {}
        arguments = (kiosks, played, sent_s, began_s, stop)
        listener = threading.Thread(target=self._listen, args=arguments, name="bench-answers", daemon=True)
        listener.start()
        presence, announced_s = new_id(), began_s
        for number, one in enumerate(plan):
            time.sleep(max(0.0, began_s + one.at_s - time.monotonic()))
            if time.monotonic() - announced_s > ANNOUNCE_EVERY_S:
                self._announce(kiosks)
                announced_s = time.monotonic()
            captured_s = time.monotonic()
            played.late_starts += captured_s - began_s - one.at_s > 0.05
            jpeg, width, height = _encoded(one.picture)
            sent_s[first_seq + number] = captured_s
            age_ms = round((time.monotonic() - captured_s) * 1000)
            frame = Frame(
                seq=first_seq + number,
                width=width,
                height=height,
                age_ms=age_ms,
                deadline_ms=DEADLINE_MS,
                presence=presence,
                jpeg=jpeg,
            )
            key = keys.frames(self.shard, one.kiosk)
            self.live.xadd(key, as_any(frame.to_fields()), maxlen=keys.FRAMES_KEPT, approximate=False)
        time.sleep(LAST_ANSWERS_S)
        stop.set()
        listener.join()
        self.live.zrem(keys.kiosks(self.shard), *kiosks)
        return played

    def _announce(self, kiosks: Sequence[str]) -> None:
        now_ms = server_time_ms(self.live)
        self.live.zadd(keys.kiosks(self.shard), dict.fromkeys(kiosks, now_ms))

    def _listen(
        self,
        kiosks: Sequence[str],
        played: Played,
        sent_s: dict[int, float],
        began_s: float,
        stop: threading.Event,
    ) -> None:
        last = {keys.feedback(self.shard, kiosk): b"0" for kiosk in kiosks}
        by_key = {key.encode(): kiosk for key, kiosk in zip(last, kiosks, strict=True)}
        while not stop.is_set():
            for key, entries in self._reader.xread(last, block=100):
                now_s = time.monotonic()
                last[key.decode()] = entries[-1][0]
                for _, fields in entries:
                    try:
                        said = Feedback.from_fields(fields)
                    except BadEntry:
                        continue
                    captured_s = sent_s.get(said.seq)
                    if captured_s is None or said.outcome in (Outcome.NOT_READY, Outcome.BAD_FRAME):
                        continue
                    latency_ms = (now_s - captured_s) * 1e3
                    answer = Answer(by_key[key], captured_s - began_s, latency_ms, said.outcome, said.timings_ms)
                    played.answers.append(answer)


def _encoded(picture: bytes | NDArray[np.uint8]) -> tuple[bytes, int, int]:
    if isinstance(picture, bytes):
        return picture, 640, 480
    return encode(picture, 960, 85)
