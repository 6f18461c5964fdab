"""The pictures of a run: chapter 4's curves with train beside test, the ROC curve, and how distances lie."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from training.verification import roc

SIZE_IN = (8, 4.5)
TRAIN, TEST = "#8e44ad", "#16a085"

Rows = Sequence[Mapping[str, str]]
mpl.use("Agg")


def column(rows: Rows, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(epochs, values) of a column of a CSV, without its empty cells."""
    pairs = [(int(row["epoch"]), float(row[name])) for row in rows if row.get(name)]
    table = np.array(pairs, np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def draw_curves(train: Rows, valid: Rows, folder: Path) -> list[Path]:
    """loss.png, accuracy.png and rates.png; stages are parted by a line."""
    folder.mkdir(parents=True, exist_ok=True)
    loss, accuracy, rates = (_figure(title) for title in ("Loss", "Accuracy (thesis)", "Validation"))
    for name, rows, colour in (("training", train, TRAIN), ("test", valid, TEST)):
        _line(loss[1], rows, "loss", f"{name}, mean over batches", colour)
        _line(accuracy[1], rows, "accuracy", f"{name}, ten folds", colour)
        _line(accuracy[1], rows, "accuracy_text", f"{name}, mean over mini-batches (3.3.3)", colour, "--")
    for name, words, colour in (
        ("auc", "AUC", TRAIN),
        ("tar_at_far_0.01", "TAR at FAR 1e-2", TEST),
        ("tar_at_far_0.001", "TAR at FAR 1e-3", "#c0392b"),
    ):
        _line(rates[1], valid, name, words, colour)
    written = []
    for name, (figure, axes) in {"loss": loss, "accuracy": accuracy, "rates": rates}.items():
        _part_stages(axes, valid)
        axes.set_xlabel("epoch, from 0")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False)
        written.append(_save(figure, folder / f"{name}.png"))
    return written


def draw_roc(positive: NDArray[np.float64], negative: NDArray[np.float64], path: Path, title: str) -> Path:
    """The ROC curve as in figure 4.5."""
    curve = roc(np.concatenate([positive, negative]), np.repeat([1, 0], [len(positive), len(negative)]))
    figure, axes = _figure(title)
    axes.plot(curve.fpr, curve.tpr, color=TEST, lw=2, label=f"ROC curve (area = {curve.auc:.4f})")
    axes.plot([0, 1], [0, 1], color="#2c3e50", lw=1, linestyle="--")
    axes.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="False Positive Rate", ylabel="True Positive Rate")
    axes.legend(loc="lower right", frameon=False)
    return _save(figure, path)


def draw_distances(positive: NDArray[np.float64], negative: NDArray[np.float64], path: Path) -> Path:
    """How far pairs of one person and of two lie apart."""
    figure, axes = _figure("Distances of the validation's pairs")
    bins = np.linspace(0, float(max(positive.max(), negative.max(), 1e-6)), 80).tolist()
    axes.hist(positive, bins, alpha=0.6, color=TEST, label="same person")
    axes.hist(negative, bins, alpha=0.6, color=TRAIN, label="different people")
    axes.set(xlabel="distance", ylabel="pairs")
    axes.legend(frameon=False)
    return _save(figure, path)


def draw_bars(values: Mapping[str, float], path: Path, title: str, label: str) -> Path:
    """One bar a name, the first on top."""
    figure = Figure((8, 1.2 + 0.4 * len(values)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(list(values)[::-1], list(values.values())[::-1], color=TEST)
    axes.bar_label(bars, fmt="%.3f", padding=3)
    axes.set(title=title, xlabel=label)
    axes.margins(x=0.12)
    return _save(figure, path)


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(SIZE_IN, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def _line(axes: Axes, rows: Rows, name: str, label: str, colour: str, style: str = "-") -> None:
    epochs, values = column(rows, name)
    if len(epochs):
        axes.plot(epochs, values, style, color=colour, label=label, marker="." if len(epochs) < 30 else None)


def _part_stages(axes: Axes, rows: Rows) -> None:
    for one, other in itertools.pairwise(rows):
        if one["stage"] != other["stage"]:
            axes.axvline(int(other["epoch"]) - 0.5, color="#7f8c8d", lw=1, linestyle=":")


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path
