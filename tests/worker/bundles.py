"""Bundles whose files belong together, small enough for tests of their way; only a real network takes real weights."""

import hashlib
import json
from pathlib import Path

import numpy as np

from worker.protocol.bundle import CARD, INFO, WEIGHTS, ModelInfo, model_id


def small_bundle(folder: Path, seed: int = 1, size: int = 2_500_000, alpha: float = 10.0) -> ModelInfo:
    """A bundle's three files in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = np.random.default_rng(seed).bytes(size)
    digest = hashlib.sha256(weights).hexdigest()
    values = {
        "id": model_id("resnet50-triplet", digest, 224, "mtcnn-margin", alpha),
        "architecture": "resnet50-triplet",
        "parameters": 36_353_216,
        "input_px": 224,
        "crop": "mtcnn-margin",
        "alpha": alpha,
        "weights_sha256": digest,
        "licence": "none",
        "thresholds": [{"false_match_rate": 1e-3, "distance": 10.0}, {"false_match_rate": 1e-4, "distance": 9.0}],
        "threshold_source": "made up for tests",
    }
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_text("# Model card\n")
    (folder / INFO).write_text(json.dumps(values))
    return ModelInfo.model_validate(values)
