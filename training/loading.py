"""From picture numbers to batches of tensors, in as many processes as are wanted.

Whatever happens to a picture at random follows from (seed, epoch, its place in the epoch), so that equal seeds give equal
batches with any number of loader processes, and an epoch can be taken up again at any batch.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.pictures import BadPicture, Pictures
from training.transforms import Transform
from training.triplets import SeededBatches

PREFETCH = 4
"""Batches that each loader process keeps ready."""
FACES = 3
"""Of a triplet: anchor, positive, negative."""


class _Faces(Dataset[tuple[Tensor, int]]):
    """Transformed pictures by (place in the epoch, picture number)."""

    def __init__(self, pictures: Pictures, transform: Transform, seed: int, epoch: int) -> None:
        self.pictures = pictures
        self.transform = transform
        self.seed = seed
        self.epoch = epoch

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        place, number = key
        picture = torch.from_numpy(self.pictures.read(number)).permute(2, 0, 1).contiguous()
        with torch.random.fork_rng(devices=[]):  # without loader processes the training's own generator stays as it was
            torch.default_generator.manual_seed(_mixed(self.seed, self.epoch, place))
            return self.transform(picture), number


def triplet_loader(
    pictures: Pictures,
    triplets: NDArray[np.int64],
    transform: Transform,
    *,
    batch: int,
    workers: int,
    seed: int,
    epoch: int,
    first_batch: int = 0,
    rank: int = 0,
    world: int = 1,
    pin_memory: bool = False,
) -> Iterable[Tensor]:
    """Batches (B, 3 faces, 3, px, px) float32 of an epoch's triplets (n, 3), in their order.

    The last batch may be smaller. With several ranks each step takes world × batch triplets, of which every rank gets
    its own share; a last step with fewer triplets than ranks is left out. Iterating raises BadPicture.
    """
    steps = range(first_batch * batch * world, len(triplets), batch * world)
    shares = [np.array_split(np.arange(i, min(i + batch * world, len(triplets))), world)[rank] for i in steps]
    if len(triplets) % (batch * world) and len(triplets) % (batch * world) < world:
        shares = shares[:-1]
    keys = [[(int(row) * FACES + f, int(triplets[row, f])) for row in rows for f in range(FACES)] for rows in shares]
    loader = _loader(_Faces(pictures, transform, seed, epoch), keys, workers, pin_memory)
    return _Batches(loader, triplets=True)


def batch_loader(
    pictures: Pictures,
    labels: NDArray[np.int64],
    batches: Iterable[Sequence[int]],
    transform: Transform,
    *,
    workers: int,
    seed: int,
    epoch: int,
    pin_memory: bool = False,
) -> Iterable[tuple[Tensor, Tensor, Tensor]]:
    """(pictures (B, 3, px, px) float32, labels (B,), picture numbers (B,)) of each batch of a sampler.

    A sampler of training/triplets.py is set to `epoch` here, its first batch staying; any other iterable of lists of
    numbers is one rank's whole epoch. Iterating raises BadPicture.
    """
    first, rank, world = 0, 0, 1
    if isinstance(batches, SeededBatches):
        batches.set_epoch(epoch, batches.first_batch)
        first, rank, world = batches.first_batch, batches.rank, batches.world
    keys = []
    for step, numbers in enumerate(batches, start=first):
        start = (step * world + rank) * len(numbers)
        keys.append([(start + i, int(number)) for i, number in enumerate(numbers)])
    loader = _loader(_Faces(pictures, transform, seed, epoch), keys, workers, pin_memory)
    return _Batches(loader, labels=torch.from_numpy(np.asarray(labels, np.int64)))


class _Batches:
    """A loader's batches in the shape that was asked for; as long as the loader."""

    def __init__(self, loader: "DataLoader[Any]", triplets: bool = False, labels: Tensor | None = None) -> None:
        self._loader = loader
        self._triplets = triplets
        self._labels = labels

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        try:
            for faces, numbers in self._loader:
                if self._triplets:
                    yield faces.unflatten(0, (-1, FACES))
                else:
                    assert self._labels is not None
                    yield faces, self._labels[numbers], numbers
        except BadPicture as error:  # a loader process adds its traceback to the message
            said = str(error).strip().splitlines()[-1].removeprefix("worker.decode.BadPicture: ")
            raise BadPicture(f"{said} (`attendance train prepare` leaves such pictures out)") from None


def _loader(
    faces: _Faces, keys: list[list[tuple[int, int]]], workers: int, pin_memory: bool
) -> "DataLoader[tuple[Tensor, int]]":
    return DataLoader(
        faces,
        batch_sampler=keys,  # type: ignore[arg-type]  # any sequence of batches of keys will do
        num_workers=workers,
        prefetch_factor=PREFETCH if workers else None,
        worker_init_fn=_one_thread,
        pin_memory=pin_memory,
    )


def _one_thread(worker: int) -> None:
    """The processes are the parallelism; OpenCV's threads on top would only get in each other's way."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _mixed(seed: int, epoch: int, place: int) -> int:
    """One 64-bit seed of three numbers, such that neighbours have nothing in common."""
    return int(np.random.SeedSequence([seed, epoch, place]).generate_state(1, np.uint64)[0])
