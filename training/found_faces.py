"""Where the main face of each photograph is, found once and kept: a second recogniser needn't search again."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.embedding import BATCH, MIN_FACE_PX, cutting_digest, main_face, open_detector, read_bytes
from training.pictures import decode
from training.template_cache import Known, TemplateCache
from worker.detector import Detector, Face

NUMBERS = 14
"""Of a kept face: box (4) and landmarks (10)."""


def find_faces(
    paths: Sequence[Path],
    detector: Detector | None = None,
    *,
    cache: Path | None,
    on_progress: Callable[[int], None] = lambda more: None,
) -> list[Face | None]:
    """The main face of each picture, in the order of `paths`, None where there is none; raises BadPicture, BadCache."""
    file = None if cache is None else cache / "templates" / f"faces-{MIN_FACE_PX}px-{cutting_digest()}.sqlite"
    found: list[Face | None] = []
    with tempfile.TemporaryDirectory() as scratch, closing(TemplateCache(file, NUMBERS)) as known:
        detector = detector or open_detector(cache or Path(scratch))
        for start in range(0, len(paths), BATCH):
            batch = paths[start : start + BATCH]
            found += _find_batch(batch, detector, known)
            on_progress(len(batch))
    return found


def _find_batch(paths: Sequence[Path], detector: Detector, known: TemplateCache) -> list[Face | None]:
    contents = [read_bytes(path) for path in paths]
    keys = [hashlib.sha256(data).digest() for data in contents]
    rows = {key: row for key in set(keys) if (row := known.get(key)) is not None}
    new = {key: i for i, key in enumerate(keys) if key not in rows}
    if new:
        pictures = [decode(contents[i], str(paths[i])) for i in new.values()]
        fresh = {
            key: _row(main_face(faces, *picture.shape[:2]) if faces else None)
            for key, picture, faces in zip(new, pictures, detector.find(pictures), strict=True)
        }
        known.put(fresh)
        rows |= fresh
    return [_face(rows[key].template) if rows[key].found else None for key in keys]


def _row(face: Face | None) -> Known:
    if face is None:
        return Known(np.zeros(NUMBERS, np.float32), False)
    return Known(np.concatenate([face.box.ravel(), face.landmarks.ravel()]).astype(np.float32), True)


def _face(numbers: NDArray[np.float32]) -> Face:
    return Face(numbers[:4], numbers[4:].reshape(5, 2), 1.0)
