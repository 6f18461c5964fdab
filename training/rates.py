"""True accept rates at given false accept rates, each with an interval bootstrapped over people.

Pairs of a few people aren't independent: one person who looks like many others makes many errors. So people are drawn anew,
not pairs: who is drawn twice counts twice in each of their pairs, and a pair of strangers counts as often as both together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from training.verification import MIN_ERRORS, Counts, Floats, OperatingPoint, allowed_errors, checked

DRAWS = 200
"""Of the bootstrap: enough for a 95 % interval to two digits."""
INTERVAL = (2.5, 97.5)
NORMAL_95 = 1.959964
FARS = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class ScoredPairs:
    """Distances of genuine pairs, all of them, and of the nearest impostor pairs; both rising, both with their owners."""

    genuine: Floats
    genuine_owners: Counts
    """(n,) whose pair it is: numbers 0 … owners − 1."""
    tail: Floats
    """The nearest impostors, all or as many as the loosest rate needs."""
    tail_owners: NDArray[np.int32]
    """(m, 1 or 2) the pair's owners."""
    impostors: int
    """Of all impostor pairs, those beyond the tail too."""
    owners: int
    pictures: Counts | None = None
    """(owners,) pictures of each, where the impostors are all pairs of pictures of different owners; else None."""

    @property
    def complete(self) -> bool:
        return len(self.tail) == self.impostors


def scored_pairs(distances: ArrayLike, labels: ArrayLike, people: ArrayLike | None = None) -> ScoredPairs:
    """From a list of pairs, with `people` (n, 2) where it is known whose pictures they are; raises BadPairs.

    Where nothing is known, each pair stands for itself.
    """
    d, same = checked(distances, labels, both=True)
    owners = np.arange(len(d))[:, None] if people is None else np.asarray(people, np.int64)
    order = np.argsort(d, kind="stable")
    genuine, impostors = order[same[order]], order[~same[order]]
    _, numbers = np.unique(owners, return_inverse=True)
    numbers = numbers.reshape(owners.shape)
    return ScoredPairs(
        d[genuine],
        numbers[genuine, 0],
        d[impostors],
        numbers[impostors].astype(np.int32),
        len(impostors),
        int(numbers.max()) + 1,
    )


def operating_point(pairs: ScoredPairs, far: float) -> OperatingPoint:
    """As verification.tar_at_far, from the tail alone. Without genuine pairs the TAR is NaN."""
    allowed = allowed_errors(far, pairs.impostors)
    if allowed >= len(pairs.tail) and not pairs.complete:
        raise ValueError(
            f"FAR {far:g} allows {allowed} errors, but only the {len(pairs.tail)} nearest impostors are kept"
        )
    threshold = float(pairs.tail[allowed]) if allowed < len(pairs.tail) else float("inf")
    errors = int(np.searchsorted(pairs.tail, threshold, side="left"))
    tar = np.searchsorted(pairs.genuine, threshold, side="left") / len(pairs.genuine) if len(pairs.genuine) else np.nan
    return OperatingPoint(far, errors / pairs.impostors, float(tar), threshold, errors)


def intervals(
    pairs: ScoredPairs, fars: Sequence[float], seed: int, draws: int = DRAWS
) -> dict[float, tuple[float, float]]:
    """95 % interval of the TAR at each FAR, threshold and acceptance both redrawn."""
    rng = np.random.default_rng(seed)
    tars = np.full((draws, len(fars)), np.nan)
    for i in range(draws):
        weights = rng.multinomial(pairs.owners, np.full(pairs.owners, 1 / pairs.owners))
        tars[i] = _weighted_tars(pairs, weights, fars)
    low, high = np.nanpercentile(tars, INTERVAL, axis=0)
    return {far: (float(low[k]), float(high[k])) for k, far in enumerate(fars)}


