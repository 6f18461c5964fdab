"""Photographs as the recogniser sees them: one to ask about, and a folder of known people to compare it with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import embedding
from training.dataset import BadData, FaceFolder, read_folder
from training.embedding import chips_of, embed_files
from training.pictures import BadPicture, decode
from worker.detector import Detector
from worker.embedder import Embedder


@dataclass(frozen=True)
class Photo:
    path: Path
    chip: NDArray[np.uint8]
    """(px, px, 3) RGB: what the network was shown; of several networks, the first."""
    template: NDArray[np.float32]
    """(numbers of a template,) of length α."""
    face_found: bool
    """False: no face was found, the picture's centre was shown, and nothing may be concluded from it."""


@dataclass(frozen=True)
class FaceGallery:
    """Known people. Only pictures with a face count: the centre of a wall resembles anybody's wall."""

    folder: FaceFolder
    """The pictures that are compared, by person."""
    templates: NDArray[np.float32]
    """(n, numbers of a template) of length α, in the folder's order."""
    without_face: list[str]
    unreadable: dict[str, str]
    """File → reason."""

    def __len__(self) -> int:
        """Pictures, that is comparisons of each photograph: the N of the FPIR rule."""
        return len(self.templates)


def look(model: Embedder, detector: Detector, path: Path) -> Photo:
    """Find, cut out and embed the main face of a photograph; raises BadPicture naming it."""
    picture = decode(embedding.read_bytes(path), str(path))
    chips, found = chips_of(model, picture, detector.find([picture])[0])
    return Photo(path, chips[0], model.embed([chips])[0], found)


def load_gallery(
    model: Embedder,
    detector: Detector,
    root: Path,
    *,
    cache: Path,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
) -> FaceGallery:
    """Embed everybody in a folder (IDENTITY/picture.*); templates that the cache has aren't computed again.

    `on_progress` hears (done, all). Pictures that can't be read, or without a face, are left out and listed. Raises
    BadData when nobody is left.
    """
    folder = read_folder(root)
    unreadable: dict[str, str] = {}
    try:
        embedded = _embed(model, detector, folder, cache, on_progress)
    except BadPicture:  # rare, so every picture is looked at only now
        unreadable = {file: why for i, file in enumerate(folder.files) if (why := _reason(folder.path(i)))}
        if len(unreadable) == len(folder):
            raise BadData(f"{root}: none of its {len(folder)} pictures can be read") from None
        folder = folder.part(i for i, file in enumerate(folder.files) if file not in unreadable)
        embedded = _embed(model, detector, folder, cache, on_progress)
    without_face = [file for file, found in zip(folder.files, embedded.found, strict=True) if not found]
    if not embedded.found.any():
        raise BadData(f"{root}: no face was found in any of its {len(folder)} pictures; nobody to compare with")
    kept = np.flatnonzero(embedded.found)
    return FaceGallery(folder.part(kept), embedded.templates[kept], without_face, unreadable)


def _embed(
    model: Embedder, detector: Detector, folder: FaceFolder, cache: Path, on_progress: Callable[[int, int], object]
) -> embedding.Embedded:
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        on_progress(done, len(folder))

    paths = [folder.path(i) for i in range(len(folder))]
    return embed_files(model, paths, cache=cache, on_progress=step, detector=detector)


def _reason(path: Path) -> str | None:
    """Why a picture can't be embedded, or None."""
    try:
        decode(embedding.read_bytes(path), str(path))
    except BadPicture as error:
        return str(error).removeprefix(f"{path}: ")
    return None
