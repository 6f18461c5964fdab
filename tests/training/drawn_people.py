"""Drawn "faces" and a tiny recogniser for tests: nothing real, nothing slow."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.embedder import NetworkEmbedder
from worker.protocol.bundle import ModelInfo, Threshold

ALPHA = 10.0
SIDE_PX = 64


class TinyEmbedder(NetworkEmbedder):
    """Templates from a fixed random projection of the chip shrunk to 8×8: alike pictures are near, as they should be."""

    def __init__(self) -> None:
        self.info = ModelInfo(
            id="sface-0123456789ab",
            architecture="sface",
            input_px=32,
            crop="five-points",
            alpha=ALPHA,
            weights_sha256="0" * 64,
            licence="none",
            thresholds=[
                Threshold(false_match_rate=1e-2, distance=6.0),
                Threshold(false_match_rate=1e-3, distance=4.0),
            ],
            threshold_source="made up",
        )
        self.embedded = 0
        self._projection = np.random.default_rng(7).normal(size=(8 * 8 * 3, 128)).astype(np.float32)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.embedded += len(chips)
        small = np.stack([cv2.resize(chip, (8, 8), interpolation=cv2.INTER_AREA) for chip in chips])
        return (small.reshape(len(chips), -1).astype(np.float32) - 128) @ self._projection


def drawn_face(person: int, take: int) -> NDArray[np.uint8]:
    """(64, 64, 3): coarse patches by person, with a little noise by take. No detector takes it for a face."""
    patches = np.random.default_rng(person).integers(0, 256, (6, 6, 3))
    picture = cv2.resize(patches.astype(np.uint8), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_NEAREST)
    noise = np.random.default_rng([person, take]).normal(0, 12, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def write_people(root: Path, takes: dict[str, int]) -> Path:
    """LFW's layout: NAME/NAME_0001.png … for each name as many pictures as it says."""
    for person, (name, count) in enumerate(takes.items()):
        (root / name).mkdir(parents=True)
        for take in range(1, count + 1):
            cv2.imwrite(str(root / name / f"{name}_{take:04d}.png"), drawn_face(person, take))
    return root
