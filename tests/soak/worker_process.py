"""One real worker process (MTCNN and SFace, detecting on a small scale to be cheap), doors that feed it, and its figures."""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data

from tests.conftest import RedisPair
from tests.worker.fakes import Publisher, announce, person, until
from worker import sface
from worker.protocol import heartbeats, keys
from worker.protocol.connection import Client, connect
from worker.protocol.entries import Feedback, Frame, as_any

ROOT = Path(__file__).parents[2]
ANSWER_WAIT_S = 60.0
WIDTHS_PX = (64, 1600)
POOL = 240


@dataclass
class Figures:
    """Of the process, from /proc."""

    memory_mb: float
    threads: int
    files: int


@dataclass
class WorkerProcess:
    process: "subprocess.Popen[bytes]"
    log_path: Path

    def figures(self) -> Figures:
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
        return Figures(
            int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]), len(list((folder / "fd").iterdir()))
        )

    def alive(self) -> bool:
        return self.process.poll() is None


@contextmanager
def real_worker(pair: RedisPair, folder: Path, **settings: object) -> Iterator[WorkerProcess]:
    """A ready worker with one person in its gallery; ends with the block."""
    Publisher(pair.ledger, model_id=sface.info().id).reset(person(1))
    chosen = {"name": "w1", "detect_width_px": 320, "min_face_px": 32, "batch_size": 4, "threads": 1} | settings
    environment = {f"ATTENDANCE_WORKER_{name.upper()}": str(value) for name, value in chosen.items()}
    environment |= {"ATTENDANCE_HOME": str(folder), "PYTHONPATH": str(ROOT), "ATTENDANCE_LOG_LEVEL": "warning"}
    log_path = folder / "worker.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "worker"],
            env=os.environ | pair.environment() | environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: any(beat.data.get("ready") for beat in heartbeats.read(pair.live, "s0", "worker")), timeout_s=180)
        yield WorkerProcess(process, log_path)
    finally:
        process.terminate()
        process.wait(30)


def picture_pool() -> list[tuple[bytes, int, int]]:
    """JPEGs of 64 to 1,600 px width with the portrait at some place and scale, or nobody: (bytes, width, height)."""
    rng = np.random.default_rng(4)
    portrait = cv2.cvtColor(np.asarray(skimage.data.astronaut(), np.uint8), cv2.COLOR_RGB2BGR)
    pool = []
    for number in range(POOL):
        width = int(rng.integers(*WIDTHS_PX))
        height = max(48, int(width * rng.uniform(0.5, 1.0)))
        canvas = cv2.resize(rng.integers(60, 180, (8, 8, 3), dtype=np.uint8), (width, height))
        if number % 3:
            side = max(32, int(height * rng.uniform(0.5, 1.0)))
            side, left = min(side, width), int(rng.integers(0, max(1, width - min(side, width))))
            canvas[height - side :, left : left + side] = cv2.resize(portrait, (side, side))
        pool.append((cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes(), width, height))
    return pool


@dataclass
class Doors:
    """Kiosks in a closed loop: each sends a frame, and the next when all were answered or dropped."""

    live: Client
    names: list[str]
    seq: int = 0
    last: dict[str, Any] = field(default_factory=dict)
    latency_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def frame(self, picture: tuple[bytes, int, int]) -> dict[str, bytes]:
        jpeg, width, height = picture
        return Frame(
            seq=self.seq, width=width, height=height, age_ms=0, deadline_ms=60_000, presence="p", jpeg=jpeg
        ).to_fields()

    def round(self, entries: Mapping[str, Mapping[Any, bytes]], worker: WorkerProcess) -> None:
        """Send one entry per door and wait for an answer to each; an AssertionError when one doesn't come."""
        announce(self.live, *self.names)
        sent_s = time.monotonic()
        for name, fields in entries.items():
            frame_fields = as_any(fields)  # type: ignore[arg-type]
            self.live.xadd(keys.frames("s0", name), frame_fields, maxlen=keys.FRAMES_KEPT, approximate=False)
        waiting = set(entries)
        while waiting:
            streams = {keys.feedback("s0", name): self.last.get(name, "0-0") for name in waiting}
            for key, answers in self.live.xread(streams, block=1_000) or []:
                name = key.decode().rsplit(":", 1)[1]
                for entry_id, fields in answers:
                    self.last[name] = entry_id
                    self.outcomes[Feedback.from_fields(fields).outcome] += 1
                    self.latency_ms[name].append((time.monotonic() - sent_s) * 1e3)
                waiting.discard(name)
            assert worker.alive(), worker.log_path.read_text()[-3_000:]
            assert time.monotonic() - sent_s < ANSWER_WAIT_S, f"no answer to {waiting}"
        self.seq += 1


def doors(pair: RedisPair, count: int) -> Doors:
    return Doors(connect(pair.live_server.url(), name="doors"), [f"door-{i}" for i in range(count)])


def percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")


def typical(figures: list[Figures]) -> Figures:
    """The medians: one odd sample says nothing."""
    return Figures(
        statistics.median(one.memory_mb for one in figures),
        round(statistics.median(one.threads for one in figures)),
        round(statistics.median(one.files for one in figures)),
    )
