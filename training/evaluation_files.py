"""The files of an evaluation: result.json, the ROC and DET pictures, the threshold table, confusion matrices."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training import classification
from training.outcome import Outcome
from training.verification import Floats, Roc

POINTS = 2_000
"""Of a drawn curve; more can't be seen."""
LOWEST_RATE = 1e-6
DRAWN_PEOPLE = 30
"""A confusion matrix of more people is drawn without their names."""
FIGURE_INCHES = (6.4, 5.2)


def write_all(outcome: Outcome, folder: Path) -> list[Path]:
    """Write everything that the outcome holds into `folder` (made if missing); returns the files. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "result.json"]
    written[0].write_text(json.dumps(outcome.figures, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    if outcome.curves:
        written += [
            _save(roc_figure(outcome.curves), folder / "roc.png"),
            _save(det_figure(outcome.curves), folder / "det.png"),
        ]
    if outcome.searches:
        written.append(_save(search_figure(outcome.searches), folder / "det.png"))
    if outcome.table:
        rows: list[list[Any]] = [list(outcome.table[0]), *(list(row.values()) for row in outcome.table)]
        written.append(_write_csv(rows, folder / "thresholds.csv"))
    if "correct_at" in outcome.figures:
        rows = [["threshold", "correct"], *([t, n] for t, n in outcome.figures["correct_at"].items())]
        written.append(_write_csv(rows, folder / "correct.csv"))
        written.append(_save(correct_figure(outcome.figures["correct_at"]), folder / "correct.png"))
    for name, (result, people) in outcome.matrices.items():
        written.append(_write_csv(classification.matrix_rows(result, people), folder / f"confusion-{name}.csv"))
        written.append(_save(confusion_figure(result, people), folder / f"confusion-{name}.png"))
    return written


def roc_figure(curves: Mapping[str, Roc]) -> Figure:
    figure, axes = _axes("false accept rate", "true accept rate")
    for name, curve in curves.items():
        x, y = _thinned(curve.fpr, curve.tpr)
        axes.plot(x, y, label=f"{name} AUC {curve.auc:.4f}".strip())
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="lower right")
    return figure


def det_figure(curves: Mapping[str, Roc]) -> Figure:
    """False rejects over false accepts, both logarithmic: where they are rare is what matters at a door."""
    figure, axes = _axes("false accept rate", "false reject rate")
    for name, curve in curves.items():
        _draw_rates(axes, name, curve.fpr, 1 - curve.tpr)
    return _finished(figure, axes, named=any(curves))


def search_figure(searches: Mapping[str, tuple[Floats, Floats]]) -> Figure:
    figure, axes = _axes("FPIR: strangers taken for somebody", "FNIR: enrolled people not named")
    for name, (fpir, fnir) in searches.items():
        _draw_rates(axes, name, fpir, fnir)
    return _finished(figure, axes, named=True)


def correct_figure(correct: Mapping[str, int]) -> Figure:
    """The thesis' figure 4.16: right answers at each threshold."""
    figure, axes = _axes("threshold", "right answers")
    axes.bar([float(t) for t in correct], list(correct.values()), width=0.08)
    return figure


def confusion_figure(result: classification.Classification, people: list[str]) -> Figure:
    """Shares of each row; the last row and column are strangers and rejections."""
    figure, axes = _axes("named", "was")
    shares = result.matrix / np.maximum(result.matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    figure.colorbar(image, label="share of the row")
    heads = [*(name.replace("_", " ") for name in people), classification.UNKNOWN]
    if len(heads) <= DRAWN_PEOPLE:
        places = np.arange(len(heads))
        axes.set_xticks(places, heads, rotation=90, fontsize=7)
        axes.set_yticks(places, heads, fontsize=7)
    axes.set_title(f"{result.method}: {result.row['accuracy']:.1%} right", fontsize=10)
    return figure


def _axes(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=FIGURE_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _draw_rates(axes: Any, name: str, x: Floats, y: Floats) -> None:
    """A curve on logarithmic axes; where either rate is 0 there is no place to draw it."""
    x, y = _thinned(x, y)
    seen = (x > 0) & (y > 0)
    axes.plot(x[seen], y[seen], label=name)


def _finished(figure: Figure, axes: Any, named: bool) -> Figure:
    axes.set(xscale="log", yscale="log", xlim=(LOWEST_RATE, 1), ylim=(1e-4, 1))
    axes.grid(which="major", color="0.9")
    if named:
        axes.legend()
    return figure


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most about POINTS of the points, even along x and along its logarithm, so that both kinds of axes look whole."""
    if len(x) <= POINTS:
        return x, y
    wanted = np.concatenate([np.linspace(0, 1, POINTS // 2), np.geomspace(LOWEST_RATE, 1, POINTS // 2)])
    kept = np.unique(np.clip(np.searchsorted(x, wanted), 0, len(x) - 1))
    return x[kept], y[kept]


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    return path


def _write_csv(rows: Iterable[Iterable[Any]], path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path
