"""A good photograph made as bad as a kiosk's picture may be: far away, blurred, dark, noisy, compressed. One fault at a time.

The whole photograph is changed, then the face is cut from it by the place found in the good one: what is measured is the
recogniser, not the detector.
"""

import hashlib
import inspect
import sys
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.detector import Face

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Degradation:
    """What is done, in the order of the fields; None or 1 leaves it out."""

    name: str
    light: float = 1.0
    """Factor of the brightness."""
    blur: float | None = None
    """Sigma of a Gaussian, as a share of the face's width."""
    noise: float | None = None
    """Standard deviation in grey levels, each pixel and colour for itself."""
    face_px: float | None = None
    """The photograph is shrunk until the face is so wide; a face that is no wider is left as it is."""
    jpeg: int | None = None
    """Quality, 0–100."""

    @property
    def key(self) -> str:
        """For the cache of templates: what is done, and by which code."""
        done = repr(self) + inspect.getsource(sys.modules[__name__])
        return f"{self.name}-{hashlib.sha256(done.encode()).hexdigest()[:8]}"


DEGRADATIONS = (
    *(Degradation(f"face-{px}px", face_px=px) for px in (64, 48, 32, 24)),
    Degradation("jpeg-30", jpeg=30),
    Degradation("blur-2%", blur=0.02),
    Degradation("blur-4%", blur=0.04),
    Degradation("dark", light=0.4, noise=5),
)
"""`dark` is near the least brightness that a worker decides on (its mean falls to about 45 of 255), with a sensor's noise."""


def degraded(picture: Rgb, face: Face, how: Degradation, rng: np.random.Generator) -> tuple[Rgb, Face]:
    """The changed photograph (H, W, 3), and where its face lies in it."""
    if how.light != 1:
        picture = np.asarray(picture * how.light, np.uint8)
    if how.blur is not None:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), how.blur * face.width), np.uint8)
    if how.noise is not None:
        noisy = picture + rng.normal(0, how.noise, picture.shape)
        picture = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    if how.face_px is not None and how.face_px < face.width:
        picture, face = shrunk(picture, face, how.face_px / face.width)
    if how.jpeg is not None:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])
        assert done
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return picture, face


def shrunk(picture: Rgb, face: Face, scale: float) -> tuple[Rgb, Face]:
    """Picture and face at `scale`; a pixel's middle goes to where the resizing puts it."""
    height, width = picture.shape[:2]
    size = np.maximum(1, np.round([width * scale, height * scale])).astype(int)
    small = cv2.resize(picture, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    scales = size / [width, height]
    landmarks = (face.landmarks + 0.5) * scales - 0.5
    box = (face.box.reshape(2, 2) + 0.5) * scales - 0.5
    return np.asarray(small, np.uint8), replace(
        face, box=box.reshape(4).astype(np.float32), landmarks=landmarks.astype(np.float32)
    )
