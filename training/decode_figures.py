"""How fast pictures come: read and decoded from a folder and from a packed file, and through the whole loader."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.io import ImageReadMode, decode_jpeg

from training.dataset import FaceFolder
from training.loading import batch_loader
from training.pictures import FolderPictures, PackedPictures, pictures_of
from training.transforms import train_transform

SECONDS = 3.0
"""Each figure is taken for at most so long."""
BATCH = 64


@dataclass(frozen=True)
class Rate:
    what: str
    pictures: int
    seconds: float

    @property
    def a_second(self) -> float:
        return self.pictures / self.seconds


def decode_rates(folder: FaceFolder, seed: int = 0, seconds: float = SECONDS) -> list[Rate]:
    """Pictures in random order in this one process: decoded by OpenCV, as training does it, and by torchvision."""
    pictures = pictures_of(folder)
    order = np.random.default_rng(seed).permutation(len(folder))
    where = "packed" if isinstance(pictures, PackedPictures) else "folder"

    def data(i: int) -> bytes:
        if isinstance(pictures, PackedPictures):
            return pictures.data(i)
        return folder.path(i).read_bytes()

    def by_torchvision(i: int) -> object:
        return decode_jpeg(torch.frombuffer(bytearray(data(i)), dtype=torch.uint8), ImageReadMode.RGB)

    rates = [_timed(f"{where}: read only", data, order, seconds)]
    rates.append(_timed(f"{where}: read, decode (OpenCV)", pictures.read, order, seconds))
    if all(file.lower().endswith((".jpg", ".jpeg")) for file in folder.files):
        rates.append(_timed(f"{where}: read, decode (torchvision)", by_torchvision, order, seconds))
    return rates


def loader_rate(folder: FaceFolder, size_px: int, workers: int, seed: int = 0, seconds: float = SECONDS) -> Rate:
    """The whole way to batches for training, with the thesis' transforms, in `workers` processes."""
    order = np.random.default_rng(seed).permutation(len(folder)).tolist()
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    loader = batch_loader(
        pictures_of(folder), folder.labels, batches, train_transform(size_px), workers=workers, seed=seed, epoch=0
    )
    where = "folder" if isinstance(pictures_of(folder), FolderPictures) else "packed"
    started = time.perf_counter()
    done = 0
    for faces, _, _ in loader:
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
