"""A stage's batches of one epoch: which pictures, in which order, with what the loss wants to know about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.dataset import BadData, FaceFolder
from training.kiosk_camera import WithTeacher
from training.loading import batch_loader, triplet_loader
from training.near_strangers import NearStrangerBatches
from training.pictures import pictures_of
from training.processes import Processes
from training.recipe import NearStrangers, PeopleBatches, RandomTriplets, Recipe, Stage
from training.transforms import Transform, train_transform
from training.triplets import PKBatches, SeededBatches, ShuffledBatches, draw_triplets

Target = Tensor | tuple[Tensor, Tensor] | None
TRAINING, VALIDATION = 0, 1
"""Which triplets a seed and an epoch give."""


class EndlessBatches(ShuffledBatches):
    """Shuffled pictures in epochs of a given number of batches: everybody's turn comes before anybody's second."""

    def __init__(self, pictures: int, batch: int, batches: int, *, seed: int, rank: int, world: int) -> None:
        super().__init__(pictures, batch, seed=seed, rank=rank, world=world)
        self._a_round = self.batches
        self.batches = batches

    def batch(self, number: int) -> list[int]:
        epoch = self.epoch
        try:
            self.epoch, number = divmod(epoch * self.batches + number, self._a_round)  # the order is the round's
            return super().batch(number)
        finally:
            self.epoch = epoch


def epoch_triplets(folder: FaceFolder, count: int, seed: int, epoch: int, purpose: int) -> NDArray[np.int64]:
    """(count, 3) picture numbers; the same for the same seed, epoch and purpose."""
    return draw_triplets(folder.labels, count, np.random.default_rng([seed, epoch, purpose]))


@dataclass
class Feed:
    """Iterating gives (pictures, target) from `first_batch` on; target is None, labels (B,), a teacher's rows (B, size), both,
    or the pictures that the teacher is to look at (B, 3, 112, 112) uint8."""

    recipe: Recipe
    stage: Stage
    folder: FaceFolder
    epoch: int
    first_batch: int
    processes: Processes
    teacher: NDArray[np.float32] | None = None
    strangers: NDArray[np.int64] | None = None
    """(pictures, m): who looks like each, where the stage's batches are made of that."""
    pin_memory: bool = False

    def __post_init__(self) -> None:
        sampling, seed = self.stage.sampling, self.recipe.seed
        rank, world = self.processes.rank, self.processes.world
        transform: Transform = train_transform(
            self.recipe.network.input_px, self.recipe.transform.augment, **self.recipe.transform.changes
        )
        if self.stage.loss.kind == "imitate":
            transform = WithTeacher(transform)
        pictures, workers = pictures_of(self.folder), self.recipe.data.loader_processes
        self._triplets: NDArray[np.int64] | None = None
        self._sampler: SeededBatches | None = None
        if isinstance(sampling, RandomTriplets):
            self._triplets = epoch_triplets(self.folder, sampling.count, seed, self.epoch, TRAINING)
            self._loader: Iterable[Any] = triplet_loader(
                pictures,
                self._triplets,
                transform,
                batch=shared(sampling.batch, world, "sampling.batch"),
                workers=workers,
                seed=seed,
                epoch=self.epoch,
                first_batch=self.first_batch,
                rank=rank,
                world=world,
                pin_memory=self.pin_memory,
            )
        else:
            if isinstance(sampling, PeopleBatches):
                people = shared(sampling.people, world, "sampling.people")
                self._sampler = PKBatches(
                    self.folder.labels,
                    people,
                    sampling.pictures,
                    seed=seed,
                    rank=rank,
                    world=world,
                    batches=sampling.batches,
                )
            elif isinstance(sampling, NearStrangers):
                assert self.strangers is not None
                self._sampler = NearStrangerBatches(
                    self.strangers,
                    groups=shared(sampling.groups, world, "sampling.groups"),
                    size=sampling.size,
                    views=sampling.views,
                    batches=sampling.batches,
                    seed=seed,
                    rank=rank,
                    world=world,
                )
            else:
                batch = shared(sampling.batch, world, "sampling.batch")
                self._sampler = EndlessBatches(
                    len(self.folder), batch, sampling.batches, seed=seed, rank=rank, world=world
                )
            self._sampler.set_epoch(self.epoch, self.first_batch)
            self._loader = batch_loader(
                pictures,
                self.folder.labels,
                self._sampler,
                transform,
                workers=workers,
                seed=seed,
                epoch=self.epoch,
                pin_memory=self.pin_memory,
            )

    @property
    def batches(self) -> int:
        """Of the whole epoch."""
        return self.first_batch + len(self._loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[Tensor, Target]]:
        if self._triplets is not None:
            for faces in self._loader:
                yield faces, None
            return
        for pictures, labels, numbers in self._loader:
            if isinstance(pictures, list):  # the student's and the teacher's
                yield pictures[0], pictures[1]
                continue
            if self.teacher is None:
                yield pictures, labels
                continue
            taught = torch.from_numpy(self.teacher[numbers.numpy()])
            # without identities a picture is a person of its own
            yield pictures, (numbers, taught) if isinstance(self.stage.sampling, NearStrangers) else taught

    def files(self, batch: int) -> list[str]:
        """The files of a batch (of all processes where triplets are drawn), for an error's message."""
        if self._triplets is not None:
            size = self.stage.sampling.batch  # type: ignore[union-attr]
            numbers = np.unique(self._triplets[batch * size : (batch + 1) * size])
        else:
            assert self._sampler is not None
            numbers = np.unique(self._sampler.batch(batch))
        return [self.folder.files[number] for number in numbers]


def shared(whole: int, world: int, what: str) -> int:
    """A process' part; raises BadData when it isn't a whole number."""
    if whole % world:
        raise BadData(f"{what} {whole} can't be shared out evenly to {world} processes; take a multiple of {world}")
    return whole // world
