"""A teacher's embeddings of the training pictures, for distillation: computed once, kept by the pictures' SHA-256."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.dataset import FaceFolder, hashes_of
from training.embedding import BATCH, chips_of, open_detector, open_model
from training.pictures import pictures_of
from training.template_cache import Known, TemplateCache
from worker.embedder import Chips, Embedder
from worker.protocol.bundle import BadBundle

NUMBERS = 128
"""Of a teacher's template: what the thesis network, the student, gives."""


def teacher_embeddings(
    name: str,
    folder: FaceFolder,
    crop: str,
    cache: Path,
    on_progress: Callable[[int, int], object] = lambda done, of: None,
) -> NDArray[np.float32]:
    """(n, 128) templates by a model that can teach the thesis network; else as `prepared_embeddings`. Raises BadBundle too."""
    model = open_model(name, cache=cache)
    if model.info.embedding_size != NUMBERS:
        raise BadBundle(
            f"{name} gives {model.info.embedding_size} numbers, a teacher {NUMBERS}; name one of its parts, or sface"
        )
    return prepared_embeddings(model, folder, crop, cache, on_progress)


def prepared_embeddings(
    model: Embedder,
    folder: FaceFolder,
    crop: str,
    cache: Path,
    on_progress: Callable[[int, int], object] = lambda done, of: None,
) -> NDArray[np.float32]:
    """(n, numbers) templates of length α of faces that were cut by the rule `crop`, in the folder's order.

    Pictures that are already cut as the model wants them are only resized. In others the detector looks for the face, and
    the centre serves where it finds none. Raises BadPicture, BadCache, BadBundle.
    """
    ready = all(one.crop == crop for one in model.inputs)
    file = cache / "templates" / f"teacher-{model.info.id}-from-{crop}.sqlite"
    detector = None if ready else open_detector(cache)
    pictures = pictures_of(folder)
    keys = [bytes.fromhex(digest) for digest in hashes_of(folder)]
    found = np.zeros((len(folder), model.info.embedding_size), np.float32)
    with closing(TemplateCache(file, model.info.embedding_size)) as known:
        for start in range(0, len(folder), BATCH):
            numbers = range(start, min(start + BATCH, len(folder)))
            rows = {i: row for i in numbers if (row := known.get(keys[i])) is not None}
            if new := [i for i in numbers if i not in rows]:
                read = [pictures.read(i) for i in new]
                if detector is None:
                    chips = [(_resized(model, picture), True) for picture in read]
                else:
                    chips = [chips_of(model, *seen) for seen in zip(read, detector.find(read), strict=True)]
                try:
                    templates = model.embed([face for face, _ in chips])
                except ValueError as error:  # NaN or nothing at all
                    raise BadBundle(f"{error}; its weights are damaged, or it wants its pictures otherwise") from None
                fresh = {i: Known(row, there) for i, row, (_, there) in zip(new, templates, chips, strict=True)}
                known.put({keys[i]: row for i, row in fresh.items()})
                rows |= fresh
            for i, row in rows.items():
                found[i] = row.template
            on_progress(numbers[-1] + 1, len(folder))
    return found


def _resized(model: Embedder, picture: NDArray[np.uint8]) -> Chips:
    """A picture that is cut already, in the sizes that the model wants."""
    sizes = [(one.px, one.px) for one in model.inputs]
    return tuple(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8) for size in sizes)
