"""How fast pictures come: read and decoded from a folder and from a packed file, and through the whole loader."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.dataset import FaceFolder
from training.loading import batch_loader
from training.pictures import FolderPictures, PackedPictures, pictures_of
from training.transforms import train_transform

SECONDS = 3.0
"""Each figure is taken for at most so long."""
BATCH = 64
LOADER_BATCHES = 5_000
"""More than a machine makes in the time of a figure."""


@dataclass(frozen=True)
class Rate:
    what: str
    pictures: int
    seconds: float

    @property
    def a_second(self) -> float:
        return self.pictures / self.seconds


def decode_rates(folder: FaceFolder, seed: int = 0, seconds: float = SECONDS) -> list[Rate]:
    """Pictures in random order in this one process: decoded by OpenCV, as training does it, and by Pillow."""
    pictures = pictures_of(folder)
    order = np.random.default_rng(seed).permutation(len(folder))
    where = "packed" if isinstance(pictures, PackedPictures) else "folder"

    def data(i: int) -> bytes:
        if isinstance(pictures, PackedPictures):
            return pictures.data(i)
        return folder.path(i).read_bytes()

    def by_pillow(i: int) -> object:
        return np.asarray(Image.open(io.BytesIO(data(i))).convert("RGB"))

    rates = [_timed(f"{where}: read only", data, order, seconds)]
    rates.append(_timed(f"{where}: read, decode (OpenCV)", pictures.read, order, seconds))
    rates.append(_timed(f"{where}: read, decode (Pillow)", by_pillow, order, seconds))
    return rates


def loader_rate(folder: FaceFolder, size_px: int, workers: int, seed: int = 0, seconds: float = SECONDS) -> Rate:
    """The whole way to batches for training, with the thesis' transforms, in `workers` processes, once these have started."""
    batches = np.random.default_rng(seed).integers(len(folder), size=(LOADER_BATCHES, BATCH)).tolist()
    loader = batch_loader(
        pictures_of(folder), folder.labels, batches, train_transform(size_px), workers=workers, seed=seed, epoch=0
    )
    where = "folder" if isinstance(pictures_of(folder), FolderPictures) else "packed"
    rows = iter(loader)
    next(rows)
    started = time.perf_counter()
    done = 0
    for faces, _, _ in rows:
        done += len(faces)
        if time.perf_counter() - started > seconds:
            break
    what = f"{where}: batches at {size_px} px, {workers} processes"
    return Rate(what, done, time.perf_counter() - started)


def _timed(what: str, step: Callable[[int], object], order: np.ndarray, seconds: float) -> Rate:
    started = time.perf_counter()
    done = 0
    for i in order:
        step(int(i))
        done += 1
        if time.perf_counter() - started > seconds:
            break
    return Rate(what, done, time.perf_counter() - started)
