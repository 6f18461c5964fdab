"""The ResNet-50 with random weights, for this benchmark only: its cost doesn't depend on what it has learnt."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from deploy.bench.figures import median_ms
from training.export import write_bundle
from worker import recogniser
from worker.embedder import BundleEmbedder
from worker.network import IMAGENET_MEAN, IMAGENET_STD, INPUT_PX, ResNetTriplet, build
from worker.protocol.bundle import Threshold
from worker.settings import WorkerSettings

RANDOM = "random, bench only"
BATCHES = (1, 4, 16)


def random_network() -> ResNetTriplet:
    torch.manual_seed(0)
    return build().eval()


def random_embedder(home: Path, device: str, threads: int) -> BundleEmbedder:
    """The product's own way of serving a bundle, with a bundle that is deleted with its folder."""
    folder = home / "random-bundle"
    if not folder.exists():
        thresholds = [Threshold(false_match_rate=1e-3, distance=1.0)]
        words = {"thresholds": thresholds, "threshold_source": RANDOM, "licence": RANDOM, "card": RANDOM}
        write_bundle(random_network(), folder, **words)  # type: ignore[arg-type]
    return BundleEmbedder(folder, device, home / "cache", threads)


def baseline_embed(network: ResNetTriplet, chips: torch.Tensor) -> torch.Tensor:
    """float32 in torch; chips (n, 3, 224, 224) of 0 to 255, as facenet-pytorch cuts them."""
    mean, std = torch.tensor(IMAGENET_MEAN)[:, None, None], torch.tensor(IMAGENET_STD)[:, None, None]
    with torch.inference_mode():
        answer: torch.Tensor = network((chips / 255 - mean) / std)
        return answer


def measure(home: Path, device: str, threads: int, rounds: int = 15) -> dict[str, Any]:
    """ms a face: the serving recogniser, the ResNet-50 as the product serves it and as the base line does."""
    torch.set_num_threads(threads)
    settings = WorkerSettings(home=home, device="cuda" if device == "cuda" else "cpu", threads=threads)
    random = np.random.default_rng(0)
    serving, ours, network = recogniser.load(settings), random_embedder(home, device, threads), random_network()
    figures: dict[str, dict[str, float]] = {serving.info.architecture: {}, "resnet50": {}, "resnet50_baseline": {}}
    for batch in BATCHES:
        for embedder, name in ((serving, serving.info.architecture), (ours, "resnet50")):
            sizes = [(one.px, one.px, 3) for one in embedder.inputs]
            chips = [tuple(random.integers(0, 255, size, dtype=np.uint8) for size in sizes) for _ in range(batch)]
            figures[name][str(batch)] = round(median_ms(lambda e=embedder, c=chips: e.embed(c), rounds) / batch, 2)  # type: ignore[misc]
        tensor = torch.rand(batch, 3, INPUT_PX, INPUT_PX) * 255
        took = median_ms(lambda t=tensor: baseline_embed(network, t), max(3, rounds // 3))  # type: ignore[misc]
        figures["resnet50_baseline"][str(batch)] = round(took / batch, 2)
    return {"embed_ms": figures}
