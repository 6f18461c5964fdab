"""The demo's camera: a clip in which one enrolled person and one stranger walk up to the door, stand and leave.

The two faces are public-domain portraits that ship inside scikit-image (Eileen Collins, NASA) and matplotlib
(Grace Hopper, US Navy). They are cut out along a hand-drawn outline and moved in front of a drawn hallway; size, light,
sharpness and noise vary as a cheap camera's would. Everything is seeded: the same clip comes out every time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Layer = NDArray[Any]
"""float32; OpenCV's stubs promise less."""

WIDTH, HEIGHT, FPS = 640, 480, 15
LOOP_S = 38.0
"""Shortest clip: both visits and the quiet between them; a longer one stays empty until its end."""
MAX_LENGTH_S = 600.0
FAR_FACE_PX, NEAR_FACE_PX = 50, 150
APPROACH_MS, STAND_MS, LEAVE_MS = 3_000, 6_000, 2_000
ENROLLED, STRANGER = "Eileen Collins", "Grace Hopper"
ENROLLED_CODE = "E001"

_COLLINS_OUTLINE = (
    "155,95 165,60 190,30 225,15 260,20 285,45 300,85 297,112 281,128 268,134 259,160 255,178 288,202 303,235 302,254 "
    "330,262 350,292 360,330 362,348 400,344 450,360 485,400 500,450 507,500 507,512 25,512 22,440 25,350 40,290 70,250 "
    "112,232 112,200 122,170 150,152 185,148 182,130 165,120"
)
_HOPPER_OUTLINE = (
    "172,85 185,60 215,35 260,22 310,35 345,60 355,85 372,95 372,170 377,190 372,235 358,260 356,290 345,310 335,322 "
    "400,357 480,388 503,430 512,480 512,600 15,600 18,500 30,425 52,388 110,362 190,332 203,315 195,298 172,280 160,255 "
    "155,215 155,180 172,150 172,135 150,130 150,112 172,95"
)


@dataclass(frozen=True)
class Visit:
    """When somebody is in the picture, in ms from the clip's start. `from_left` is the side they come from."""

    person: str
    in_view_from_ms: int
    stands_from_ms: int
    stands_to_ms: int
    in_view_to_ms: int
    from_left: bool

    def in_view(self, at_ms: float) -> bool:
        return self.in_view_from_ms <= at_ms < self.in_view_to_ms


@dataclass(frozen=True)
class Scene:
    """A rendered clip and the truth about it."""

    path: Path
    length_ms: int
    visits: tuple[Visit, ...]

    def person_at(self, at_ms: float) -> str | None:
        """Who is in the picture `at_ms` after a start; the clip repeats for ever."""
        return next((visit.person for visit in self.visits if visit.in_view(at_ms % self.length_ms)), None)


@dataclass(frozen=True)
class Pose:
    """Where a person's face is in one frame: its middle and width in px, tilt in degrees, and speed in px per frame."""

    x: float
    y: float
    face_px: float
    tilt: float
    speed: float


@dataclass(frozen=True)
class Portrait:
    """A person cut out of their picture, with the face's middle and width.

    The colour is already weighted by the opacity, so shrinking and turning bleed nothing of the old background in.
    """

    colour: Layer
    opacity: Layer
    face: tuple[float, float]
    face_px: float


def timeline() -> tuple[Visit, ...]:
    """Empty 3 s, the enrolled person, empty 4 s, the stranger, empty to the end."""
    visits, at_ms = [], 3_000
    for person, from_left in ((ENROLLED, True), (STRANGER, False)):
        stands = at_ms + APPROACH_MS
        leaves = stands + STAND_MS
        visits.append(Visit(person, at_ms, stands, leaves, leaves + LEAVE_MS, from_left))
        at_ms = leaves + LEAVE_MS + 4_000
    return tuple(visits)


