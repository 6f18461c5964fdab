"""More than one worker can take: every door has somebody in front of it all the time, and two workers share them out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.bench import kiosks, scene, site
from deploy.bench.load import Planned, Player

KIOSKS = 16
SECONDS = 15.0


def measure(home: Path, threads: int, device: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Answered frames a second of one worker with one thread, of two of them, and of one worker with all threads."""
    visits, rows = kiosks.all_visits(), []
    for count, each in dict.fromkeys([(1, 1), (2, 1), (1, threads)]):
        with site.running(home / f"workers-{count}-{each}", each, device, count) as running:
            played = Player(running.live_url, running.shard).play(list(plan(KIOSKS, visits, seconds)))
        rows.append(
            {
                "workers": count,
                "threads": each,
                "kiosks": KIOSKS,
                "answered_fps": round(len(played.answers) / seconds, 1),
                **played.row(seconds),
            }
        )
    return {"workers": rows}


def plan(n: int, visits: Sequence[Sequence[bytes]], seconds: float) -> Iterator[Planned]:
    """n kiosks with 10 frames a second each, one visit after the other, the kiosks spread over the tenth of a second."""
    pictures = [jpeg for visit in visits for jpeg in visit]
    for number in range(round(seconds * scene.FPS)):
        for door in range(n):
            at_s = number / scene.FPS + door / n / scene.FPS
            yield Planned(at_s, f"bench-{door}", pictures[(number + door * len(pictures) // n) % len(pictures)])
