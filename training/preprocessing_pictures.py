"""A picture after each step of its preparation, as in the thesis' Tables 3.3 (training) and 3.4 (test)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2

from training.dataset import BadData
from training.embedding import main_face
from training.transforms import test_transform, train_transform
from worker import crop
from worker.detector import Detector

Step = tuple[str, NDArray[np.uint8]]
"""What was done, and the picture after it, (H, W, 3) RGB."""
CROP_PX = 182
NAMES = {
    "RandomRotation": "random rotation {degrees:.0f}°",
    "RandomResizedCrop": "random resized crop {size}×{size}",
    "RandomHorizontalFlip": "random horizontal flip",
    "ColorJitter": "colour jitter",
    "RandomGrayscale": "random grey",
    "Placed": "turned, shifted, scaled",
    "SeenBadly": "through a bad camera",
    "Resize": "resize {size}",
    "CenterCrop": "centre crop {size}×{size}",
    "Normalize": "normalisation",
}


def steps(picture: NDArray[np.uint8], transform: v2.Compose, seed: int = 0) -> list[Step]:
    """The picture after each step of a transform. Normalised values are shown stretched from their least to their largest."""
    faces = torch.from_numpy(picture).permute(2, 0, 1)
    done: list[Step] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for step in transform.transforms:
            faces = step(faces)
            if (name := NAMES.get(type(step).__name__)) is not None:
                done.append((name.format(degrees=_degrees(step), size=_size(step)), _shown(faces)))
    return done


def preparation(photograph: NDArray[np.uint8], detector: Detector, size_px: int = CROP_PX) -> list[Step]:
    """The photograph itself, and the face that is cut out of it; raises BadData when there is none."""
    faces = detector.find([photograph])[0]
    if not faces:
        raise BadData("no face was found in the photograph: take another one for the pictures of the steps")
    chip = crop.mtcnn_margin(photograph, main_face(faces, *photograph.shape[:2]).box, size_px)
    return [("raw", photograph), (f"MTCNN {size_px}×{size_px}", chip)]


def write_preprocessing(photograph: NDArray[np.uint8], detector: Detector, folder: Path, seed: int = 1) -> list[Path]:
    """`preprocessing-train.png` and `preprocessing-test.png` in the folder; returns their paths."""
    before = preparation(photograph, detector)
    face = before[-1][1]
    rows = {
        "preprocessing-train.png": before + steps(face, train_transform(), seed),
        "preprocessing-test.png": before + steps(face, test_transform(), seed),
    }
    return [write_row(row, folder / name) for name, row in rows.items()]


def write_row(row: Sequence[Step], path: Path) -> Path:
    """The steps side by side as one picture; raises BadData where it can't be written."""
    figure = Figure(figsize=(2.2 * len(row), 2.7), layout="constrained")
    axes = figure.subplots(1, len(row), squeeze=False)
    for axis, (name, picture) in zip(axes[0], row, strict=True):
        axis.imshow(picture)
        axis.set_title(name, fontsize=8)
        axis.set_xlabel(f"{picture.shape[1]}×{picture.shape[0]}", fontsize=7)
        axis.set_xticks([])
        axis.set_yticks([])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise BadData(f"{path}: can't be written ({error.strerror})") from None
    return path


def _shown(faces: Tensor) -> NDArray[np.uint8]:
    if faces.is_floating_point():
        faces = (faces - faces.min()) / (faces.max() - faces.min()).clamp(min=1e-6) * 255
    return np.asarray(faces.to(torch.uint8).permute(1, 2, 0).numpy(), np.uint8)


def _degrees(step: torch.nn.Module) -> float:
    return float(max(getattr(step, "degrees", [0.0])))


def _size(step: torch.nn.Module) -> int:
    size = getattr(step, "size", 0)
    return int(size if isinstance(size, int) else size[0])
