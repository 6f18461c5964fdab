"""Which pictures an epoch shows: random triplets as the thesis draws them, and batches by identity. All of it by seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from training.dataset import BadData


@dataclass(frozen=True)
class _ByIdentity:
    """Pictures sorted by identity: those of identity i are `order[starts[i] : starts[i] + counts[i]]`."""

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    @staticmethod
    def of(labels: NDArray[np.int64]) -> "_ByIdentity":
        _, starts, counts = np.unique(np.sort(labels), return_index=True, return_counts=True)
        return _ByIdentity(np.argsort(labels, kind="stable"), starts, counts)

    def with_two(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.counts >= 2)


def draw_triplets(labels: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count, 3) numbers of anchor, positive and negative pictures, drawn as the thesis does.

    The identity comes first and uniformly (the anchor's among those with two pictures or more, the negative's among all
    others), then the pictures, so that a person with few pictures is seen as often as one with many. Raises BadData
    when no person has two pictures or there is one person only.
    """
    people = _ByIdentity.of(labels)
    able = people.with_two()
    if not len(able) or len(people.counts) < 2:
        raise BadData(
            f"no triplet can be drawn from {len(people.counts)} people, {len(able)} of them with two pictures or more: "
            "one person with two pictures and another person are the least"
        )
    same = able[rng.integers(len(able), size=count)]
    other = rng.integers(len(people.counts) - 1, size=count)
    other += other >= same  # uniform over everybody else
    anchor = rng.integers(people.counts[same])
    positive = rng.integers(people.counts[same] - 1)
    positive += positive >= anchor  # uniform over the person's other pictures
    negative = rng.integers(people.counts[other])
    places = [people.starts[same] + anchor, people.starts[same] + positive, people.starts[other] + negative]
    return people.order[np.stack(places, axis=1)]


class SeededBatches(Sampler[list[int]]):
    """Batches of picture numbers that follow from (seed, epoch, batch number) alone: any batch can be the first.

    `len` and iteration begin at `first_batch`; set_epoch puts it back to 0.
    """

    def __init__(self, batches: int, *, seed: int, rank: int, world: int) -> None:
        if not 0 <= rank < world:
            raise ValueError(f"rank {rank} isn't one of {world} processes")
        self.batches = batches
        self.seed = seed
        self.rank = rank
        self.world = world
        self.epoch = 0
        self.first_batch = 0

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        self.epoch = epoch
        self.first_batch = first_batch

    def __len__(self) -> int:
        return max(0, self.batches - self.first_batch)

    def __iter__(self) -> Iterator[list[int]]:
        for number in range(self.first_batch, self.batches):
            yield self.batch(number)

    def batch(self, number: int) -> list[int]:
        """This rank's picture numbers of one batch of the epoch."""
        raise NotImplementedError


class PKBatches(SeededBatches):
    """p people with k pictures each, everybody with two pictures or more being as likely as anybody else.

    A person with fewer than k pictures shows each of them before one comes again. Ranks get different people. `batches`
    of an epoch are, unless given, as many as show as many pictures as there are.
    """

    def __init__(
        self,
        labels: NDArray[np.int64],
        p: int,
        k: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        batches: int | None = None,
    ) -> None:
        self._people = _ByIdentity.of(labels)
        self._able = self._people.with_two()
        if p * world > len(self._able):
            raise BadData(
                f"batches of {p} people in {world} processes need {p * world} people with two pictures or more; "
                f"there are {len(self._able)}: take a smaller p"
            )
        super().__init__(batches or max(1, len(labels) // (p * k * world)), seed=seed, rank=rank, world=world)
        self.p = p
        self.k = k

    def batch(self, number: int) -> list[int]:
        rng = np.random.default_rng([self.seed, self.epoch, number])
        drawn = rng.choice(self._able, self.p * self.world, replace=False)
        # every rank draws for all, so that the pictures of one don't depend on how many others there are
        numbers = [self._pictures(person, rng) for person in drawn]
        return np.concatenate(numbers[self.rank * self.p : (self.rank + 1) * self.p]).tolist()

    def _pictures(self, person: int, rng: np.random.Generator) -> NDArray[np.int64]:
        start, count = self._people.starts[person], int(self._people.counts[person])
        rounds = [rng.permutation(count) for _ in range(-(-self.k // count))]
        return self._people.order[start + np.concatenate(rounds)[: self.k]]


class ShuffledBatches(SeededBatches):
    """Every picture once an epoch in a new order, as a classifier is trained; the last, smaller batch is left out."""

    def __init__(self, pictures: int, batch: int, *, seed: int, rank: int = 0, world: int = 1) -> None:
        if pictures < batch * world:
            raise BadData(
                f"{pictures} pictures don't fill one batch of {batch} in {world} processes: take a smaller one"
            )
        super().__init__(pictures // (batch * world), seed=seed, rank=rank, world=world)
        self.pictures = pictures
        self.size = batch
        self._order: tuple[int, NDArray[np.int64]] | None = None

    def batch(self, number: int) -> list[int]:
        if self._order is None or self._order[0] != self.epoch:
            rng = np.random.default_rng([self.seed, self.epoch])
            self._order = (self.epoch, rng.permutation(self.pictures).astype(np.int64))
        start = (number * self.world + self.rank) * self.size
        return self._order[1][start : start + self.size].tolist()
