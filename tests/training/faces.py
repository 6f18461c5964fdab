"""Pictures for the tests: drawn ones, cheap and of nobody, and the two public-domain portraits that packages carry."""

from pathlib import Path
from typing import Any

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def drawn(number: int, size_px: int = 40) -> Picture:
    """A picture of circles in colours that follow from the number; no two are equal."""
    rng = np.random.default_rng(number)
    picture = np.full((size_px, size_px, 3), rng.integers(256, size=3), np.uint8)
    for _ in range(4):
        centre = tuple(int(v) for v in rng.integers(size_px, size=2))
        cv2.circle(picture, centre, int(rng.integers(2, size_px // 2)), rng.integers(256, size=3).tolist(), -1)
    return picture


def write(path: Path, picture: Picture) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def drawn_folder(root: Path, counts: dict[str, int], size_px: int = 40) -> Path:
    """IDENTITY/0.jpg and so on, as many as `counts` says; every picture is another."""
    number = 0
    for identity, count in counts.items():
        for i in range(count):
            write(root / identity / f"{i}.jpg", drawn(number, size_px))
            number += 1
    return root


def astronaut() -> Picture:
    """NASA's portrait of Eileen Collins, public domain, the part with the face: 240×240."""
    whole: Any = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return np.asarray(whole[:240, 110:350], np.uint8)


def admiral() -> Picture:
    """The US Navy's portrait of Grace Hopper, public domain, the part with the face: 240×240."""
    file = str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    return np.asarray(cv2.cvtColor(cv2.imread(file), cv2.COLOR_BGR2RGB)[60:300, 140:380], np.uint8)


def darker(picture: Picture, share: float) -> Picture:
    return np.asarray(picture * (1 - share), np.uint8)


def two_people(root: Path, each: int = 2) -> Path:
    """`Eileen` and `Grace`, each in pictures of different brightness."""
    for name, portrait in (("Eileen", astronaut()), ("Grace", admiral())):
        for i in range(each):
            write(root / name / f"{i}.jpg", darker(portrait, 0.1 * i))
    return root
