"""How much faster evaluation and the drawing of triplets are than the thesis' way, measured in one run on this machine.

The thesis' way is written here as its text and appendix describe it, a loop over thresholds and folds, and a table searched for
every triplet (without pandas, which only makes it slower). It serves as the opponent and for nothing else.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from training import verification
from training.triplets import draw_triplets
from training.verification import ACCURACY_THRESHOLDS, VAL_THRESHOLDS, Floats

PAIRS, FOLDS = 6_000, 10
PICTURES, PEOPLE, TRIPLETS = 169_000, 500, 10_000
"""As VGGFace2's test split, which the thesis' code points at."""
OURS_REPEATED = 20

T = TypeVar("T")


def measure(seed: int = 0) -> dict[str, Any]:
    """Seconds of both ways, their ratios, and the largest difference of their figures."""
    rng = np.random.default_rng(seed)
    labels = np.arange(PAIRS) // 300 % 2 == 0
    distances = np.abs(np.where(labels, rng.normal(7, 1.5, PAIRS), rng.normal(12, 1.5, PAIRS)))
    loop_s, theirs = _timed(lambda: loop_evaluation(distances, labels))
    fast_s, ours = _timed(lambda: _fast_evaluation(distances, labels), OURS_REPEATED)
    people = rng.integers(PEOPLE, size=PICTURES)
    drawn_s, _ = _timed(lambda: loop_triplets(people, TRIPLETS, seed))
    fast_drawn_s, _ = _timed(lambda: draw_triplets(people, TRIPLETS, np.random.default_rng(seed)), OURS_REPEATED)
    return {
        "protocol": "speed",
        "pairs": PAIRS,
        "evaluation_loop_seconds": loop_s,
        "evaluation_seconds": fast_s,
        "evaluation_ratio": loop_s / fast_s,
        "largest_difference": float(np.abs(theirs - ours).max()),
        "triplets": TRIPLETS,
        "pictures": PICTURES,
        "triplets_loop_seconds": drawn_s,
        "triplets_seconds": fast_drawn_s,
        "triplets_ratio": drawn_s / fast_drawn_s,
    }


def _timed(work: Callable[[], T], times: int = 1) -> tuple[float, T]:
    """Median seconds of a call, and its last answer."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), answer


def _fast_evaluation(d: Floats, same: NDArray[np.bool_]) -> Floats:
    """(folds + 3,): accuracies, then VAL, its deviation and FAR."""
    curve = verification.thesis_roc(d, same, FOLDS)
    assert len(curve.tpr) == len(ACCURACY_THRESHOLDS)
    return np.append(
        verification.thesis_accuracy(d, same, FOLDS).accuracy, verification.val_at_far(d, same, folds=FOLDS)
    )


def loop_evaluation(d: Floats, same: NDArray[np.bool_]) -> Floats:
    """The same figures by comparing every distance with every threshold, fold by fold."""
    numbers = np.arange(len(d))
    accuracies, vals, fars = [], [], []
    for test in np.array_split(numbers, FOLDS):
        train = np.setdiff1d(numbers, test)
        shares = [_rates(t, d[train], same[train])[2] for t in ACCURACY_THRESHOLDS]
        [_rates(t, d[test], same[test]) for t in ACCURACY_THRESHOLDS]  # the curve of the fold
        accuracies.append(_rates(ACCURACY_THRESHOLDS[int(np.argmax(shares))], d[test], same[test])[2])
        far = np.array([_rates(t, d[train], same[train])[1] for t in VAL_THRESHOLDS])
        threshold = verification.threshold_at_far(far, VAL_THRESHOLDS, 1e-3)
        val, fold_far, _ = _rates(threshold, d[test], same[test])
        vals.append(val)
        fars.append(fold_far)
    return np.append(accuracies, [np.mean(vals), np.std(vals), np.mean(fars)])


def _rates(threshold: float, d: Floats, same: NDArray[np.bool_]) -> tuple[float, float, float]:
    accepted = np.less(d, threshold)
    tp, fp = np.sum(np.logical_and(accepted, same)), np.sum(np.logical_and(accepted, np.logical_not(same)))
    tn = np.sum(np.logical_and(np.logical_not(accepted), np.logical_not(same)))
    fn = np.sum(np.logical_and(np.logical_not(accepted), same))
    return float(tp / max(tp + fn, 1)), float(fp / max(fp + tn, 1)), float((tp + tn) / d.size)


def loop_triplets(people: NDArray[np.int64], count: int, seed: int) -> list[tuple[int, int, int, str, str]]:
    """Triplets one by one: group the pictures, draw people and pictures, look both names up in the whole table."""
    rng = np.random.RandomState(seed)
    names = np.array([f"n{person:06d}" for person in people], dtype=object)
    pictures: dict[int, list[int]] = {}
    for number, person in enumerate(people):
        pictures.setdefault(person, []).append(number)
    everybody = np.unique(people)
    triplets = []
    for _ in range(count):
        same, other = rng.choice(everybody), rng.choice(everybody)
        while len(pictures[same]) < 2:
            same = rng.choice(everybody)
        while other == same:
            other = rng.choice(everybody)
        same_name, other_name = names[people == same][0], names[people == other][0]
        anchor = positive = rng.randint(len(pictures[same]))
        while positive == anchor:
            positive = rng.randint(len(pictures[same]))
        negative = pictures[other][rng.randint(len(pictures[other]))]
        triplets.append((pictures[same][anchor], pictures[same][positive], negative, same_name, other_name))
    return triplets
