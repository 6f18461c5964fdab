"""Many doors, one building: 1, 4, 16 and 64 simulated kiosks with the same few people a minute, one worker."""

from collections.abc import Sequence
from typing import Any

import cv2

from deploy import demo_scene
from deploy.bench import scene
from deploy.bench.load import Planned, Player
from deploy.bench.site import BenchSite
from kiosk.settings import KioskSettings

COUNTS = (1, 4, 16, 64)
SECONDS = 30.0
ARRIVAL_EVERY_S = 4.0
"""Somebody walks up to one of the doors this often, the doors taking turns; each stays about 7 s, so two are in view."""
VISIT_MS = 7_000


def measure(site: BenchSite, counts: Sequence[int] = COUNTS, seconds: float = SECONDS) -> dict[str, Any]:
    """For each number of kiosks: p95 in ms, frames without an answer, and how evenly answers were shared out."""
    visits = all_visits()
    empty = _jpeg(next(scene.empty_frames(1)))
    player = Player(site.live_url, site.shard)
    rows = []
    for n in counts:
        played = player.play(plan(n, visits, empty, seconds))
        rows.append(
            {"n": n, "drops": played.drops, "offered": sum(played.offered.values()), **played.row(seconds)},
        )
    return {"kiosks": rows}


def plan(n: int, visits: Sequence[Sequence[bytes]], empty: bytes, seconds: float) -> list[Planned]:
    """What n kiosks send: 10 frames a second while somebody is there and 3 s longer, else one in two seconds."""
    settings = KioskSettings(name="bench")
    busy: dict[int, list[tuple[float, float]]] = {door: [] for door in range(n)}
    planned: dict[tuple[int, int], Planned] = {}
    for arrival in range(int(seconds / ARRIVAL_EVERY_S)):
        door, pictures = arrival % n, visits[arrival % len(visits)]
        begins_s = arrival * ARRIVAL_EVERY_S
        held = [*pictures, *[empty] * round(settings.gate_hold_s * scene.FPS)]
        busy[door].append((begins_s, begins_s + len(held) / scene.FPS))
        for i, jpeg in enumerate(held):
            at_s = begins_s + i / scene.FPS + _offset_s(door, n)
            if at_s < seconds and (jpeg is not empty or (door, round(at_s * scene.FPS)) not in planned):
                planned[door, round(at_s * scene.FPS)] = Planned(at_s, f"bench-{door}", jpeg)
    idle = []
    for door in range(n):
        at_s = settings.idle_interval_s * door / n
        while at_s < seconds:
            if not any(begins_s <= at_s < ends_s for begins_s, ends_s in busy[door]):
                idle.append(Planned(at_s, f"bench-{door}", empty))
            at_s += settings.idle_interval_s
    return [*planned.values(), *idle]


def _offset_s(door: int, n: int) -> float:
    """Kiosks don't take their pictures at the same moment."""
    return door / n / scene.FPS


def all_visits() -> list[list[bytes]]:
    """The pictures of each visit of the demo's scene, as JPEG."""
    return [_jpegs(visit) for visit in demo_scene.timeline()]


def _jpegs(visit: demo_scene.Visit) -> list[bytes]:
    from_ms = visit.stands_from_ms - 2_000
    return [_jpeg(picture) for picture in scene.visit_frames(visit, from_ms, from_ms + VISIT_MS)]


def _jpeg(picture: scene.Image) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
