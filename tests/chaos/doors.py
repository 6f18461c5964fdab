"""The scene generator: one thread plays people at every door, and writes down what it showed where and when.

A door is a folder with one picture, which is replaced ten times a second; the kiosk's source is that folder.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.footage import Clip, Footage, Shot
from tests.chaos.truth import Visit

EMPTY_S = (0.4, 2.5)
STAND_S = ((0.5, 3.0), (3.1, 5.0), (5.0, 10.0), (62.0, 80.0))
"""From just too short to longer than a presence gap; chosen by WEIGHTS."""
WEIGHTS = (1, 5, 3, 0.25)


@dataclass
class Door:
    """`shown` is the visit that runs: (time, part, passes the gates) of each picture."""

    name: str
    folder: Path
    playing: Iterator[tuple[str | None, str, Shot]]
    shown: list[tuple[float, str, bool]] = field(default_factory=list)
    employee: str | None = None
    reads: list[float] = field(default_factory=list)
    """When pictures were read from the folder, for the figures only; see `_note_read`."""


class Doors(threading.Thread):
    """Plays until `close_doors`, and then to the end of each visit. `visits` is the truth."""

    def __init__(self, folder: Path, names: list[str], footage: Footage, fps: float, apart_s: float, seed: int) -> None:
        super().__init__(name="doors", daemon=True)
        self.footage, self.fps, self.apart_s = footage, fps, apart_s
        self.visits: list[Visit] = []
        self._rng = random.Random(seed)
        self._left_s: dict[tuple[str, str], float] = {}
        """When an employee was last seen at a door: they come again there only `apart_s` later."""
        self._busy: set[str] = set()
        self._open, self._stop_asked = True, False
        self.doors = {name: Door(name, folder / name, iter(())) for name in names}
        for door in self.doors.values():
            door.folder.mkdir(parents=True)
            door.playing = self._play(door)
            self._show(door)

    def close_doors(self) -> None:
        """Nobody comes any more; who is there stays to their end."""
        self._open = False

    def empty(self) -> bool:
        return not self._busy

    def stop(self) -> None:
        self._stop_asked = True
        self.join(timeout=5)

    def run(self) -> None:
        due_s = time.monotonic()
        while not self._stop_asked:
            for door in self.doors.values():
                self._show(door)
            due_s = max(due_s + 1 / self.fps, time.monotonic() - 1)
            time.sleep(max(0.0, due_s - time.monotonic()))

    def _play(self, door: Door) -> Iterator[tuple[str | None, str, Shot]]:
        while True:
            end_s = time.monotonic() + self._rng.uniform(*EMPTY_S)
            while time.monotonic() < end_s or not self._open or (employee := self._somebody(door.name)) is None:
                yield None, "empty", self._rng.choice(self.footage.empty)
            self._busy.add(employee)
            stand_s = self._rng.uniform(*self._rng.choices(STAND_S, WEIGHTS)[0])
            for part, shot in _visit(self.footage.people[employee], round(stand_s * self.fps) + 1):
                yield employee, part, shot

    def _somebody(self, door: str) -> str | None:
        now_s = time.time()
        free = [
            employee
            for employee in self.footage.people
            if employee not in self._busy and now_s - self._left_s.get((employee, door), 0.0) > self.apart_s
        ]
        return self._rng.choice(free) if free else None

    def _show(self, door: Door) -> None:
        employee, part, shot = next(door.playing)
        target = door.folder / "now.jpg"
        self._note_read(door, target)
        draft = door.folder.with_suffix(".draft")
        draft.write_bytes(shot.jpeg)
        os.replace(draft, target)
        now_s = time.time()
        if employee != door.employee:
            self._end_visit(door, now_s)
            door.employee, door.shown = employee, []
        if employee is not None:
            door.shown.append((now_s, part, shot.good))

    def _note_read(self, door: Door, target: Path) -> None:
        """Linux writes down the first reading of each file (relatime); where it doesn't, these figures stay empty."""
        try:
            status = target.stat()
        except FileNotFoundError:
            return
        if status.st_atime_ns > status.st_mtime_ns:
            door.reads.append(status.st_atime_ns / 1e9)

    def _end_visit(self, door: Door, now_s: float) -> None:
        if door.employee is None:
            return
        standing = [(at_s, good) for at_s, part, good in door.shown if part == "standing"]
        self.visits.append(
            Visit(
                door.employee,
                door.name,
                came_s=door.shown[0][0],
                stood_s=standing[0][0],
                turned_s=standing[-1][0],
                left_s=now_s,
                good_s=tuple(at_s for at_s, good in standing if good),
            )
        )
        self._left_s[door.employee, door.name] = now_s
        self._busy.discard(door.employee)


def _visit(clip: Clip, standing: int) -> Iterator[tuple[str, Shot]]:
    yield from (("arriving", shot) for shot in clip.arriving)
    there_and_back = clip.standing + clip.standing[-2:0:-1]
    yield from (("standing", there_and_back[number % len(there_and_back)]) for number in range(standing))
    yield from (("leaving", shot) for shot in clip.leaving)
