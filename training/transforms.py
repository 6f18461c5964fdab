"""What is done to a face before the network sees it: the thesis' transforms, and a mild one for aligned faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

from training.dataset import BadData
from training.kiosk_camera import KioskCamera, Placed, SeenBadly
from worker.network import IMAGENET_MEAN, IMAGENET_STD

Transform = Callable[[Tensor], Any]
"""(3, H, W) uint8 to (3, px, px) float32, or to that and what else the loss wants to see of the picture."""


@dataclass(frozen=True)
class Augmentation:
    """How far training pictures are changed at random. Zero, or a range of one value, switches a step off."""

    rotation_degrees: float = 0.0
    """Turned by up to so much either way."""
    scale: tuple[float, float] | None = None
    """Share of the picture's area that the cut-out part keeps; None cuts nothing: as in the test."""
    ratio: tuple[float, float] = (1.0, 1.0)
    """Width over height of the part, before it is resized to a square."""
    flip: float = 0.0
    """Chance of being mirrored."""
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    grey: float = 0.0
    """Chance of losing the colours."""
    smooth_rotation: bool = False
    """Turned pictures are interpolated; torchvision's own, which the thesis used, takes the nearest pixel."""


AUGMENTATIONS = {
    "none": Augmentation(),
    "thesis": Augmentation(rotation_degrees=15, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), flip=0.5),
    "mild": Augmentation(
        rotation_degrees=5,
        scale=(0.7, 1.0),
        ratio=(0.9, 1 / 0.9),
        flip=0.5,
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
        grey=0.05,
        smooth_rotation=True,
    ),
}
"""By name. `mild` is for faces that are aligned already: the eyes stay near where the alignment put them."""


def augmentation(name: str = "thesis", **changes: Any) -> Augmentation:
    """The named one with single values changed, as a recipe gives them; raises BadData for an unknown name or value."""
    if name not in AUGMENTATIONS:
        raise BadData(f"augment {name!r}: one of {', '.join(AUGMENTATIONS)} is needed")
    known = {field.name for field in fields(Augmentation)}
    if unknown := sorted(set(changes) - known):
        raise BadData(f"augment: {', '.join(unknown)} isn't known; there are {', '.join(sorted(known))}")
    changes = {key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()}
    return replace(AUGMENTATIONS[name], **changes)


def _kiosk_camera(harm: float = 1.0, **others: Any) -> KioskCamera:
    """Raises BadData: the other values of a recipe are those of torchvision's steps."""
    if others:
        raise BadData(f"augment kiosk has values of its own, not {', '.join(sorted(others))}; only harm goes with it")
    return KioskCamera().less(harm)


def train_transform(
    size_px: int = 224,
    augment: Literal["none", "thesis", "mild", "kiosk"] | str = "thesis",
    *,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    **changes: Any,
) -> v2.Compose:
    """Random steps, then normalisation. `changes` are fields of Augmentation, or `harm` for kiosk (recipe.py says what it
    does); the randomness is torch's own generator."""
    if augment == "kiosk":
        camera = _kiosk_camera(**changes)
        return v2.Compose([*_resized(size_px), Placed(camera), SeenBadly(camera), *_normalised(mean, std)])
    how = augmentation(augment, **changes)
    steps: list[torch.nn.Module] = []
    if how.rotation_degrees:
        smooth = InterpolationMode.BILINEAR if how.smooth_rotation else InterpolationMode.NEAREST
        steps.append(v2.RandomRotation(how.rotation_degrees, interpolation=smooth))
    if how.scale is not None:
        steps.append(v2.RandomResizedCrop(size_px, scale=how.scale, ratio=how.ratio, antialias=True))
    else:
        steps += _resized(size_px)
    if how.flip:
        steps.append(v2.RandomHorizontalFlip(how.flip))
    if how.brightness or how.contrast or how.saturation or how.hue:
        steps.append(v2.ColorJitter(how.brightness, how.contrast, how.saturation, how.hue))
    if how.grey:
        steps.append(v2.RandomGrayscale(how.grey))
    return v2.Compose([*steps, *_normalised(mean, std)])


def test_transform(
    size_px: int = 224,  # noqa: PT028  # this is no test
    *,
    mean: Sequence[float] = IMAGENET_MEAN,  # noqa: PT028
    std: Sequence[float] = IMAGENET_STD,  # noqa: PT028
) -> v2.Compose:
    """Nothing at random: the shorter side to size_px (bilinear), its centre, normalisation."""
    return v2.Compose([*_resized(size_px), *_normalised(mean, std)])


test_transform.__test__ = False  # type: ignore[attr-defined]  # nor for pytest


def _resized(size_px: int) -> list[torch.nn.Module]:
    return [v2.Resize(size_px, interpolation=InterpolationMode.BILINEAR, antialias=True), v2.CenterCrop(size_px)]


def _normalised(mean: Sequence[float], std: Sequence[float]) -> list[torch.nn.Module]:
    return [v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(mean), list(std))]
