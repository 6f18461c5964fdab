"""Do we find the faces that the base line finds? On research pictures where they are at hand, else on the drawn scene."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from deploy.bench import scene
from deploy.bench.detect import product_detector
from deploy.errors import Problem
from worker.tracks import overlap

FACE_PX, PROBABILITY, SAME = 60, 0.9, 0.5
"""A face of the base line counts from this width and probability, and is matched at this intersection over union."""
Image = NDArray[np.uint8]


@dataclass
class Count:
    pictures: int = 0
    wanted: int = 0
    found: int = 0
    extra: int = 0
    """Boxes of ours of at least 60 px which no box of the base line, however unsure, matches."""

    def add(self, baseline: list[tuple[NDArray[np.float32], float]], ours: list[NDArray[np.float32]]) -> None:
        self.pictures += 1
        for box, probability in baseline:
            if box[2] - box[0] >= FACE_PX and probability >= PROBABILITY:
                self.wanted += 1
                self.found += any(overlap(box, other) >= SAME for other in ours)
        wide = [box for box in ours if box[2] - box[0] >= FACE_PX]
        self.extra += sum(not any(overlap(box, other) >= SAME for other, _ in baseline) for box in wide)

    def report(self) -> dict[str, Any]:
        ratio = round(self.found / self.wanted, 4) if self.wanted else None
        return {"pictures": self.pictures, "faces": self.wanted, "found_ratio": ratio, "extra_boxes": self.extra}


def measure(home: Path, device: str, threads: int, data: Path | None, every: int = 1) -> dict[str, Any]:
    """found_ratio and extra_boxes, in all and by set; `every` takes only each nth picture."""
    torch.set_num_threads(threads)
    sets = _research_sets(data) if data else {"scene": _scene()}
    mtcnn, detector = MTCNN(keep_all=True, post_process=False), product_detector(home, device, threads)
    counts = {name: Count() for name in sets}
    for name, pictures in sets.items():
        for number, picture in enumerate(pictures):
            if number % every:
                continue
            with torch.inference_mode():
                boxes, probabilities = mtcnn.detect(picture)
            baseline = [] if boxes is None else list(zip(boxes, probabilities, strict=True))
            counts[name].add(baseline, [face.box for face in detector.find([picture])[0]])
    whole = Count(
        *(sum(getattr(c, field) for c in counts.values()) for field in ("pictures", "wanted", "found", "extra"))
    )
    report = whole.report()
    return {
        "found_ratio": report["found_ratio"],
        "extra_boxes": report["extra_boxes"],
        "found_on": {name: count.report() for name, count in counts.items()},
    }


def _research_sets(data: Path) -> dict[str, Iterator[Image]]:
    nuaa, crowd = data / "nuaa", data / "clips" / "crowd_1080p.mp4"
    if not nuaa.is_dir() or not crowd.is_file():
        raise Problem(f"--data {data}: expected the folder nuaa and the file clips/crowd_1080p.mp4 in it")
    return {"nuaa": _pictures(nuaa), "crowd_1080p": _clip(crowd)}


def _pictures(folder: Path) -> Iterator[Image]:
    for path in sorted(folder.rglob("*.jpg")):
        picture = cv2.imread(str(path))
        if picture is not None:
            yield np.ascontiguousarray(picture[:, :, ::-1], np.uint8)


def _clip(path: Path) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(path))
    try:
        while (answer := capture.read())[0]:
            yield np.ascontiguousarray(answer[1][:, :, ::-1], np.uint8)
    finally:
        capture.release()


def _scene() -> Iterator[Image]:
    for picture in scene.standing(10):
        for size in scene.SIZES:
            yield scene.at_size(picture, size)
