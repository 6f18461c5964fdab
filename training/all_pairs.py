"""All pairs of a set of pictures at once: 87 million for LFW, in blocks, with only what the rates need kept.

Two passes over blocks of matrix products. The first counts distances into fine bins, which gives the curve; the second
keeps the nearest impostor pairs themselves, down to the loosest rate asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc as area_under

from training.rates import ScoredPairs
from training.verification import BadPairs, Counts, Floats, Roc

ROWS = 512
"""Of a block: 512 × 13,233 distances are 27 MB, and a handful of such arrays is alive at a time."""
BINS = 100_000
"""Between 0 and the sphere's diameter; two pairs in one bin count as equally near in the curve."""
TAIL_SHARE = 2
"""Impostors kept, as a multiple of the loosest rate, so that a bootstrap's draws find their threshold too."""
MAX_PICTURES = 40_000
"""800 million pairs, of whose nearest 2 % the owners take 130 MB."""


@dataclass(frozen=True)
class AllPairs:
    scored: ScoredPairs
    genuine_bins: Counts
    """(BINS,) pairs by distance from 0 to `diameter`."""
    impostor_bins: Counts
    diameter: float

    def curve(self) -> Roc:
        """To the bins' width; the rates at a threshold count the bins below it. Raises BadPairs without both kinds."""
        if not self.genuine_bins.any() or not self.impostor_bins.any():
            raise BadPairs("a curve needs pairs of one person and pairs of different people")
        fpr, tpr = (np.concatenate([[0.0], c.cumsum() / c.sum()]) for c in (self.impostor_bins, self.genuine_bins))
        return Roc(fpr, tpr, np.linspace(0, self.diameter, BINS + 1), float(area_under(fpr, tpr)))

    def false_match_rate(self, threshold: float) -> float:
        """Exact where the tail reaches that far, else to the bins' width."""
        tail = self.scored.tail
        if len(tail) and threshold <= tail[-1]:
            return float(np.searchsorted(tail, threshold, side="left") / self.scored.impostors)
        below = int(np.clip(threshold / self.diameter * BINS, 0, BINS))
        return float(self.impostor_bins[:below].sum() / self.scored.impostors)


def all_pairs(
    templates: NDArray[np.float32], people: NDArray[np.int64], *, alpha: float, loosest_far: float
) -> AllPairs:
    """Every pair of (n, 128) templates of length `alpha`; raises BadPairs for too few or too many."""
    if len(templates) > MAX_PICTURES:
        raise BadPairs(
            f"{len(templates)} pictures make too many pairs; at most {MAX_PICTURES} can be paired with each other"
        )
    _, owners = np.unique(people, return_inverse=True)
    pictures = np.bincount(owners)
    impostors = int(len(owners) ** 2 - (pictures.astype(np.int64) ** 2).sum()) // 2
    if not impostors:
        raise BadPairs("no two pictures of different people, so there is no impostor pair to judge")
    scale = np.float32(BINS / (2 * alpha))
    impostor_bins, genuine, genuine_owners = np.zeros(BINS, np.int64), [np.zeros(0)], [np.zeros(0, np.int64)]
    for start, distances, upper in _blocks(templates, alpha):
        same = owners[start : start + len(distances), None] == owners[None, start:]
        strangers = distances[upper & ~same]
        impostor_bins += np.bincount(np.minimum((strangers * scale).astype(np.int32), BINS - 1), minlength=BINS)
        rows, columns = np.nonzero(upper & same)
        genuine.append(distances[rows, columns].astype(np.float64))
        genuine_owners.append(owners[start + rows])
    every, whose = np.concatenate(genuine), np.concatenate(genuine_owners)
    order = np.argsort(every, kind="stable")
    genuine_bins = np.bincount(np.minimum((every * scale).astype(np.int64), BINS - 1), minlength=BINS)
    wanted = min(1.0, TAIL_SHARE * loosest_far) * impostors
    last_bin = int(np.searchsorted(impostor_bins.cumsum(), wanted))
    tail, tail_owners = _tail(templates, owners, alpha, scale, last_bin)
    scored = ScoredPairs(every[order], whose[order], tail, tail_owners, impostors, len(pictures), pictures)
    return AllPairs(scored, genuine_bins, impostor_bins, 2 * alpha)


def matches_by_owner(
    templates: NDArray[np.float32], people: NDArray[np.int64], *, alpha: float, thresholds: Sequence[float]
) -> NDArray[np.int64]:
    """(thresholds, owners): impostor pairs below each threshold in which each person takes part, so a pair counts twice."""
    _, owners = np.unique(people, return_inverse=True)
    found = np.zeros((len(thresholds), int(owners.max()) + 1), np.int64)
    for start, distances, upper in _blocks(templates, alpha):
        rows, columns = owners[start : start + len(distances)], owners[start:]
        strangers = upper & (rows[:, None] != columns[None])
        for number, threshold in enumerate(thresholds):
            near = strangers & (distances < threshold)
            np.add.at(found[number], rows, near.sum(axis=1))
            np.add.at(found[number], columns, near.sum(axis=0))
    return found


def _tail(
    templates: NDArray[np.float32], owners: NDArray[np.int64], alpha: float, scale: np.float32, last_bin: int
) -> tuple[Floats, NDArray[np.int32]]:
    """The impostor pairs whose distance falls into the bins up to `last_bin`, nearest first, and whose they are."""
    found, whose = [np.zeros(0)], [np.zeros((0, 2), np.int32)]
    for start, distances, upper in _blocks(templates, alpha):
        near = upper if last_bin >= BINS - 1 else upper & (distances * scale < last_bin + 1)
        rows, columns = np.nonzero(near)
        pairs = np.stack([owners[start + rows], owners[start + columns]], axis=1).astype(np.int32)
        strangers = pairs[:, 0] != pairs[:, 1]
        found.append(distances[rows, columns][strangers].astype(np.float64))
        whose.append(pairs[strangers])
    tail, tail_owners = np.concatenate(found), np.concatenate(whose)
    order = np.argsort(tail, kind="stable")
    return tail[order], tail_owners[order]


def _blocks(
    templates: NDArray[np.float32], alpha: float
) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.bool_]]]:
    """Each pair once: the number of a block's first picture, the distances (rows, pictures from that one on), and which count.

    Row i and column j are pictures start + i and start + j; those above the diagonal count.
    """
    n = len(templates)
    for start in range(0, n, ROWS):
        end = min(start + ROWS, n)
        squares = 2 * np.float32(alpha) ** 2 - 2 * (templates[start:end] @ templates[start:].T)
        yield start, np.sqrt(np.maximum(squares, 0)), np.arange(n - start)[None, :] > np.arange(end - start)[:, None]