def _weighted_tars(pairs: ScoredPairs, weights: Counts, fars: Sequence[float]) -> Floats:
    """TAR at each FAR when owner i counts weights[i] times; NaN when no genuine or no impostor pair was drawn."""
    of_genuine = np.concatenate([[0], weights[pairs.genuine_owners].cumsum()])
    errors = weights[pairs.tail_owners].prod(axis=1).cumsum()
    if pairs.pictures is None:
        impostors = int(errors[-1])
    else:
        drawn = weights * pairs.pictures
        impostors = int(drawn.sum() ** 2 - (drawn**2).sum()) // 2
    if not of_genuine[-1] or not impostors:
        return np.full(len(fars), np.nan)
    allowed = [allowed_errors(far, impostors) for far in fars]
    first_refused = np.searchsorted(errors, allowed, side="right")
    thresholds = np.append(pairs.tail, np.inf if pairs.complete else pairs.tail[-1])[first_refused]
    return np.asarray(of_genuine[np.searchsorted(pairs.genuine, thresholds, side="left")] / of_genuine[-1])


def tar_table(pairs: ScoredPairs, fars: Sequence[float] = FARS, seed: int = 0, draws: int = DRAWS) -> dict[str, Any]:
    """For the result: {"0.001": {tar, interval, threshold, false_accepts}}, None where fewer than MIN_ERRORS errors exist.

    The errors asked for are those that the rate allows: 3 of 3,000 pairs say little about a rate of 1e-3.
    """
    held = [far for far in fars if allowed_errors(far, pairs.impostors) >= MIN_ERRORS]
    ranges = intervals(pairs, held, seed, draws) if held and len(pairs.genuine) else {}
    return {
        far_name(far): {**point_row(operating_point(pairs, far)), "interval": list(ranges[far])}
        if far in ranges
        else None
        for far in fars
    }


def few_errors_table(pairs: ScoredPairs, fars: Sequence[float] = FARS) -> dict[str, Any]:
    """The rates that tar_table leaves out, as they were counted: for comparison with figures that others print."""
    few = [far for far in fars if 1 <= allowed_errors(far, pairs.impostors) < MIN_ERRORS]
    return {far_name(far): point_row(operating_point(pairs, far)) for far in few}


def false_match_row(matches: Counts, pictures: Counts) -> dict[str, Any]:
    """The rate at a threshold among all pairs of strangers' pictures, with a 95 % interval; both arguments are (people,).

    `matches` counts each person's pairs below the threshold. From MIN_ERRORS false matches on the interval is a jackknife
    over people (the rate without each of them in turn); of fewer it is Clopper and Pearson's, which takes the pairs for
    independent: so few rest on as many different people.
    """
    errors, pairs = int(matches.sum()) // 2, stranger_pairs(pictures)
    rate = errors / pairs
    if errors < MIN_ERRORS:
        bounds = binomtest(errors, pairs).proportion_ci(method="exact")
        interval, by = (float(bounds.low), float(bounds.high)), "pairs"
    else:
        interval, by = _jackknife(matches, pictures, pairs, rate), "people"
    return {"rate": rate, "false_matches": errors, "interval": list(interval), "interval_over": by}


def stranger_pairs(pictures: Counts) -> int:
    return int(pictures.sum() ** 2 - (pictures**2).sum()) // 2


def _jackknife(matches: Counts, pictures: Counts, pairs: int, rate: float) -> tuple[float, float]:
    """On the logarithm of the odds, so that it stays between 0 and 1; a rate of 1 has no room."""
    left = pairs - pictures * (pictures.sum() - pictures)
    if rate == 1 or (left == 0).any():
        return (rate, rate) if rate == 1 else (0.0, 1.0)
    without = (matches.sum() // 2 - matches) / left
    n = len(matches)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()) / (rate * (1 - rate))
    low, high = (1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + side * NORMAL_95 * error))) for side in (-1, 1))
    return float(low), float(high)


def point_row(point: OperatingPoint) -> dict[str, Any]:
    """A threshold that lets everybody in is None: infinity isn't JSON."""
    threshold = point.threshold if np.isfinite(point.threshold) else None
    return {"tar": point.tar, "threshold": threshold, "false_accepts": point.false_accepts}


def far_name(far: float) -> str:
    """0.001 rather than 1e-03, down to 0.000001."""
    return f"{far:.10f}".rstrip("0").rstrip(".")
