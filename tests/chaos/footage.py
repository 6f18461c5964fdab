"""The pictures that the scene generator shows, rendered once, each with whether it passes the worker's gates by itself.

Drawn markers by default; with ENGINE=real the two public-domain people of the demo's scene, judged by the real networks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from deploy import demo_scene
from tests.chaos.marker_engine import MarkerEngine, marker
from tests.end_to_end.stage import shoot
from worker.decode import decode_jpeg
from worker.engine import Engine
from worker.settings import WorkerSettings

FPS = 10
WIDTH, HEIGHT = 320, 240
FAR_PX, NEAR_PX = 40, 112
ARRIVING, STANDING, LEAVING = 10, 24, 7
"""Pictures of each part of a visit."""
BLURRED_EVERY = 6
"""Of somebody who stands there, one picture in so many is out of focus and passes no gate."""


@dataclass(frozen=True)
class Shot:
    """`good`: somebody is in it, and it passes the gates."""

    jpeg: bytes
    good: bool


@dataclass(frozen=True)
class Clip:
    """The parts of one person's visit."""

    arriving: list[Shot]
    standing: list[Shot]
    leaving: list[Shot]


@dataclass(frozen=True)
class Footage:
    """Clips by the code of the employee."""

    empty: list[Shot]
    people: dict[str, Clip]


def marker_footage(number_of_people: int) -> Footage:
    """People M1 … Mn, who are drawn with the markers 1 … n."""
    rng = np.random.default_rng(11)
    hallway = cv2.resize(demo_scene.hallway(), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    engine = MarkerEngine(WorkerSettings())
    empty = [_judged(_jpeg(hallway, rng), engine) for _ in range(8)]
    people = {
        f"M{number}": Clip(*([_judged(jpeg, engine) for jpeg in part] for part in _visit(number, hallway, rng)))
        for number in range(1, number_of_people + 1)
    }
    return Footage(empty, people)


def _visit(number: int, hallway: np.ndarray, rng: np.random.Generator) -> Iterator[list[bytes]]:
    def at(x: float, side_px: float, blurred: bool = False) -> bytes:
        side = round(side_px)
        picture, square = hallway.copy(), marker(number, side).astype(np.float32)
        left, top = round(x - side / 2), round(HEIGHT * 0.45 - side / 2)
        from_x, to_x = max(0, -left), min(side, WIDTH - left)
        if to_x > from_x:
            picture[top : top + side, left + from_x : left + to_x] = square[:, from_x:to_x]
        return _jpeg(cv2.GaussianBlur(picture, (0, 0), 9) if blurred else picture, rng)

    steps = [n / ARRIVING for n in range(ARRIVING)]
    yield [at(20 + 140 * step, FAR_PX + (NEAR_PX - FAR_PX) * step, blurred=step > 0.6) for step in steps]
    yield [
        at(160 + 9 * math.sin(n / 2.5), NEAR_PX + 3 * math.sin(n / 4), blurred=n % BLURRED_EVERY == 3)
        for n in range(STANDING)
    ]
    yield [at(160 + 26 * (n + 1), NEAR_PX, blurred=True) for n in range(LEAVING)]


def _jpeg(picture: np.ndarray, rng: np.random.Generator) -> bytes:
    noisy = np.clip(picture + rng.normal(0, 1, (*picture.shape[:2], 1)), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def real_footage(cache: Path) -> Footage:
    """The demo scene's two people; loads the real networks for a moment to judge each picture."""
    engine = Engine(WorkerSettings(home=cache))
    shot = shoot()
    codes = {demo_scene.ENROLLED: "C1", demo_scene.STRANGER: "C2"}
    people = {
        codes[name]: Clip(
            *([_judged(jpeg, engine) for jpeg in part] for part in (clip.arriving, clip.standing, clip.leaving))
        )
        for name, clip in shot.people.items()
    }
    return Footage([_judged(jpeg, engine) for jpeg in shot.empty[:20]], people)


def _judged(jpeg: bytes, engine: Engine) -> Shot:
    sight = engine.look([decode_jpeg(jpeg)])[0][0]
    return Shot(jpeg, sight.template is not None)