def pose(visit: Visit, at_ms: float) -> Pose | None:
    """Pose of the visitor `at_ms` after the clip's start; None when they are out of the picture."""
    if not visit.in_view(at_ms):
        return None
    here, before = _place(visit, at_ms), _place(visit, at_ms - 1000 / FPS)
    sway = (at_ms - visit.stands_from_ms) / 1000
    return Pose(*here, tilt=2.5 * math.sin(1.7 * sway), speed=math.dist(here[:2], before[:2]))


def _place(visit: Visit, at_ms: float) -> tuple[float, float, float]:
    """Middle (x, y) and width of the face. A camera at chest height sees a face rise as it comes nearer."""
    side = -1 if visit.from_left else 1
    middle_x = WIDTH / 2 - side * 12
    if at_ms < visit.stands_from_ms:
        part = _smooth((at_ms - visit.in_view_from_ms) / APPROACH_MS)
        face_px = FAR_FACE_PX + (NEAR_FACE_PX - FAR_FACE_PX) * part
        x = middle_x + side * (1 - part) * (WIDTH / 2 + 10)
    elif at_ms < visit.stands_to_ms:
        face_px, x = NEAR_FACE_PX, middle_x
    else:
        part = _smooth((at_ms - visit.stands_to_ms) / LEAVE_MS)
        face_px, x = NEAR_FACE_PX - 40 * part, middle_x - side * part * (WIDTH / 2 + 160)
    sway = (at_ms - visit.stands_from_ms) / 1000
    near = (face_px - FAR_FACE_PX) / (NEAR_FACE_PX - FAR_FACE_PX)
    y = 265 - 50 * near + 3 * math.sin(2.3 * sway)
    return x + 7 * math.sin(1.3 * sway), y, face_px + 2 * math.sin(0.9 * sway)


