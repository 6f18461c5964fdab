"""Stand-ins for the networks: what a picture shows is its grey level, so a test says who stands there by a number."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import redis
from numpy.typing import NDArray

from worker.consumer import TakenFrame
from worker.decision_sender import DecisionSender
from worker.detector import Face
from worker.engine import Engine, Sight, always
from worker.gallery import GalleryFollower, GalleryIndex
from worker.protocol import keys
from worker.protocol.bundle import ModelInfo, Threshold
from worker.protocol.entries import (
    GALLERY_VERSION_FIELD,
    Decision,
    Feedback,
    Frame,
    GalleryChange,
    GalleryPerson,
    as_any,
)
from worker.protocol.outcomes import Outcome
from worker.quality import Quality

ALPHA = 10.0
MODEL = "sface-0123456789ab"
INFO = ModelInfo(
    id=MODEL,
    architecture="sface",
    input_px=112,
    crop="five-points",
    alpha=ALPHA,
    weights_sha256="0" * 64,
    licence="none",
    thresholds=[Threshold(false_match_rate=1e-3, distance=10.0), Threshold(false_match_rate=1e-4, distance=9.0)],
    threshold_source="made up for tests",
)
LEFT = (20.0, 60.0, 120.0, 180.0)
RIGHT = (500.0, 60.0, 600.0, 180.0)


def axis(i: int) -> NDArray[np.float32]:
    """A template of its own direction: every two of them are √2·α = 14.1 apart."""
    template = np.zeros(128, np.float32)
    template[i] = ALPHA
    return template


def away(i: int, distance: float, toward: int = 127) -> NDArray[np.float32]:
    """A template at exactly that Euclidean distance from `axis(i)`."""
    angle = 2 * np.arcsin(distance / (2 * ALPHA))
    return np.asarray(np.cos(angle) * axis(i) + np.sin(angle) * axis(toward), np.float32)


def person(i: int, templates: Sequence[NDArray[np.float32]] | None = None) -> GalleryPerson:
    rows = [axis(i)] if templates is None else templates
    return GalleryPerson(employee_id=f"e{i}", name=f"Person {i}", templates=[t.astype("<f4").tobytes() for t in rows])


def face(box: Sequence[float] = LEFT) -> Face:
    left, top, right, bottom = box
    w, h = right - left, bottom - top
    marks = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]
    points = np.array([[left + x * w, top + y * h] for x, y in marks], np.float32)
    return Face(np.array(box, np.float32), points, 0.99)


def sight(
    template: NDArray[np.float32] | None = None,
    box: Sequence[float] = LEFT,
    fault: Outcome | None = None,
    others: Sequence[Sequence[float]] = (),
    several: bool = False,
    turn: float = 0.1,
) -> Sight:
    quality = Quality(box[2] - box[0], 100.0, 120.0, turn, fault)
    return Sight([face(box), *(face(b) for b in others)], quality, several, template)


EMPTY = Sight([], None, False, None)


class FakeEngine(Engine):
    """Shows what `shows` says for a picture's grey level (multiples of 10); an exception there is raised."""

    def __init__(self, shows: dict[int, Sight | Exception] | None = None, info: ModelInfo = INFO) -> None:
        self.info = info
        self.shows: dict[int, Sight | Exception] = shows or {}
        self.looks = 0
        self.frugal = False
        """Whether it leaves templates out as the real one does, where none is due."""

    def look(
        self, pictures: Sequence[NDArray[np.uint8]], due: Callable[[int, Face], bool] = always
    ) -> tuple[list[Sight], dict[str, float]]:
        self.looks += 1
        found = [self.shows.get(round(float(p.mean()) / 10) * 10, EMPTY) for p in pictures]
        for one in found:
            if isinstance(one, Exception):
                raise one
        sights = [one for one in found if isinstance(one, Sight)]
        if self.frugal:
            sights = [
                one if one.template is None or due(i, one.faces[0]) else replace(one, template=None)
                for i, one in enumerate(sights)
            ]
        return sights, {"detect": 1.0, "embed": 1.0}

    def embed_nearest(self, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        return self.look([picture])[0][0].template


class FixedGallery(GalleryFollower):
    """A gallery without a ledger: as ready and as full as the test says."""

    def __init__(self, *people: GalleryPerson) -> None:
        super().__init__(None, "s0", INFO)
        self.is_ready = True
        self.hold(*people)

    def hold(self, *people: GalleryPerson) -> None:
        self.index = GalleryIndex(people, ALPHA)

    @property
    def ready(self) -> bool:
        return self.is_ready


class KeptDecisions(DecisionSender):
    def __init__(self) -> None:
        super().__init__(None, "s0")
        self.kept: list[Decision] = []

    def put(self, decision: Decision) -> None:
        self.kept.append(decision)


def jpeg(level: int, width: int = 640, height: int = 240) -> bytes:
    done, data = cv2.imencode(".jpg", np.full((height, width), level, np.uint8))
    assert done
    return data.tobytes()


def frame(level: int = 0, seq: int = 1, data: bytes | None = None, **other: Any) -> Frame:
    values = {"width": 640, "height": 240, "age_ms": 0, "deadline_ms": 10_000, "presence": "p1"} | other
    return Frame(seq=seq, jpeg=jpeg(level) if data is None else data, **values)


def taken(level: int, captured_ms: int, kiosk: str = "front", **other: Any) -> TakenFrame:
    return TakenFrame(kiosk, frame(level, **other), captured_ms, captured_ms + 20)


def send(live: redis.Redis, kiosk: str, one: Frame, entry_id: str = "*") -> bytes:
    """Put a frame as a kiosk does."""
    fields = as_any(one.to_fields())
    answer = live.xadd(keys.frames("s0", kiosk), fields, id=entry_id, maxlen=keys.FRAMES_KEPT, approximate=False)
    return bytes(answer)  # type: ignore[arg-type]


def announce(live: redis.Redis, *kiosks: str) -> None:
    seconds, microseconds = live.time()
    live.zadd(keys.kiosks("s0"), dict.fromkeys(kiosks, seconds * 1000 + microseconds // 1000))


def answers(live: redis.Redis, kiosk: str = "front") -> list[Feedback]:
    """All feedback to a kiosk, oldest first."""
    entries: Any = live.xrange(keys.feedback("s0", kiosk))
    return [Feedback.from_fields(fields) for _, fields in entries]


def decisions(ledger: redis.Redis) -> list[Decision]:
    entries: Any = ledger.xrange(keys.decisions("s0"))
    return [Decision.from_fields(fields) for _, fields in entries]


@dataclass
class Publisher:
    """Publishes a gallery the way the dashboard does: the hash, its version and the log in one MULTI."""

    ledger: redis.Redis
    model_id: str = MODEL
    version: int = 0

    def reset(self, *people: GalleryPerson) -> None:
        pipe = self._begin()
        pipe.delete(keys.gallery("s0", self.model_id))
        for one in people:
            pipe.hset(keys.gallery("s0", self.model_id), one.employee_id, one.model_dump_json())
        self._finish(pipe, "reset")

    def put(self, one: GalleryPerson) -> None:
        pipe = self._begin()
        pipe.hset(keys.gallery("s0", self.model_id), one.employee_id, one.model_dump_json())
        self._finish(pipe, "put", one.employee_id)

    def remove(self, employee_id: str) -> None:
        pipe = self._begin()
        pipe.hdel(keys.gallery("s0", self.model_id), employee_id)
        self._finish(pipe, "remove", employee_id)

    def _begin(self) -> Any:
        self.version += 1
        return self.ledger.pipeline(transaction=True)

    def _finish(self, pipe: Any, op: str, employee_id: str | None = None) -> None:
        values = {"version": self.version, "op": op, "model_id": self.model_id, "employee_id": employee_id}
        change = GalleryChange.model_validate(values)
        pipe.hset(keys.gallery("s0", self.model_id), GALLERY_VERSION_FIELD, self.version)
        pipe.xadd(keys.gallery_log("s0"), as_any(change.to_fields()), id=f"{self.version}-0")
        pipe.execute()


def until(true: Callable[[], Any], timeout_s: float = 15.0, every_s: float = 0.02) -> Any:
    """Wait for a condition and return what it gave; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (value := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every_s)
    return value
