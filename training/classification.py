"""Classification with a reject class, as `attendance classify` does it: known people by several pictures, and strangers.

People are drawn by seed; half of each one's pictures are known, the other half is asked about, together with pictures of
strangers. Both methods reject by the distance to the chosen person's nearest picture. The threshold is set on one half of the
strangers (by people) and everything is counted on the other half, so that no figure is fitted to what it is counted on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from training.classify import svm_people
from training.dataset import FaceFolder
from training.face_gallery import FaceGallery
from training.query import person_distances
from training.verification import Counts, allowed_errors

METHODS = ("nearest", "svm")
PICTURES = 4
"""That a known person needs: two to know, two to ask about."""
STRANGERS = 4_000
"""Pictures of strangers at most, drawn by seed."""
FPIR = 1e-2
"""Share of the setting strangers that the threshold lets in."""
UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class Classification:
    method: str
    threshold: float
    matrix: Counts
    """(people + 1, people + 1): rows are who it was, columns who was named; last is unknown."""

    @property
    def row(self) -> dict[str, Any]:
        """Accuracy counts strangers rejected and known people named; `known_accuracy` the latter alone."""
        known = self.matrix[:-1]
        return {
            "accuracy": float(np.trace(self.matrix) / self.matrix.sum()),
            "known_accuracy": float(np.trace(known) / known.sum()),
            "known_rejected": float(known[:, -1].sum() / known.sum()),
            "strangers_accepted": float(self.matrix[-1, :-1].sum() / self.matrix[-1].sum()),
            "known_probes": int(known.sum()),
            "stranger_probes": int(self.matrix[-1].sum()),
            "threshold": self.threshold,
        }


@dataclass(frozen=True)
class Split:
    """Numbers of pictures."""

    chosen: Counts
    """(people,) who is known, rising."""
    known: Counts
    asked: Counts
    setting: Counts
    """Strangers for the threshold."""
    strangers: Counts
    """Strangers that are asked about."""


def split(people: NDArray[np.int64], size: int, seed: int) -> Split | None:
    """`size` known people; None where there aren't so many with PICTURES, or not two strangers."""
    counts = np.bincount(people)
    able = np.flatnonzero(counts >= PICTURES)
    if len(able) < size or (counts > 0).sum() < size + 2:
        return None
    rng = np.random.default_rng([seed, size])
    chosen = np.sort(rng.choice(able, size, replace=False))
    known, asked = [], []
    for person in chosen:
        pictures = rng.permutation(np.flatnonzero(people == person))
        known.append(pictures[: len(pictures) // 2])
        asked.append(pictures[len(pictures) // 2 :])
    others = rng.permutation(np.setdiff1d(np.unique(people), chosen))
    halves = [rng.permutation(np.flatnonzero(np.isin(people, half))) for half in np.array_split(others, 2)]
    setting, strangers = (half[: STRANGERS // 2] for half in halves)
    return Split(chosen, np.concatenate(known), np.concatenate(asked), setting, strangers)


def classify_split(
    templates: NDArray[np.float32], folder: FaceFolder, parts: Split, alpha: float
) -> list[Classification]:
    """Both methods on one split of a folder's (n, 128) templates of length `alpha`."""
    known = np.sort(parts.known)
    gallery = FaceGallery(folder.part(known), templates[known], [], {})
    asked = np.searchsorted(parts.chosen, folder.labels[parts.asked])
    truth = np.append(asked, np.full(len(parts.strangers), len(parts.chosen)))
    probes = np.concatenate([parts.setting, parts.asked, parts.strangers])
    distances, _ = person_distances(templates[probes], gallery)
    results = []
    for method in METHODS:
        named = distances.argmin(axis=1) if method == "nearest" else svm_people(templates[probes], gallery, alpha)
        nearest = distances[np.arange(len(probes)), named]
        setting, nearest = np.sort(nearest[: len(parts.setting)]), nearest[len(parts.setting) :]
        threshold = float(setting[min(allowed_errors(FPIR, len(setting)), len(setting) - 1)])
        answers = np.where(nearest < threshold, named[len(parts.setting) :], len(parts.chosen))
        matrix = confusion_matrix(truth, answers, labels=np.arange(len(parts.chosen) + 1))
        results.append(Classification(method, threshold, matrix))
    return results


def matrix_rows(result: Classification, names: Sequence[str]) -> list[list[Any]]:
    """The confusion matrix as a table with a heading: one row a person, last the strangers."""
    heads = [*names, UNKNOWN]
    return [
        ["person \\ named", *heads],
        *([head, *map(int, row)] for head, row in zip(heads, result.matrix, strict=True)),
    ]
