"""Two recognisers as one: how much each should say, decided on held-out identities; and who serves by the same table.

A fused template is the two unit vectors side by side, weighted by √w and √(1 − w): its cosine is the weighted mean of theirs.
The figure is the share of genuine pairs accepted where strangers of the worst group match once in 10,000 pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.calibration import score_groups, score_people, source_words, thresholds_of
from training.cleaning import unit
from training.dataset import FaceFolder
from worker.fusion import side_by_side
from worker.protocol.bundle import ModelInfo, Threshold, fusion_id

DECIDING_RATE = 1e-4
WEIGHTS = tuple(round(0.05 * i, 2) for i in range(21))
"""Of the first; 1 is the first alone, 0 the second."""


@dataclass(frozen=True)
class Faces:
    """Prepared faces and both recognisers' templates of them, of any length."""

    folder: FaceFolder
    first: NDArray[np.float32]
    second: NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    weight: float
    thresholds: list[Threshold]
    source: str = ""
    """What they rest on."""

    @property
    def true_accept_rate(self) -> float | None:
        """At DECIDING_RATE; None where the sets are too small to show it."""
        return next((t.true_accept_rate for t in self.thresholds if t.false_match_rate == DECIDING_RATE), None)


def fused(first: NDArray[np.float32], second: NDArray[np.float32], weight: float, alpha: float) -> NDArray[np.float32]:
    """(n, a + b) templates of length `alpha` from (n, a) and (n, b) of any length, as the worker makes them."""
    return side_by_side(unit(first), unit(second), weight, alpha)


def row(people: Faces, strangers: Faces, alike: NDArray[np.float32], weight: float, alpha: float) -> Row:
    """Thresholds, and what they accept, of the two fused by `weight`. Raises BadData."""
    own, theirs = (fused(faces.first, faces.second, weight, alpha) for faces in (people, strangers))
    scored = score_people(own, people.folder, people.folder.root.name, alpha)
    groups = score_groups(theirs, strangers.folder, alike, alpha)
    return Row(weight, thresholds_of([scored], groups, alpha), source_words([scored], groups, False, False))


def best(rows: Sequence[Row]) -> Row:
    """The largest share accepted; of equals the one nearest to even weights, which leans least on either."""
    return max(rows, key=lambda one: (one.true_accept_rate or 0.0, -abs(one.weight - 0.5)))


def fusion_info(parts: tuple[ModelInfo, ModelInfo], chosen: Row, alpha: float, licence: str) -> ModelInfo:
    """model.json of the fusion; raises ValueError where its thresholds can't be a bundle's."""
    return ModelInfo(
        id=fusion_id([part.id for part in parts], chosen.weight, alpha),
        architecture="fusion",
        parts=(parts[0].id, parts[1].id),
        weight=chosen.weight,
        alpha=alpha,
        embedding_size=sum(part.embedding_size for part in parts),
        licence=licence,
        thresholds=chosen.thresholds,
        threshold_source=chosen.source,
    )
