"""How well distances tell "same person" from "different people": the thesis' measures, and those of the field.

Everything here is a pure function of distances (n,) and labels (n,), 1 for a pair of one person and 0 for two people; rates
are fractions 0–1. The thesis' numbers (chapter 3.3.3, 4.4 and its appendix) come out to the last digit, but by counting each
distance once: a distance is put into its place on the grid of thresholds, and every rate at every threshold is a running sum.

Where the published code is undefined, the choice is said at the function.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import auc as area_under
from sklearn.metrics import roc_curve

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

ACCURACY_THRESHOLDS: Floats = np.arange(0, 30, 0.01)
"""Of the published accuracy and ROC. Fits distances on a sphere of radius 10 (0 … 20)."""
VAL_THRESHOLDS: Floats = np.arange(0, 30, 0.001)
TEXT_THRESHOLDS: Floats = np.arange(5, 51) / 10
"""0.5 … 5.0, of the thesis' text (3.3.3 and 4.4)."""
MIN_ERRORS = 10
"""False accepts that a rate must rest on; a rate from fewer says little more than its order of magnitude."""


class BadPairs(ValueError):
    """Distances or labels that can't be judged; the message says which and why."""


@dataclass(frozen=True)
class FoldAccuracy:
    accuracy: Floats
    """(folds,) share of right answers in each fold, at the threshold of the others."""
    thresholds: Floats
    """(folds,) that threshold."""

    @property
    def mean(self) -> float:
        return float(self.accuracy.mean())

    @property
    def std(self) -> float:
        """Over the folds, with n in the denominator as published."""
        return float(self.accuracy.std())


class ValAtFar(NamedTuple):
    val: float
    val_std: float
    far: float


