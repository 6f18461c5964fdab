"""Files of faces to templates, for evaluation and search: the worker's own detector, crop and network, and a cache."""

import hashlib
import inspect
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from training.pictures import BadPicture, decode
from training.template_cache import Known, TemplateCache
from worker import crop, mtcnn_cpu, recogniser
from worker import detector as detector_room
from worker.detector import Detector, Face
from worker.embedder import Chips, Embedder
from worker.protocol.bundle import BadBundle

BATCH = 16
"""Pictures read, searched and embedded together."""
MIN_FACE_PX = 48
"""Smallest face looked for, as at the door."""


@dataclass(frozen=True)
class Embedded:
    templates: NDArray[np.float32]
    """(n, numbers of a template) of length α."""
    found: NDArray[np.bool_]
    """(n,) False where no face was found and the picture's centre was taken instead."""

    @property
    def faces_not_found(self) -> int:
        return int(np.count_nonzero(~self.found))


def best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def open_detector(cache: Path, *, threads: int = 0, device: str = "auto") -> Detector:
    """The worker's detector for photographs; 0 threads takes every core."""
    device = best_device() if device == "auto" else device
    return Detector(cache, device, min_face_px=MIN_FACE_PX, threads=threads or os.cpu_count() or 1)


def open_model(name: str, *, cache: Path, threads: int = 0, device: str = "auto", bf16: bool | None = None) -> Embedder:
    """The model that ATTENDANCE_MODEL would name so, ready to embed; raises BadBundle. 0 threads takes every core.

    On a CPU it computes as it would serve, unless `bf16` says in which precision.
    """
    try:
        on = recogniser.device(device)
    except ValueError as error:
        raise BadBundle(str(error)) from None
    return recogniser.open_embedder(name, on, cache, threads or os.cpu_count() or 1, bf16)


def embed_files(
    model: Embedder,
    paths: Sequence[Path],
    *,
    cache: Path | None,
    on_progress: Callable[[int], None] | None = None,
    detector: Detector | None = None,
) -> Embedded:
    """Templates of pictures that show one person each, in the order of `paths`; raises BadPicture naming the file.

    `cache` is a folder for templates and for the detector's converted networks; None keeps nothing. `on_progress` is told
    how many more pictures are done.
    """
    with tempfile.TemporaryDirectory() as scratch:
        if detector is None:
            detector = open_detector(cache or Path(scratch))
        with closing(TemplateCache(cache_file(model, cache), model.info.embedding_size)) as known:
            parts = []
            for start in range(0, len(paths), BATCH):
                batch = paths[start : start + BATCH]
                parts += _embed_batch(model, detector, batch, known)
                if on_progress is not None:
                    on_progress(len(batch))
    templates = np.stack([part.template for part in parts]) if parts else model.embed([])
    return Embedded(templates, np.array([part.found for part in parts], np.bool_))


def main_face(faces: Sequence[Face], height_px: int, width_px: int) -> Face:
    """The face that a portrait is of: large and near the centre. Source: facenet's alignment (area − 2 · offset²).

    The door takes the widest face, since whoever stands nearest is meant; in LFW a bystander may be wider.
    """
    centre = np.array([width_px, height_px]) / 2

    def score(face: Face) -> float:
        offset = (face.box[:2] + face.box[2:]) / 2 - centre
        return face.width * face.height - 2 * float(offset @ offset)

    return max(faces, key=score)


def centre_chip(picture: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """The largest centred square of an RGB picture, resized to (size, size, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8)


def chips_of(model: Embedder, picture: NDArray[np.uint8], faces: Sequence[Face]) -> tuple[Chips, bool]:
    """The model's own crops of the main face, or the centre of the picture and False."""
    if faces:
        try:
            return model.chips(picture, main_face(faces, *picture.shape[:2])), True
        except ValueError:  # a box or landmarks that leave nothing to cut
            pass
    return tuple(centre_chip(picture, one.px) for one in model.inputs), False


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPicture(f"{path}: can't be read ({error.strerror})") from None


def cache_file(model: Embedder, cache: Path | None, change: str = "") -> Path | None:
    """By everything that a template depends on besides the picture: an update of the detector begins a new file.

    `change` names what was done to the pictures before their faces were cut out.
    """
    if cache is None:
        return None
    crops = "+".join(one.crop for one in model.inputs)
    parts = [model.info.id, crops, f"{MIN_FACE_PX}px", cutting_digest(), *([change] if change else [])]
    return cache / "templates" / f"{'-'.join(parts)}.sqlite"


def cutting_digest() -> str:
    """Of the code that finds and cuts out a face, since nobody would remember to count up a version."""
    sources = "".join(inspect.getsource(part) for part in (detector_room, mtcnn_cpu, crop, main_face, centre_chip))
    return hashlib.sha256(sources.encode()).hexdigest()[:8]


def _embed_batch(model: Embedder, detector: Detector, paths: Sequence[Path], known: TemplateCache) -> list[Known]:
    def cut(new: Sequence[New]) -> list[tuple[Chips, bool]]:
        pictures = [decode(one.data, str(paths[one.place])) for one in new]
        return [chips_of(model, *seen) for seen in zip(pictures, detector.find(pictures), strict=True)]

    return embed_new(model, paths, known, cut)


@dataclass(frozen=True)
class New:
    """A file whose template isn't known yet: its place in the list, its bytes and their SHA-256."""

    place: int
    data: bytes
    key: bytes


def embed_new(
    model: Embedder,
    paths: Sequence[Path],
    known: TemplateCache,
    cut: Callable[[Sequence[New]], list[tuple[Chips, bool]]],
) -> list[Known]:
    """Templates in the order of `paths`: those that are known, and those of what `cut` makes of the other files.

    Raises BadPicture, and BadBundle where the network's answer isn't a template.
    """
    contents = [read_bytes(path) for path in paths]
    keys = [hashlib.sha256(data).digest() for data in contents]
    templates = {key: row for key in set(keys) if (row := known.get(key)) is not None}
    places = {key: i for i, key in enumerate(keys) if key not in templates}
    if places:
        faces = cut([New(i, contents[i], key) for key, i in places.items()])
        try:
            rows = model.embed([face for face, _ in faces])
        except ValueError as error:  # NaN or nothing at all
            raise BadBundle(f"{error}; the training run behind it failed, or its weights are damaged") from None
        fresh = {key: Known(row, found) for key, row, (_, found) in zip(places, rows, faces, strict=True)}
        known.put(fresh)
        templates |= fresh
    return [templates[key] for key in keys]
