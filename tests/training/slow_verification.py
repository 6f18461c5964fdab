"""The thesis' evaluation again, straight from its formulas: every threshold against every pair. Slow, and for tests only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import interp1d
from sklearn.model_selection import KFold

Floats = NDArray[np.float64]


def rates(thresholds: Floats, d: Floats, same: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """TPR, FPR and accuracy at every threshold; a rate over nothing is 0."""
    accepted = d[None, :] < thresholds[:, None]
    tp, fp = (accepted & same).sum(axis=1), (accepted & ~same).sum(axis=1)
    genuine, impostors = same.sum(), (~same).sum()
    tpr = tp / genuine if genuine else np.zeros(len(thresholds))
    fpr = fp / impostors if impostors else np.zeros(len(thresholds))
    return tpr, fpr, (tp + impostors - fp) / len(d)


def accuracy(d: Floats, same: NDArray[np.bool_], folds: int = 10) -> tuple[Floats, Floats, Floats, Floats]:
    """Accuracy and threshold of each fold, and the mean TPR and FPR at 0–30 step 0.01."""
    thresholds = np.arange(0, 30, 0.01)
    results, best, tprs, fprs = [], [], [], []
    for train, test in KFold(folds, shuffle=False).split(d):
        index = int(np.argmax(rates(thresholds, d[train], same[train])[2]))
        tpr, fpr, right = rates(thresholds, d[test], same[test])
        results.append(right[index])
        best.append(thresholds[index])
        tprs.append(tpr)
        fprs.append(fpr)
    return np.array(results), np.array(best), np.mean(tprs, axis=0), np.mean(fprs, axis=0)


def val_rates(threshold: Any, d: Floats, same: NDArray[np.bool_]) -> tuple[float, float]:
    genuine, impostors = same.sum(), max((~same).sum(), 1)
    if not genuine:
        return 0.0, 0.0
    accepted = d < threshold
    return (accepted & same).sum() / genuine, (accepted & ~same).sum() / impostors


def interpolated(far: Floats, thresholds: Floats, target: float) -> float:
    """SciPy's answer where it has one; with steps in `far`, the line that leaves from the last threshold of a step."""
    if far.max() < target:
        return 0.0
    if (np.diff(far) > 0).all():
        return float(interp1d(far, thresholds, kind="slinear")(target))
    left = max((i for i in range(len(far)) if far[i] <= target), default=None)
    if left is None:
        return float(thresholds[0])
    if far[left] == target or left + 1 == len(far):
        return float(thresholds[left])
    slope = (thresholds[left + 1] - thresholds[left]) / (far[left + 1] - far[left])
    return float(thresholds[left] + (target - far[left]) * slope)


def val(d: Floats, same: NDArray[np.bool_], target: float = 1e-3, folds: int = 10) -> tuple[float, float, float]:
    thresholds = np.arange(0, 30, 0.001)
    results = []
    for train, test in KFold(folds, shuffle=False).split(d):
        _, fpr, _ = rates(thresholds, d[train], same[train])
        far = fpr if same[train].any() else np.zeros(len(thresholds))
        results.append(val_rates(interpolated(far, thresholds, target), d[test], same[test]))
    vals, fars = np.array(results).T
    return float(vals.mean()), float(vals.std()), float(fars.mean())


def mean_batch(positive: Floats, negative: Floats, batch: int) -> tuple[float, float]:
    best = (0.0, -1.0)
    for step in range(5, 51):
        threshold, shares = step / 10, []
        for start in range(0, len(positive), batch):
            p, n = positive[start : start + batch], negative[start : start + batch]
            shares.append(sum([*(x <= threshold for x in p), *(x > threshold for x in n)]) / (len(p) + len(n)))
        mean = float(np.mean(shares))
        if mean > best[1]:
            best = (threshold, mean)
    return best


def area(d: Floats, same: NDArray[np.bool_]) -> float:
    """AUC as the chance that a genuine pair is nearer than an impostor pair, ties half: Mann and Whitney."""
    g, i = d[same][:, None], d[~same][None, :]
    return float((g < i).mean() + (g == i).mean() / 2)


def curve(d: Floats, same: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    """FPR and TPR, accepting nobody and then up to each distinct distance."""
    fpr, tpr = [0.0], [0.0]
    for threshold in sorted(set(d.tolist())):
        fpr.append(float((d[~same] <= threshold).mean()))
        tpr.append(float((d[same] <= threshold).mean()))
    return fpr, tpr


def equal_error(d: Floats, same: NDArray[np.bool_]) -> float:
    """Where the curve, drawn with straight lines, crosses FPR = 1 − TPR."""
    fpr, tpr = curve(d, same)
    for i in range(1, len(fpr)):
        f0, f1, m0, m1 = fpr[i - 1], fpr[i], 1 - tpr[i - 1], 1 - tpr[i]
        if f1 >= m1:
            return f0 + (m0 - f0) / ((f1 - f0) + (m0 - m1)) * (f1 - f0)
    raise AssertionError("the curve ends at (1, 1)")


def tar(d: Floats, same: NDArray[np.bool_], far: float) -> tuple[float, int]:
    """The best TAR of all thresholds that let in at most that share of impostors, and how many they let in."""
    best = (0.0, 0)
    for threshold in [*sorted(set(d.tolist())), np.inf]:
        false_accepts = int((d[~same] < threshold).sum())
        if false_accepts <= far * (~same).sum() * (1 + 1e-12):
            best = max(best, (float((d[same] < threshold).mean()), false_accepts))
    return best