@dataclass(frozen=True)
class Roc:
    """Points of the curve by rising threshold; `auc` is the area under straight lines between them."""

    fpr: Floats
    tpr: Floats
    thresholds: Floats
    auc: float


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold. A measure without a denominator is None."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def accuracy(self) -> float | None:
        return _share(self.tp + self.tn, self.tp + self.tn + self.fp + self.fn)

    @property
    def recall(self) -> float | None:
        return _share(self.tp, self.tp + self.fn)

    @property
    def precision(self) -> float | None:
        return _share(self.tp, self.tp + self.fp)

    @property
    def f1(self) -> float | None:
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold gives where at most `wanted_far` of the impostors are let in (distance < threshold)."""

    wanted_far: float
    far: float
    tar: float
    threshold: float
    false_accepts: int


def checked(distances: ArrayLike, labels: ArrayLike, both: bool = False) -> tuple[Floats, NDArray[np.bool_]]:
    """Distances as float64 and labels as booleans; raises BadPairs. `both` asks for pairs of either label."""
    d, given = np.asarray(distances, np.float64), np.asarray(labels)
    if d.ndim != 1 or given.shape != d.shape:
        raise BadPairs(f"distances {d.shape} and labels {given.shape}: two lists of one length are needed")
    if not len(d):
        raise BadPairs("there is no pair to judge")
    wrong = np.flatnonzero(~(np.isfinite(d) & (d >= 0)))
    if len(wrong):
        raise BadPairs(f"pair {wrong[0] + 1}: distance {d[wrong[0]]}; distances are numbers from 0 upwards")
    strange = np.flatnonzero(~np.isin(given, (0, 1)))
    if len(strange):
        raise BadPairs(
            f"pair {strange[0] + 1}: label {given[strange[0]]}; labels are 1 (same person) and 0 (different)"
        )
    same = given.astype(bool)
    if both and (same.all() or not same.any()):
        raise BadPairs(
            f"all {len(same)} pairs have label {int(same[0])}; same (1) and different (0) pairs are both needed"
        )
    return d, same


def fold_sizes(pairs: int, folds: int) -> Counts:
    """Consecutive folds without shuffling, the first ones longer by one, as scikit-learn's KFold; raises BadPairs."""
    if folds < 2:
        raise BadPairs(f"{folds} folds: a threshold from the other folds needs at least 2")
    if pairs < folds:
        raise BadPairs(f"{pairs} pairs can't fill {folds} folds; give more pairs or fewer folds")
    return np.full(folds, pairs // folds) + (np.arange(folds) < pairs % folds)


def _below(d: Floats, same: NDArray[np.bool_], thresholds: Floats, folds: int) -> tuple[Counts, Counts]:
    """(2, folds, thresholds): pairs of label 0 and 1 in each fold with distance < threshold; (2, folds): all of them."""
    fold = np.repeat(np.arange(folds), fold_sizes(len(d), folds))
    first = np.searchsorted(thresholds, d, side="right")  # the first threshold above the distance
    width = len(thresholds) + 1
    cells = (same * folds + fold) * width + first
    table = np.bincount(cells, minlength=2 * folds * width).reshape(2, folds, width)
    return table[:, :, :-1].cumsum(axis=2), table.sum(axis=2)


def fold_accuracy(distances: ArrayLike, labels: ArrayLike, thresholds: Floats, folds: int = 10) -> FoldAccuracy:
    """Accuracy of each fold at the first best threshold of the others; "same" when distance < threshold."""
    d, same = checked(distances, labels)
    below, sizes = _below(d, same, thresholds, folds)
    right = below[1] + sizes[0][:, None] - below[0]
    best = np.argmax(right.sum(axis=0) - right, axis=1)
    return FoldAccuracy(right[np.arange(folds), best] / sizes.sum(axis=0), thresholds[best])


def thesis_accuracy(distances: ArrayLike, labels: ArrayLike, folds: int = 10) -> FoldAccuracy:
    """As the appendix' `evaluate`: thresholds 0–30 step 0.01. Folds are consecutive, so the order of the pairs counts."""
    return fold_accuracy(distances, labels, ACCURACY_THRESHOLDS, folds)


def thesis_roc(distances: ArrayLike, labels: ArrayLike, folds: int = 10) -> Roc:
    """The curve that the appendix draws: rates of each fold at 0–30 step 0.01, averaged; a fold without a class has 0."""
    d, same = checked(distances, labels)
    below, sizes = _below(d, same, ACCURACY_THRESHOLDS, folds)
    fpr, tpr = (below / np.maximum(sizes, 1)[:, :, None]).mean(axis=1)
    return Roc(fpr, tpr, ACCURACY_THRESHOLDS, float(area_under(fpr, tpr)))


def threshold_at_far(far: Floats, thresholds: Floats, target: float) -> float:
    """Where the straight lines between (far, threshold) reach `target`; 0 when they never do.

    `far` rises but mostly stands still between two errors, where SciPy's interp1d has no answer. Here the line leaves from
    the last threshold at or below the target, which is what interp1d says wherever it has one.
    """
    if far[-1] < target:
        return 0.0
    last = int(np.searchsorted(far, target, side="right")) - 1
    if last < 0:
        return float(thresholds[0])
    if far[last] == target or last + 1 == len(far):
        return float(thresholds[last])
    part = (target - far[last]) / (far[last + 1] - far[last])
    return float(thresholds[last] + part * (thresholds[last + 1] - thresholds[last]))


def val_at_far(distances: ArrayLike, labels: ArrayLike, far: float = 1e-3, folds: int = 10) -> ValAtFar:
    """As the appendix' `calculate_val`: the threshold that gives `far` in nine folds, validated on the tenth.

    Rates of a set without a pair of one person are 0, as published, and so is the FAR of one without impostors.
    """
    d, same = checked(distances, labels)
    below, sizes = _below(d, same, VAL_THRESHOLDS, folds)
    others = below[0].sum(axis=0) - below[0]
    impostors, genuine = sizes[0].sum() - sizes[0], sizes[1].sum() - sizes[1]
    ends = np.cumsum(sizes.sum(axis=0))
    vals, fars = np.zeros(folds), np.zeros(folds)
    for i in range(folds):
        curve = others[i] / max(impostors[i], 1) if genuine[i] else np.zeros(len(VAL_THRESHOLDS))
        threshold = threshold_at_far(curve, VAL_THRESHOLDS, far)
        test = slice(ends[i] - sizes[:, i].sum(), ends[i])
        accepted = d[test] < threshold
        if sizes[1, i]:
            vals[i] = np.count_nonzero(accepted & same[test]) / sizes[1, i]
            fars[i] = np.count_nonzero(accepted & ~same[test]) / max(sizes[0, i], 1)
    return ValAtFar(float(vals.mean()), float(vals.std()), float(fars.mean()))


def mean_batch_accuracy(
    positive_distances: ArrayLike, negative_distances: ArrayLike, batch: int = 64
) -> tuple[float, float]:
    """Section 3.3.3: the best threshold of 0.5 … 5.0 and its accuracy, the mean over mini-batches of `batch` triplets.

    Right are anchor–positive distances ≤ threshold and anchor–negative distances above it, divided by both kinds of pairs in
    the batch; a short last batch counts as much as the others. The first best threshold is taken.
    """
    positive, _ = checked(positive_distances, np.ones(np.shape(positive_distances)))
    negative, _ = checked(negative_distances, np.zeros(np.shape(negative_distances)))
    if len(positive) != len(negative) or batch < 1:
        raise BadPairs(
            f"{len(positive)} positive and {len(negative)} negative distances in batches of {batch}: "
            "every triplet has one of each, and a batch at least one triplet"
        )
    right = (positive[:, None] <= TEXT_THRESHOLDS).astype(np.int64) + (negative[:, None] > TEXT_THRESHOLDS)
    starts = np.arange(0, len(positive), batch)
    sizes = np.diff(np.append(starts, len(positive)))
    accuracy = (np.add.reduceat(right, starts, axis=0) / (2 * sizes[:, None])).mean(axis=0)
    best = int(np.argmax(accuracy))
    return float(TEXT_THRESHOLDS[best]), float(accuracy[best])


def correct_at(distances: ArrayLike, labels: ArrayLike, thresholds: Floats = TEXT_THRESHOLDS) -> Counts:
    """Section 4.4's table: right answers at each threshold, where a distance up to the threshold means "same"."""
    d, same = checked(distances, labels)
    accepted = np.searchsorted(np.sort(d[same]), thresholds, side="right")
    refused = np.count_nonzero(~same) - np.searchsorted(np.sort(d[~same]), thresholds, side="right")
    return np.asarray(accepted + refused, np.int64)


def confusion(distances: ArrayLike, labels: ArrayLike, threshold: float) -> Confusion:
    d, same = checked(distances, labels)
    accepted = d < threshold
    tp, fp = int(np.count_nonzero(accepted & same)), int(np.count_nonzero(accepted & ~same))
    genuine = int(np.count_nonzero(same))
    return Confusion(tp, fp, len(d) - genuine - fp, genuine - tp)


def roc(distances: ArrayLike, labels: ArrayLike) -> Roc:
    """Every point of the curve, one a distinct distance: "same" up to and with it. Begins at (0, 0), below all distances."""
    d, same = checked(distances, labels, both=True)
    fpr, tpr, scores = roc_curve(same, -d, drop_intermediate=False)
    return Roc(fpr, tpr, -scores, float(area_under(fpr, tpr)))


def eer(curve: Roc) -> float:
    """The rate at which false accepts and false rejects are alike, on straight lines between the curve's points."""
    gap = curve.fpr - (1 - curve.tpr)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    step = gap[after] - gap[before]
    part = -gap[before] / step if step > 0 else 0.0
    return float(curve.fpr[before] + part * (curve.fpr[after] - curve.fpr[before]))


def tar_at_far(distances: ArrayLike, labels: ArrayLike, far: float) -> OperatingPoint:
    """The loosest threshold that lets in at most `far` of the impostors, without interpolation, and what it accepts.

    The threshold is itself an impostor's distance (infinite when all may come in): pairs as far as that stay out.
    """
    if not 0 <= far <= 1:
        raise BadPairs(f"FAR {far}: a rate is a fraction 0–1")
    d, same = checked(distances, labels, both=True)
    impostors = np.sort(d[~same])
    allowed = allowed_errors(far, len(impostors))
    threshold = float(impostors[allowed]) if allowed < len(impostors) else float("inf")
    false_accepts = int(np.searchsorted(impostors, threshold, side="left"))
    tar = np.count_nonzero(d[same] < threshold) / np.count_nonzero(same)
    return OperatingPoint(far, false_accepts / len(impostors), float(tar), threshold, false_accepts)


def allowed_errors(far: float, impostors: int) -> int:
    """How many of the impostors a rate allows, rounded down, unless rounding itself is off by the last bit of the product."""
    return int(np.floor(far * impostors * (1 + 1e-12)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
