"""1:N: a gallery of N people, photographs of them and of strangers. How often is a stranger taken for somebody (FPIR), and
somebody not named (FNIR)?

Each repetition draws N people by seed and enrols one picture of each. Probes are the enrolled people's other pictures, and
every picture of everybody else. A probe names the nearest enrolled person when that distance is below the threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.rates import INTERVAL, far_name
from training.verification import MIN_ERRORS, Floats, allowed_errors

GALLERIES = (10, 100, 1_000)
FPIRS = (0.1, 1e-2, 1e-3)
REPETITIONS = {10: 100, 100: 20, 1_000: 5}
"""Small galleries differ most by who happens to be in them."""
CURVE_POINTS = 400


@dataclass(frozen=True)
class Search:
    """One repetition: distances to the nearest enrolled person."""

    mated: Floats
    """(m,) of probes whose person is enrolled, rising within `right` and without."""
    right: NDArray[np.bool_]
    """(m,) whether that person is the nearest."""
    strangers: Floats
    """(s,) of probes whose person isn't, rising."""

    @property
    def rank_1(self) -> float:
        return float(self.right.mean())

    def threshold(self, fpir: float) -> float:
        """The loosest that lets in at most that share of strangers; distances below it are accepted."""
        allowed = allowed_errors(fpir, len(self.strangers))
        return float(self.strangers[allowed]) if allowed < len(self.strangers) else float("inf")

    def fnir(self, thresholds: Floats) -> Floats:
        """Share of the enrolled people's probes that aren't named, or named wrongly, at each threshold."""
        named = np.searchsorted(np.sort(self.mated[self.right]), thresholds, side="left")
        return np.asarray(1 - named / len(self.mated))

    def fpir(self, thresholds: Floats) -> Floats:
        return np.asarray(np.searchsorted(self.strangers, thresholds, side="left") / len(self.strangers))


def search(templates: NDArray[np.float32], people: NDArray[np.int64], size: int, rng: np.random.Generator) -> Search:
    """One repetition with `size` people enrolled, of those with two pictures or more; (n, 128) templates, (n,) people."""
    able = np.flatnonzero(np.bincount(people) >= 2)
    enrolled = rng.choice(able, size, replace=False)
    shuffled = rng.permutation(len(people))
    _, first = np.unique(people[shuffled], return_index=True)
    one_each = shuffled[first]
    gallery = one_each[np.isin(people[one_each], enrolled)]
    probes = np.setdiff1d(np.arange(len(people)), gallery)
    squares = (templates[gallery].astype(np.float64) ** 2).sum(1) - 2.0 * (templates[probes] @ templates[gallery].T)
    nearest = squares.argmin(axis=1)
    own = (templates[probes].astype(np.float64) ** 2).sum(1)
    distances = np.sqrt(np.maximum(squares[np.arange(len(probes)), nearest] + own, 0))
    is_mated = np.isin(people[probes], enrolled)
    right = people[gallery[nearest]] == people[probes]
    return Search(distances[is_mated], right[is_mated], np.sort(distances[~is_mated]))


def can_hold(people: NDArray[np.int64], size: int) -> bool:
    """Whether so many people have two pictures, and somebody is left as a stranger."""
    counts = np.bincount(people)
    return bool((counts >= 2).sum() >= size and (counts > 0).sum() > size)


def repetitions(size: int) -> int:
    return REPETITIONS.get(size, 5)


def identify(
    templates: NDArray[np.float32], people: NDArray[np.int64], size: int, seed: int, fpirs: Sequence[float] = FPIRS
) -> tuple[dict[str, Any], tuple[Floats, Floats]]:
    """A gallery's row of the result, and its DET curve (FPIR, FNIR), both as means over the repetitions.

    FNIR at an FPIR is None where a repetition's strangers allow fewer than MIN_ERRORS errors. The interval spans the middle
    95 % of the repetitions.
    """
    rng = np.random.default_rng([seed, size])
    searches = [search(templates, people, size, rng) for _ in range(repetitions(size))]
    strangers = min(len(one.strangers) for one in searches)
    rows: dict[str, Any] = {}
    for fpir in fpirs:
        if allowed_errors(fpir, strangers) < MIN_ERRORS:
            rows[far_name(fpir)] = None
            continue
        limits = np.array([one.threshold(fpir) for one in searches])
        missed = [float(one.fnir(limits[i : i + 1])[0]) for i, one in enumerate(searches)]
        finite = limits[np.isfinite(limits)]
        rows[far_name(fpir)] = {
            "fnir": float(np.mean(missed)),
            "interval": [float(v) for v in np.percentile(missed, INTERVAL)],
            "threshold": float(finite.mean()) if len(finite) else None,
        }
    rank_1 = [one.rank_1 for one in searches]
    row = {
        "gallery": size,
        "repetitions": len(searches),
        "mated_probes": float(np.mean([len(one.mated) for one in searches])),
        "stranger_probes": float(np.mean([len(one.strangers) for one in searches])),
        "rank_1": float(np.mean(rank_1)),
        "rank_1_std": float(np.std(rank_1)),
        "fnir_at_fpir": rows,
    }
    grid = np.linspace(0, max(float(one.strangers[-1]) for one in searches) * 1.001, CURVE_POINTS)
    return row, (
        np.mean([one.fpir(grid) for one in searches], axis=0),
        np.mean([one.fnir(grid) for one in searches], axis=0),
    )
