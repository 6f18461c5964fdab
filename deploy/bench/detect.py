"""The obvious stack against ours on the same frames: facenet-pytorch's MTCNN with its defaults and the ResNet-50 in torch.

Base line and product take turns over several rounds in one process, so that whatever else the machine does meets both;
the speed-up is the median of the rounds' ratios.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from deploy.bench import scene
from deploy.bench.embed import RANDOM, baseline_embed, random_embedder, random_network
from worker.decision import Match, Rules, cast_vote
from worker.detector import Detector, Face
from worker.engine import Engine
from worker.network import INPUT_PX
from worker.protocol.outcomes import Outcome
from worker.settings import WorkerSettings
from worker.tracks import COMPARED_EVERY_MS, Track

ROUNDS, FRAMES_A_ROUND = 5, 20
Image = NDArray[np.uint8]


class Baseline:
    """Detect with the defaults (smallest face 20 px), cut out every face, embed it; frame after frame."""

    def __init__(self) -> None:
        self.mtcnn = MTCNN(image_size=INPUT_PX, margin=44, keep_all=True, post_process=False)
        self.network = random_network()

    def look(self, frame: Image) -> int:
        """Faces answered with a box and a template."""
        with torch.inference_mode():
            boxes, _ = self.mtcnn.detect(frame)
        if boxes is None:
            return 0
        return len(baseline_embed(self.network, torch.stack(self._cut(frame, boxes))))

    def _cut(self, frame: Image, boxes: NDArray[np.float32]) -> list[torch.Tensor]:
        return list(self.mtcnn.extract(frame, boxes, None))


class Ours:
    """The worker's engine, asked as the pipeline asks it: somebody accepted is embedded anew every 0.4 s."""

    def __init__(self, home: Path, device: str, threads: int) -> None:
        settings = WorkerSettings(home=home, device="cuda" if device == "cuda" else "cpu", threads=threads)
        self.engine = Engine(settings, random_embedder(home, device, threads))
        self.rules = Rules(1.0, 0.0, settings.votes_needed, settings.votes_kept)
        self.detect_ms: list[float] = []
        self.embed_ms: list[float] = []
        self.embedded = 0
        self.restart()

    def restart(self) -> None:
        """Somebody else stands there."""
        self.track: Track | None = None

    def look(self, frame: Image, captured_ms: int) -> int:
        """Faces answered with a box. The nearest one's track gets its template when one is due."""
        (sight,), stages = self.engine.look([frame], lambda _, face: self._due(face, captured_ms))
        self.detect_ms.append(stages["detect"])
        self.embed_ms.append(stages["embed"])
        if not sight.faces:
            return 0
        box = sight.faces[0].box
        if self.track is None:
            self.track = Track(self.rules, "bench", box, captured_ms, captured_ms)
        self.track.see(box, captured_ms, Outcome.DECIDING)
        if sight.template is not None:
            self.embedded += 1
            # Random weights recognise nobody: the vote is made up, so that the track goes the way of an accepted one.
            vote = cast_vote(Match("E001", 0.5, 1.0), captured_ms, self.rules)
            if self.track.vote(vote, sight.template).outcome is Outcome.ACCEPTED and self.track.accepted_id is None:
                self.track.accept("E001", captured_ms)
        return len(sight.faces)

    def _due(self, face: Face, captured_ms: int) -> bool:
        return self.track is None or not self.track.known_still(face.box, captured_ms)


def measure(
    home: Path, device: str, threads: int, rounds: int = ROUNDS, frames: int = FRAMES_A_ROUND
) -> dict[str, Any]:
    """Frames a second of both at each size, and their ratio."""
    torch.set_num_threads(threads)
    small = scene.standing(frames // 2)
    ours, baseline = Ours(home, device, threads), Baseline()
    by_size = {
        size: _compare(ours, baseline, [scene.at_size(picture, size) for picture in small], rounds)
        for size in scene.SIZES
    }
    first = by_size["640x480"]
    return {
        "baseline_fps": first["baseline_fps"],
        "fps": first["fps"],
        "speedup": first["speedup"],
        "by_size": by_size,
        "weights": RANDOM,
        "threads": threads,
        "compared_every_ms": COMPARED_EVERY_MS,
        "frames_per_s_of_the_scene": scene.FPS,
    }


def _compare(ours: Ours, baseline: Baseline, frames: Sequence[Image], rounds: int) -> dict[str, Any]:
    baseline.look(frames[0])
    ours.look(frames[0], 0)
    ours.detect_ms, ours.embed_ms, ours.embedded = [], [], 0
    ratios, fps, baseline_fps, faces, baseline_faces = [], [], [], 0, 0
    for _ in range(rounds):
        started = time.perf_counter()
        baseline_faces += sum(baseline.look(frame) > 0 for frame in frames)
        between = time.perf_counter()
        faces += _walk(ours, frames)
        ended = time.perf_counter()
        baseline_fps.append(len(frames) / (between - started))
        fps.append(len(frames) / (ended - between))
        ratios.append(fps[-1] / baseline_fps[-1])
    looked = rounds * len(frames)
    return {
        "baseline_fps": round(float(np.median(baseline_fps)), 2),
        "fps": round(float(np.median(fps)), 2),
        "speedup": round(float(np.median(ratios)), 2),
        "speedup_rounds": [round(ratio, 2) for ratio in ratios],
        "frames": looked,
        "frames_with_boxes": faces,
        "baseline_frames_with_boxes": baseline_faces,
        "detect_ms": round(float(np.median(ours.detect_ms)), 2),
        "embed_ms_a_frame": round(float(np.mean(ours.embed_ms)), 2),
        "embedded_share": round(ours.embedded / looked, 3),
    }


def _walk(ours: Ours, frames: Sequence[Image]) -> int:
    """Frames that were answered with a box; the second half shows another person, whose track begins anew."""
    answered = 0
    for number, frame in enumerate(frames):
        if number in (0, len(frames) // 2):
            ours.restart()
        answered += ours.look(frame, round(number * 1000 / scene.FPS)) > 0
    return answered


def product_detector(home: Path, device: str, threads: int) -> Detector:
    settings = WorkerSettings(home=home, threads=threads)
    return Detector(settings.cache, device, settings.detect_width_px, settings.min_face_px, threads)
