"""A camera that the tests direct: the demo scene's people walk up, stand as long as wanted, and leave.

The pictures are those of deploy/demo_scene.py. They go into a folder with one file, which is replaced before the kiosk
reads it again; what is in it at which moment is written down, so that a screen can be held against the truth.
"""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from deploy import demo_scene

FPS = 7.5
"""Of the played pictures: every second one of the scene."""
CAMERA_FPS = 10.0


@dataclass
class Clip:
    """The pictures of one visit, as JPEG."""

    arriving: list[bytes] = field(default_factory=list)
    standing: list[bytes] = field(default_factory=list)
    leaving: list[bytes] = field(default_factory=list)


@dataclass
class Footage:
    empty: list[bytes]
    people: dict[str, Clip]


def shoot() -> Footage:
    """Render the scene once; takes some seconds."""
    visits = demo_scene.timeline()
    footage = Footage([], {visit.person: Clip() for visit in visits})
    step = round(demo_scene.FPS / FPS)
    for number, picture in enumerate(demo_scene.frames(visits[-1].in_view_to_ms / 1000)):
        if number % step:
            continue
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        at_ms = number * 1000 / demo_scene.FPS
        visit = next((visit for visit in visits if visit.in_view(at_ms)), None)
        if visit is None:
            footage.empty.append(jpeg)
            continue
        clip = footage.people[visit.person]
        if at_ms < visit.stands_from_ms:
            clip.arriving.append(jpeg)
        elif at_ms < visit.stands_to_ms:
            clip.standing.append(jpeg)
        else:
            clip.leaving.append(jpeg)
    return footage


class Stage(threading.Thread):
    """Plays until `stop`. `folder` is the kiosk's source."""

    def __init__(self, folder: Path, footage: Footage) -> None:
        super().__init__(name="stage", daemon=True)
        self.folder, self.footage = folder, footage
        self.truth: list[tuple[float, str | None]] = []
        """Since when (seconds of the wall clock) who is in the picture."""
        self._wanted: str | None = None
        self._stop_asked = False
        folder.mkdir()
        self._show(footage.empty[0], None)

    def enter(self, person: str) -> None:
        """Somebody walks up, and stands there until somebody else or nobody is wanted."""
        self._wanted = person

    def leave(self) -> None:
        self._wanted = None

    @property
    def in_view(self) -> str | None:
        return self.truth[-1][1]

    def was_in_view(self, person: str, from_s: float, to_s: float) -> bool:
        """Whether that person was in the picture at any moment between the two."""
        ends = [since_s for since_s, _ in self.truth[1:]] + [float("inf")]
        moments = zip(self.truth, ends, strict=True)
        return any(who == person and since_s <= to_s and end_s >= from_s for (since_s, who), end_s in moments)

    def stop(self) -> None:
        self._stop_asked = True
        if self.is_alive():
            self.join(timeout=5)

    def run(self) -> None:
        for person, jpeg in self._pictures():
            if self._stop_asked:
                return
            self._show(jpeg, person)
            time.sleep(1 / FPS)

    def _pictures(self) -> Iterator[tuple[str | None, bytes]]:
        while True:
            person = self._wanted
            if person is None:
                yield None, self.footage.empty[int(time.monotonic() * FPS) % len(self.footage.empty)]
                continue
            clip = self.footage.people[person]
            yield from ((person, jpeg) for jpeg in clip.arriving)
            there_and_back, position = clip.standing + clip.standing[-2:0:-1], 0
            while self._wanted == person:
                yield person, there_and_back[position % len(there_and_back)]
                position += 1
            yield from ((person, jpeg) for jpeg in clip.leaving)

    def _show(self, jpeg: bytes, person: str | None) -> None:
        draft = self.folder.with_suffix(".draft")
        draft.write_bytes(jpeg)
        if not self.truth or self.truth[-1][1] != person:
            self.truth.append((time.time(), person))
        os.replace(draft, self.folder / "now.jpg")
