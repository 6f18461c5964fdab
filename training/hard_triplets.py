"""Hard triplets before and after training, as the thesis' tables 3.6 and 4.5: three faces and the two distances."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.dataset import BadData

Embed = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
"""RGB faces (h, w, 3) to (n, 128) templates of one model."""
INCHES = 1.6


@dataclass(frozen=True)
class TripletDistances:
    """Of one model: (n,) anchor to positive, (n,) anchor to negative."""

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]

    @property
    def hard(self) -> NDArray[np.bool_]:
        """Whether the stranger is nearer than the same person, the text's meaning of hard."""
        return self.negative < self.positive


@dataclass(frozen=True)
class Comparison:
    numbers: list[int]
    """Which of the given triplets are shown."""
    before: TripletDistances
    after: TripletDistances


def triplet_distances(embed: Embed, triplets: Sequence[Sequence[NDArray[np.uint8]]]) -> TripletDistances:
    """Distances of (anchor, positive, negative) pictures by one model."""
    templates = embed([face for triplet in triplets for face in triplet]).astype(np.float64)
    anchors, positives, negatives = templates.reshape(len(triplets), 3, -1).transpose(1, 0, 2)
    return TripletDistances(np.linalg.norm(anchors - positives, axis=1), np.linalg.norm(anchors - negatives, axis=1))


def compare(before: Embed, after: Embed, triplets: Sequence[Sequence[NDArray[np.uint8]]], shown: int = 4) -> Comparison:
    """The hardest of the given triplets for the model before training, at most `shown`, by both models.

    Hardest is where the stranger is nearer by the most. Raises BadData without triplets.
    """
    if not triplets or any(len(triplet) != 3 for triplet in triplets):
        raise BadData("hard triplets need anchor, positive and negative pictures, at least one of each")
    first = triplet_distances(before, triplets)
    numbers = np.argsort(first.negative - first.positive, kind="stable")[:shown]
    second = triplet_distances(after, [triplets[i] for i in numbers])
    return Comparison(
        [int(i) for i in numbers], TripletDistances(first.positive[numbers], first.negative[numbers]), second
    )


def write(comparison: Comparison, triplets: Sequence[Sequence[NDArray[np.uint8]]], folder: Path) -> list[Path]:
    """hard-triplets.png with the faces and both models' distances, and hard-triplets.csv; returns the files. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    picture, table = folder / "hard-triplets.png", folder / "hard-triplets.csv"
    figure = Figure(figsize=(5 * INCHES, (len(comparison.numbers) + 0.4) * INCHES), layout="constrained")
    grid = figure.subplots(len(comparison.numbers), 4, squeeze=False)
    for row, number in enumerate(comparison.numbers):
        for axes, face, title in zip(grid[row], triplets[number], ("anchor", "positive", "negative"), strict=False):
            axes.imshow(face)
            axes.set_axis_off()
            if row == 0:
                axes.set_title(title, fontsize=9)
        grid[row][3].set_axis_off()
        grid[row][3].text(0, 0.5, _words(comparison, row), fontsize=9, va="center")
    figure.savefig(picture, dpi=110)
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["triplet", "positive_before", "negative_before", "positive_after", "negative_after"])
        for row, number in enumerate(comparison.numbers):
            rows.writerow([number, *(f"{value:.4f}" for value in _distances(comparison, row))])
    return [picture, table]


def _distances(comparison: Comparison, row: int) -> list[float]:
    return [float(d[row]) for part in (comparison.before, comparison.after) for d in (part.positive, part.negative)]


def _words(comparison: Comparison, row: int) -> str:
    p0, n0, p1, n1 = _distances(comparison, row)
    return f"before\nd(a,p) {p0:.2f}\nd(a,n) {n0:.2f}\n\nafter\nd(a,p) {p1:.2f}\nd(a,n) {n1:.2f}"
