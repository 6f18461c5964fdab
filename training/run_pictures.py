"""What the thesis shows besides curves, drawn at the end of a run: the steps of preparation, the layers, the 30 pairs."""

import csv
from pathlib import Path

import cv2
import numpy as np

from training import layer_pictures, networks
from training.evaluation_files import correct_figure
from training.pictures import pictures_of
from training.preprocessing_pictures import steps, write_row
from training.recipe import Recipe
from training.run_data import RunData
from training.transforms import test_transform, train_transform
from training.verification import TEXT_THRESHOLDS, correct_at

PAIRS = 30
"""Of section 4.4; half of them genuine."""


def draw(run: Path, recipe: Recipe, data: RunData, network: networks.FaceNetwork) -> None:
    """preprocessing-{train,test}.png, layers/, pairs30.{csv,png} in plots/; `network`, on the CPU, has the best weights."""
    _preprocessing(run, recipe, data)
    _layers(run, recipe, data, network)
    _pairs30(run)


def _preprocessing(run: Path, recipe: Recipe, data: RunData) -> None:
    """Tables 3.3 and 3.4 from the prepared face on. `attendance train steps` begins with a photograph."""
    face, form = pictures_of(data.train).read(0), recipe.network
    first = [(f"{recipe.data.crop} {face.shape[1]}×{face.shape[0]}", face)]
    changed = train_transform(form.input_px, recipe.transform.augment, **recipe.transform.changes)
    rows = {"train": steps(face, changed, recipe.seed), "test": steps(face, test_transform(form.input_px))}
    for name, row in rows.items():
        write_row(first + row, run / "plots" / f"preprocessing-{name}.png")


def _layers(run: Path, recipe: Recipe, data: RunData, network: networks.FaceNetwork) -> None:
    """Section 4.3: what each layer makes of the first validation face."""
    face, px = pictures_of(data.valid).read(0), recipe.network.input_px
    chip = np.asarray(cv2.resize(face, (px, px), interpolation=cv2.INTER_LINEAR), np.uint8)
    layer_pictures.write(network, chip, run / "plots" / "layers")


def _pairs30(run: Path) -> None:
    """Table 4.4 and figure 4.16: right answers of the validation's first 15 genuine and 15 impostor pairs."""
    with np.load(run / "distances-best.npz") as pairs:
        positive, negative = pairs["positive"][: PAIRS // 2], pairs["negative"][: PAIRS // 2]
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    correct = correct_at(np.concatenate([positive, negative]), labels)
    by_threshold = {f"{t:.1f}": int(count) for t, count in zip(TEXT_THRESHOLDS, correct, strict=True)}
    table, picture = run / "plots" / "pairs30.csv", run / "plots" / "pairs30.png"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("threshold", f"correct of {len(labels)}"), *by_threshold.items()])
    correct_figure(by_threshold).savefig(picture, dpi=110, bbox_inches="tight")
