"""Triplets where nobody's identity is known: views of one picture against pictures that a teacher takes for near strangers.

A positive is another view of the same face through another bad camera; a negative is somebody who looks like it. Pairs that
the teacher would call one person are no negatives: many sets hold some people twice.
"""

import numpy as np
from numpy.typing import NDArray

from training.cleaning import unit
from training.dataset import BadData
from training.triplets import SeededBatches

ROWS = 2_000
"""Of the table of likeness that are in memory together."""


def near_strangers(templates: NDArray[np.float32], ceiling: float, count: int) -> NDArray[np.int64]:
    """(n, count): of each picture, the most alike others whose cosine is below `ceiling`, the nearest first.

    `templates` (n, size) of any length. Raises BadData when there are too few pictures.
    """
    if len(templates) <= count:
        raise BadData(f"{len(templates)} pictures: batches of near strangers need more than {count} to choose from")
    points = unit(templates)
    found = np.empty((len(points), count), np.int64)
    for start in range(0, len(points), ROWS):
        cosines = points[start : start + ROWS] @ points.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = -2.0
        cosines[cosines >= ceiling] -= 4.0  # the same person, as far as the teacher can tell: last of all
        nearest = np.argpartition(-cosines, count, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosines, nearest, axis=1), axis=1, kind="stable")
        found[start : start + ROWS] = np.take_along_axis(nearest, order, axis=1)
    return found


class NearStrangerBatches(SeededBatches):
    """Groups of one drawn picture and some of its near strangers, each picture `views` times in a row."""

    def __init__(
        self,
        strangers: NDArray[np.int64],
        *,
        groups: int,
        size: int,
        views: int,
        batches: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """`strangers` (n, m) as `near_strangers` gives them, m ≥ size − 1; a batch has groups × size × views pictures."""
        super().__init__(batches, seed=seed, rank=rank, world=world)
        self.strangers, self.groups, self.size, self.views = strangers, groups, size, views

    def batch(self, number: int) -> list[int]:
        rng = np.random.default_rng([self.seed, self.epoch, number])
        drawn = rng.choice(len(self.strangers), self.groups * self.world, replace=False)
        beside = [rng.choice(self.strangers[first], self.size - 1, replace=False) for first in drawn]
        pictures = np.concatenate([drawn[:, None], np.stack(beside)], axis=1)
        mine = pictures[self.rank * self.groups : (self.rank + 1) * self.groups]
        return [int(picture) for picture in np.repeat(mine.reshape(-1), self.views)]
