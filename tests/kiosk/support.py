"""Stand-ins and builders that the kiosk's tests share."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from kiosk.sources import Picture, SourceError
from worker.protocol.entries import Feedback, Recorded, SeenFace
from worker.protocol.outcomes import Direction, Outcome

WAIT_S = 20.0
"""Upper bound for a condition to come true on a loaded machine; reached only when something is broken."""


def eventually(condition: Callable[[], object], within_s: float = WAIT_S) -> bool:
    """Poll until `condition` holds."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def grey(level: int, width: int = 320, height: int = 240) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


def room(width: int = 320, height: int = 240) -> Picture:
    """A still scene with detail, the same each time."""
    rng = np.random.default_rng(7)
    small = rng.integers(60, 180, (height // 16, width // 16, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)  # type: ignore[return-value]


def with_person(picture: Picture, x: int = 120) -> Picture:
    """Somebody stands there: a large light shape."""
    changed = picture.copy()
    cv2.ellipse(changed, (x, 150), (45, 80), 0, 0, 360, (235, 225, 240), -1)
    return changed


def level_of(picture: Picture) -> int:
    return round(float(picture.mean()))


def write_picture(path: Path, level: int) -> Path:
    assert cv2.imwrite(str(path), grey(level))
    return path


def write_clip(path: Path, levels: list[int], fps: float = 25.0) -> Path:
    """A video whose pictures are told apart by their grey level."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (320, 240))  # type: ignore[attr-defined]
    assert writer.isOpened()
    for level in levels:
        writer.write(grey(level))
    writer.release()
    return path


class FakeClock:
    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds


class FakeSource:
    """Gives what the test puts into `script`: a picture, a SourceError to raise, or a callable to call first."""

    def __init__(self, script: list[object], interval_s: float = 0.002) -> None:
        self.script, self.interval_s, self.opened, self.closed, self._first = script, interval_s, 0, 0, True

    def open(self) -> None:
        self.opened += 1

    def read(self) -> tuple[Picture, bool]:
        time.sleep(self.interval_s)
        step = self.script.pop(0) if self.script else SourceError("unplugged")
        if isinstance(step, Exception):
            raise step
        first, self._first = self._first, False
        return (step() if callable(step) else step), first  # type: ignore[return-value]

    def close(self) -> None:
        self.closed += 1


def face(
    outcome: Outcome = Outcome.DECIDING, track: int = 1, name: str | None = None, event: str | None = None
) -> SeenFace:
    return SeenFace(
        box=(0.4, 0.3, 0.2, 0.3),
        track=track,
        outcome=outcome,
        name=name,
        employee_id="employee" if name else None,
        event_id=event,
    )


def answer(seq: int, outcome: Outcome, *faces: SeenFace, worker: str = "w1") -> Feedback:
    return Feedback(seq=seq, captured_ms=1_700_000_000_000, outcome=outcome, faces=list(faces), worker=worker)


def accepted(seq: int, name: str = "Grace Hopper", track: int = 1, event: str = "event-1") -> Feedback:
    return answer(seq, Outcome.ACCEPTED, face(Outcome.ACCEPTED, track, name, event))


def recorded(
    event: str = "event-1", outcome: Outcome = Outcome.RECORDED, direction: Direction = Direction.IN
) -> Recorded:
    return Recorded(
        event_id="stored-1",
        decision_id=event,
        outcome=outcome,
        employee_id="employee",
        name="Grace Hopper",
        direction=direction,
        captured_ms=1_700_000_000_000,
        local_time="08:31",
        local_date="2026-03-02",
    )
