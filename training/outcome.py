"""What an evaluation found: the figures for JSON, and the material of its pictures and tables."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from training import rates, verification
from training.classification import Classification
from training.verification import Floats, Roc

EVERY_RESULT = (
    "accuracy",
    "accuracy_std",
    "auc",
    "eer",
    "tar_at_far",
    "threshold",
    "pairs",
    "faces_not_found",
    "model_id",
)
"""Keys that each result has; None where a protocol has no such figure. Rates are fractions 0–1."""
TABLE_STEP = 0.1
USUAL_ALPHA = 10.0
"""The published thresholds 0–30 are made for a sphere of this radius; for another model they are scaled to its own."""


@dataclass
class Outcome:
    """`figures` become the JSON; the rest is drawn or written with --out."""

    figures: dict[str, Any]
    curves: dict[str, Roc] = field(default_factory=dict)
    """By name, for the ROC and DET pictures."""
    searches: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    """(FPIR, FNIR) by name, for the DET picture of 1:N."""
    table: list[dict[str, float]] = field(default_factory=list)
    """A row a threshold."""
    matrices: dict[str, tuple[Classification, list[str]]] = field(default_factory=dict)
    """Confusion matrices by name, with the people's names."""

    def __post_init__(self) -> None:
        self.figures = {**dict.fromkeys(EVERY_RESULT), **self.figures}


def judge(
    distances: ArrayLike,
    labels: ArrayLike,
    folds: int,
    people: ArrayLike | None = None,
    *,
    alpha: float = USUAL_ALPHA,
    seed: int = 0,
) -> Outcome:
    """Everything that is said about a list of pairs, in its order; raises BadPairs.

    `threshold` is the mean of the folds' thresholds, each the best one of the other folds; recall, precision and F1 are
    counted at it over all pairs.
    """
    d, same = verification.checked(distances, labels, both=True)
    scale = alpha / USUAL_ALPHA
    accuracy, val = (
        verification.thesis_accuracy(d / scale, same, folds),
        verification.val_at_far(d / scale, same, folds=folds),
    )
    threshold = float(accuracy.thresholds.mean()) * scale
    counts = verification.confusion(d, same, threshold)
    curve = verification.roc(d, same)
    scored = rates.scored_pairs(d, same, people)
    figures = {
        "accuracy": accuracy.mean,
        "accuracy_std": accuracy.std,
        "auc": curve.auc,
        "eer": verification.eer(curve),
        "tar_at_far": rates.tar_table(scored, seed=seed),
        "tar_at_far_with_few_errors": rates.few_errors_table(scored),
        "threshold": threshold,
        "pairs": len(d),
        "genuine_pairs": len(scored.genuine),
        "impostor_pairs": scored.impostors,
        "folds": folds,
        "val": val.val,
        "val_std": val.val_std,
        "val_far": val.far,
        "recall": counts.recall,
        "precision": counts.precision,
        "f1": counts.f1,
        "confusion": {"tp": counts.tp, "fp": counts.fp, "tn": counts.tn, "fn": counts.fn},
    }
    return Outcome(figures, {"": curve}, table=threshold_table(d, same, alpha))


def threshold_table(distances: Floats, labels: ArrayLike, alpha: float = USUAL_ALPHA) -> list[dict[str, float]]:
    """FAR, TAR and accuracy from 0 to the sphere's diameter; "same" when distance < threshold."""
    d, same = verification.checked(distances, labels, both=True)
    top = max(2 * alpha, float(d.max()))
    thresholds = np.arange(0, round(top / TABLE_STEP) + 2) * TABLE_STEP
    genuine, impostors = np.sort(d[same]), np.sort(d[~same])
    tar = np.searchsorted(genuine, thresholds) / len(genuine)
    far = np.searchsorted(impostors, thresholds) / len(impostors)
    right = (tar * len(genuine) + (1 - far) * len(impostors)) / len(d)
    return [
        {"threshold": round(float(t), 6), "far": float(f), "tar": float(a), "accuracy": float(r)}
        for t, f, a, r in zip(thresholds, far, tar, right, strict=True)
    ]


def judge_distances(distances: ArrayLike, labels: ArrayLike, folds: int, seed: int = 0) -> Outcome:
    """Of distances that somebody else computed: no model, no pictures."""
    found = judge(distances, labels, folds, seed=seed)
    found.figures |= {"protocol": "distances", "faces_not_found": None}
    return found
