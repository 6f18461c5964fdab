"""The networks of one process behind one lock: frames and enrolment share them, and each call has all threads."""

import copy
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from worker import recogniser
from worker.detector import Detector, Face
from worker.embedder import Embedder
from worker.quality import Quality, judge, several
from worker.settings import WorkerSettings


@dataclass(frozen=True)
class Sight:
    """What was seen in one picture. `template` is there when the nearest face is good, nobody else is as near, and it
    was asked for."""

    faces: list[Face]
    quality: Quality | None
    several: bool
    template: NDArray[np.float32] | None


def always(number: int, face: Face) -> bool:
    return True


class Engine:
    def __init__(self, settings: WorkerSettings, embedder: Embedder | None = None) -> None:
        torch.set_num_threads(settings.thread_count)
        self.settings = settings
        self.embedder: Embedder = embedder or recogniser.load(settings)
        self.info = self.embedder.info
        self._detector = Detector(
            settings.cache,
            recogniser.device(settings.device),
            settings.detect_width_px,
            settings.min_face_px,
            settings.thread_count,
        )
        self._lock = threading.Lock()
        self.warm_up()

    def warm_up(self) -> None:
        """Run everything once, so that the first person isn't the one who waits for it."""
        with self._lock:
            self._detector.find([np.zeros((480, 640, 3), np.uint8)])
            self.embedder.embed([tuple(np.zeros((one.px, one.px, 3), np.uint8) for one in self.embedder.inputs)])

    def beside(self, embedder: Embedder) -> "Engine":
        """Another recogniser behind the same detector and lock."""
        other = copy.copy(self)
        other.embedder, other.info = embedder, embedder.info
        other.warm_up()
        return other

    def embed_nearest(self, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """The template of the nearest face, whatever its quality; None without a face.

        For pictures that were judged before. Raises ValueError when nothing of the face is left to cut.
        """
        with self._lock:
            (faces,) = self._detector.find([picture])
            return self.embedder.embed([self.embedder.chips(picture, faces[0])])[0] if faces else None

    def look(
        self, pictures: Sequence[NDArray[np.uint8]], due: Callable[[int, Face], bool] = always
    ) -> tuple[list[Sight], dict[str, float]]:
        """Find, judge and embed the nearest face of each RGB picture; also the milliseconds of each stage.

        `due` says by the picture's number whether its face is to be embedded: that costs more than all the rest.
        """
        with self._lock:
            t0 = time.perf_counter()
            found = self._detector.find(pictures)
            t1 = time.perf_counter()
            qualities = [
                judge(picture, faces[0], self.settings) if faces else None
                for picture, faces in zip(pictures, found, strict=True)
            ]
            good = [
                i
                for i, quality in enumerate(qualities)
                if quality is not None and quality.fault is None and not several(found[i]) and due(i, found[i][0])
            ]
            templates = self.embedder.embed([self.embedder.chips(pictures[i], found[i][0]) for i in good])
            t2 = time.perf_counter()
        by_picture = dict(zip(good, templates, strict=True))
        sights = [
            Sight(faces, quality, several(faces), by_picture.get(i))
            for i, (faces, quality) in enumerate(zip(found, qualities, strict=True))
        ]
        return sights, {"detect": (t1 - t0) * 1e3, "embed": (t2 - t1) * 1e3}
