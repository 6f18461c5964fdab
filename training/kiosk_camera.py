"""What stands between a face and a kiosk's recogniser, done to aligned training faces at random: a bad camera in bad light.

The teacher sees the face before it, the student behind it: so it learns to see through blur, noise and JPEG.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.transforms import v2

from worker.sface import INPUT_PX as TEACHER_PX

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class KioskCamera:
    """How far a face is changed. Lengths are shares of the chip's side, `…_chance` how often a change happens."""

    scale: float = 0.06
    """Standard deviation of the logarithm: an alignment by landmarks is never exact."""
    turn_degrees: float = 4.0
    shift: float = 0.022
    flip_chance: float = 0.5
    exposure: float = 12.0
    """Grey levels; contrast and colour below are standard deviations of factors."""
    contrast: float = 0.12
    colour: float = 0.04
    grey_chance: float = 0.05
    shade_chance: float = 0.2
    """One side darker than the other, as beside a window."""
    small_chance: float = 0.35
    """A face far away, enlarged."""
    small_px: tuple[int, int] = (28, 112)
    blur_chance: float = 0.2
    blur_sigma: tuple[float, float] = (0.002, 0.014)
    motion_chance: float = 0.1
    noise_chance: float = 0.2
    noise: tuple[float, float] = (2.0, 12.0)
    jpeg_chance: float = 0.35
    jpeg_quality: tuple[int, int] = (25, 90)
    cover_chance: float = 0.1
    """A hand, a mask, the edge of a door: up to a quarter of the face under one grey."""

    def less(self, share: float) -> "KioskCamera":
        """The same camera with every chance of harm (being mirrored is none) times `share`."""
        harms = [field.name for field in fields(self) if field.name.endswith("_chance") and field.name != "flip_chance"]
        return replace(self, **{name: getattr(self, name) * share for name in harms})


def placed(face: Rgb, how: KioskCamera, rng: np.random.Generator) -> Rgb:
    """The face moved as a bad alignment moves it; what comes in at the edges is mirrored."""
    side = face.shape[0]
    matrix: NDArray[Any] = cv2.getRotationMatrix2D(
        (side / 2, side * 0.54), rng.normal(0, how.turn_degrees), math.exp(rng.normal(0, how.scale))
    )
    matrix[:, 2] = matrix[:, 2] + rng.normal(0, how.shift * side, 2)
    if rng.random() < how.flip_chance:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side - 1
    moved = cv2.warpAffine(face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def seen_badly(face: Rgb, how: KioskCamera, rng: np.random.Generator) -> Rgb:
    """The face as a kiosk's camera may show it; same size, same place."""
    side = face.shape[0]
    light = (face.astype(np.float32) - 128) * math.exp(rng.normal(0, how.contrast)) + 128
    light = (light + rng.normal(0, how.exposure)) * (1 + rng.normal(0, how.colour, 3).astype(np.float32))
    if rng.random() < how.shade_chance:
        across = np.linspace(-1, 1, side, dtype=np.float32) * rng.uniform(-0.5, 0.5)
        light *= 1 + (across[None, :, None] if rng.random() < 0.7 else across[:, None, None])
    if rng.random() < how.grey_chance:
        light = np.repeat(light @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
    if rng.random() < how.cover_chance:
        height, width = (int(side * rng.uniform(0.15, 0.5)) for _ in range(2))
        top, left = int(rng.integers(0, side - height + 1)), int(rng.integers(0, side - width + 1))
        light[top : top + height, left : left + width] = rng.uniform(0, 255)
    seen: NDArray[Any] = np.clip(light, 0, 255).astype(np.uint8)
    if rng.random() < how.small_chance:
        px = int(rng.integers(*how.small_px))
        small = cv2.resize(seen, (px, px), interpolation=cv2.INTER_AREA)
        seen = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    if rng.random() < how.blur_chance:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(*how.blur_sigma) * side)
    if rng.random() < how.motion_chance:
        seen = cv2.filter2D(seen, -1, _streak(int(rng.integers(3, max(4, side // 16))), rng.uniform(0, 180)))
    if rng.random() < how.noise_chance:
        noisy = seen + rng.normal(0, rng.uniform(*how.noise), seen.shape).astype(np.float32)
        seen = np.clip(noisy, 0, 255).astype(np.uint8)
    if rng.random() < how.jpeg_chance:
        done, data = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*how.jpeg_quality))])
        seen = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR) if done else seen)
    return np.asarray(seen, np.uint8)


def _streak(length: int, degrees: float) -> NDArray[np.float32]:
    """Kernel (length, length) of a movement in one direction."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return turned / max(float(turned.sum()), 1e-6)


class Placed(nn.Module):
    """A step of a transform, (3, H, H) uint8 to the same: where a bad alignment puts a face. Its dice are torch's generator."""

    def __init__(self, how: KioskCamera) -> None:
        super().__init__()
        self.how = how

    def forward(self, picture: Tensor) -> Tensor:
        return _tensor(placed(_array(picture), self.how, _dice()))


class SeenBadly(nn.Module):
    """A step of a transform, (3, H, H) uint8 to the same: a bad camera. Its dice are torch's generator."""

    def __init__(self, how: KioskCamera) -> None:
        super().__init__()
        self.how = how

    def forward(self, picture: Tensor) -> Tensor:
        return _tensor(seen_badly(_array(picture), self.how, _dice()))


class WithTeacher:
    """A transform to two pictures: the whole transform's, and (3, 112, 112) uint8 of the face as it was before SeenBadly."""

    def __init__(self, whole: v2.Compose) -> None:
        steps = list(whole.transforms)
        cut = next(number for number, step in enumerate(steps) if isinstance(step, SeenBadly))
        self.before, self.after = v2.Compose(steps[:cut]), v2.Compose(steps[cut:])

    def __call__(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        good = self.before(picture)
        return self.after(good), _tensor(_resized(_array(good), TEACHER_PX))


def _dice() -> np.random.Generator:
    return np.random.default_rng(int(torch.randint(2**62, (1,)).item()))


def _array(picture: Tensor) -> Rgb:
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())


def _tensor(face: Rgb) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1)))


def _resized(face: Rgb, size_px: int) -> Rgb:
    return np.asarray(cv2.resize(face, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8)
