"""What the cameras of the benchmark see: the demo's drawn hallway and its two public-domain people."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy import demo_scene

Image = NDArray[np.uint8]

FPS = 10
"""Of the simulated kiosks."""
SIZES = {"640x480": (640, 480), "1280x720": (1280, 720)}
GRAIN = 2.5


def _shot(picture: NDArray[np.float32], at_ms: float, random: np.random.Generator) -> Image:
    """A camera's picture: light that moves a little, and grain."""
    light = 1 + 0.02 * np.sin(at_ms / 210)
    noise = random.normal(0, GRAIN, (*picture.shape[:2], 1))
    return np.asarray(np.clip(picture * light + noise, 0, 255), np.uint8)


def visit_frames(visit: demo_scene.Visit, from_ms: float, to_ms: float, seed: int = 1) -> list[Image]:
    """BGR pictures of that visitor at 10 a second."""
    random, portrait, hallway = (
        np.random.default_rng(seed),
        demo_scene.load_portrait(visit.person),
        demo_scene.hallway(),
    )
    pictures = []
    for at_ms in np.arange(from_ms, to_ms, 1000 / FPS):
        where = demo_scene.pose(visit, at_ms)
        picture = demo_scene.paste(hallway, portrait, where) if where else hallway
        if at_ms < visit.stands_from_ms + 600:  # the lens is still finding its focus
            picture = cv2.GaussianBlur(picture, (0, 0), 1.3).astype(np.float32)
        pictures.append(_shot(np.asarray(picture, np.float32), at_ms, random))
    return pictures


def empty_frames(count: int, seed: int = 2) -> Iterator[Image]:
    """BGR pictures of the hallway with nobody in it."""
    random, hallway = np.random.default_rng(seed), demo_scene.hallway()
    for number in range(count):
        yield _shot(np.asarray(hallway, np.float32), number * 1000 / FPS, random)


def standing(count: int) -> list[Image]:
    """RGB pictures of 640×480, `count` of each visitor standing at the camera: somebody is in every one."""
    pictures = []
    for visit in demo_scene.timeline():
        from_ms = visit.stands_from_ms + 700
        pictures += visit_frames(visit, from_ms, from_ms + count * 1000 / FPS)
    return [np.ascontiguousarray(picture[:, :, ::-1]) for picture in pictures]


def at_size(picture: Image, size: str) -> Image:
    """The same picture as a wider camera has it: enlarged to the height, the walls go on to both sides."""
    width, height = SIZES[size]
    scale = height / picture.shape[0]
    grown = cv2.resize(picture, (round(picture.shape[1] * scale), height), interpolation=cv2.INTER_LINEAR)
    side = width - grown.shape[1]
    return np.asarray(cv2.copyMakeBorder(grown, 0, 0, side // 2, side - side // 2, cv2.BORDER_REPLICATE), np.uint8)
