"""The thesis network before any training: what its rows look like when it knows nothing. It is never served."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from worker.embedder import PictureEmbedder, imagenet_normalised
from worker.network import ALPHA, INPUT_PX, PARAMETERS_OF, build
from worker.openvino_cpu import CpuNetwork, converted_file
from worker.protocol.bundle import ModelInfo

NAME = "resnet50-random"
SEED = 0


class RandomEmbedder(PictureEmbedder):
    """Weights from a fixed seed, aligned faces, OpenVINO on the CPU. There is no bundle of it and no threshold."""

    def __init__(self, cache: Path, threads: int, bf16: bool = True, architecture: str = "resnet50-triplet") -> None:
        self.info = info(architecture)
        shape = [1, 3, INPUT_PX, INPUT_PX]
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            network = build(architecture).eval()
        path = converted_file(network, shape, cache / f"{self.info.id}.xml")
        self.network = CpuNetwork(path, [-1, *shape[1:]], threads, bf16)

    def prepare(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return imagenet_normalised(chips)


def info(architecture: str) -> ModelInfo:
    """Metadata without a threshold, which no model.json may lack."""
    digest = hashlib.sha256(f"{architecture} seed {SEED} torch {torch.__version__}".encode()).hexdigest()
    fields: dict[str, Any] = {
        "id": f"{architecture.removesuffix('-triplet')}-random-{digest[:12]}",
        "architecture": architecture,
        "parameters": PARAMETERS_OF[architecture],
        "input_px": INPUT_PX,
        "crop": "five-points",
        "alpha": ALPHA,
        "weights_sha256": digest,
        "licence": "none",
        "thresholds": [],
        "threshold_source": "none: never calibrated",
    }
    return ModelInfo.model_construct(**fields)