def _smooth(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


def portrait_picture(person: str) -> Image:
    """The whole public-domain portrait, BGR: what the demo enrols with."""
    if person == ENROLLED:
        import skimage.data

        rgb: Image = skimage.data.astronaut()  # type: ignore[no-untyped-call]
        return np.ascontiguousarray(rgb[:, :, ::-1])
    from matplotlib import cbook

    path = str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    assert picture is not None, "matplotlib's sample picture can't be decoded; reinstall matplotlib"
    return np.asarray(picture, dtype=np.uint8)


def portrait_jpeg(person: str) -> bytes:
    return cv2.imencode(".jpg", portrait_picture(person), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def load_portrait(person: str) -> Portrait:
    """Cut the person out of the picture along the outline, with a soft edge; the clothes go on below the picture."""
    picture = portrait_picture(person)
    outline, face, face_px = (
        (_COLLINS_OUTLINE, (224.0, 117.0), 87.0) if person == ENROLLED else (_HOPPER_OUTLINE, (265.0, 230.0), 181.0)
    )
    points = np.array([pair.split(",") for pair in outline.split()], dtype=np.int32)
    opacity = np.zeros(picture.shape[:2], dtype=np.uint8)
    cv2.fillPoly(opacity, [points], 255)
    opacity = np.asarray(cv2.GaussianBlur(cv2.erode(opacity, np.ones((3, 3))), (9, 9), 0), dtype=np.uint8)
    opacity[-6:] = opacity[-7]  # the blur must not fade the edge where the clothes go on
    below = 450  # enough for the smallest size
    colour = cv2.copyMakeBorder(picture, 0, below, 0, 0, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(opacity, 0, below, 0, 0, cv2.BORDER_REPLICATE).astype(np.float32) / 255
    return Portrait(colour.astype(np.float32) * alpha[:, :, None], alpha, face, face_px)


def hallway() -> Layer:
    """A plain hallway: a lit wall, a door, a floor and a notice board, out of focus."""
    wall = np.linspace(205, 165, HEIGHT, dtype=np.float32)[:, None, None] * np.array([0.93, 0.98, 1.0], np.float32)
    picture = np.ascontiguousarray(np.broadcast_to(wall, (HEIGHT, WIDTH, 3)))
    cv2.rectangle(picture, (0, 400), (WIDTH, HEIGHT), (95, 105, 112), -1)
    cv2.rectangle(picture, (0, 392), (WIDTH, 400), (150, 155, 158), -1)
    cv2.rectangle(picture, (455, 70), (590, 400), (70, 96, 128), -1)
    cv2.rectangle(picture, (455, 70), (590, 400), (48, 66, 90), 5)
    cv2.circle(picture, (473, 250), 5, (190, 200, 205), -1)
    cv2.rectangle(picture, (60, 95), (190, 190), (200, 216, 222), -1)
    cv2.rectangle(picture, (60, 95), (190, 190), (92, 110, 126), 4)
    for left, top, colour in ((74, 108, (168, 200, 140)), (114, 112, (150, 172, 226)), (148, 106, (206, 178, 140))):
        cv2.rectangle(picture, (left, top), (left + 28, top + 40), colour, -1)
    return cv2.GaussianBlur(picture, (0, 0), 2.2).astype(np.float32)


def paste(background: Layer, portrait: Portrait, where: Pose) -> Layer:
    """The background with the person in front of it; someone who walks is smeared along the way."""
    scale = where.face_px / portrait.face_px
    layers: list[Layer] = [portrait.colour, portrait.opacity]
    by_area = scale if scale < 0.7 else 1.0  # a warp alone would skip pixels
    if by_area < 1:
        layers = [cv2.resize(layer, None, fx=by_area, fy=by_area, interpolation=cv2.INTER_AREA) for layer in layers]
    face_x, face_y = (value * by_area for value in portrait.face)
    move = cv2.getRotationMatrix2D((face_x, face_y), where.tilt, scale / by_area)
    move[:, 2] += np.array([where.x - face_x, where.y - face_y])
    colour, alpha = (cv2.warpAffine(layer, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR) for layer in layers)
    smear = round(where.speed * 0.6)  # the shutter is open for 0.6 of a frame's time
    if smear > 1:
        kernel = np.full((1, smear), 1 / smear, dtype=np.float32)
        colour, alpha = cv2.filter2D(colour, -1, kernel), cv2.filter2D(alpha, -1, kernel)
    alpha = alpha[:, :, None]
    return np.asarray(background * (1 - alpha) + colour, dtype=np.float32)


def frames(length_s: float = LOOP_S, seed: int = 7) -> Iterator[Image]:
    """The clip's pictures in order, BGR."""
    random = np.random.default_rng(seed)
    grain = [random.normal(0, sigma, (HEIGHT, WIDTH, 1)).astype(np.float32) for sigma in (2, 2.5, 3, 3.5) * 3]
    people = {person: load_portrait(person) for person in (ENROLLED, STRANGER)}
    empty, visits = hallway(), timeline()
    for number in range(round(length_s * FPS)):
        at_ms = number * 1000 / FPS
        picture = empty
        for visit in visits:
            where = pose(visit, at_ms)
            if where is not None:
                picture = paste(empty, people[visit.person], where)
                if at_ms < visit.stands_from_ms + 600:  # the lens is still finding its focus
                    picture = cv2.GaussianBlur(picture, (0, 0), 1.3).astype(np.float32)
        light = 1 + 0.10 * math.sin(at_ms / 2_600) + 0.02 * math.sin(at_ms / 210)
        noise = np.roll(grain[random.integers(len(grain))], int(random.integers(WIDTH)), axis=1)
        yield np.clip(picture * light + noise, 0, 255).astype(np.uint8)


def render(path: Path, length_s: float = LOOP_S, seed: int = 7) -> Scene:
    """Write the clip as Motion-JPEG (OpenCV does that without any other program); raises OSError when it can't."""
    length_s = max(LOOP_S, length_s)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OSError(f"{path}: the demo's clip can't be written; is the disk full or the folder read-only?")
    try:
        for picture in frames(length_s, seed):
            writer.write(picture)
    finally:
        writer.release()
    return Scene(path, round(round(length_s * FPS) * 1000 / FPS), timeline())
