"""Bundles whose files belong together, small enough for tests of their way; only a real network takes real weights."""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from worker.protocol.bundle import CARD, INFO, ONNX, WEIGHTS, ModelInfo, expected_id, file_sha256, fusion_id, model_id


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


def small_fusion(folder: Path, parts: Sequence[str], weight: float = 0.5, /, **changes: object) -> dict[str, object]:
    """A fusion's only needed file in `folder`, which is made; also what it says."""
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, object] = {
        "id": fusion_id(parts, weight, 10.0),
        "architecture": "fusion",
        "parts": list(parts),
        "weight": weight,
        "alpha": 10.0,
        "embedding_size": 256,
        "licence": "none",
        "thresholds": [{"false_match_rate": 1e-3, "distance": 10.0}],
        "threshold_source": "made up for tests",
    } | changes
    (folder / INFO).write_text(json.dumps({name: value for name, value in values.items() if value is not ...}))
    return values


def small_onnx(folder: Path, px: int = 32, numbers: int = 6, **changes: object) -> dict[str, object]:
    """An ONNX bundle whose network averages each channel over the face and turns the three means into `numbers`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = np.random.default_rng(3).normal(size=(3, numbers)).astype(np.float32)
    write_onnx(folder / ONNX, mean_network(px, weights))
    return onnx_info(folder, px, numbers, **changes)


def onnx_info(folder: Path, px: int = 32, numbers: int = 6, **changes: object) -> dict[str, object]:
    """model.json for the model.onnx that lies in `folder`, with the id that follows unless `changes` has another."""
    values: dict[str, object] = {
        "id": "onnx-000000000000",
        "architecture": "onnx",
        "input_px": px,
        "crop": "five-points",
        "channels": "RGB",
        "mean": [127.5],
        "std": [128.0],
        "alpha": 10.0,
        "embedding_size": numbers,
        "weights_sha256": file_sha256(folder / ONNX),
        "licence": "none",
        "thresholds": [{"false_match_rate": 1e-3, "distance": 10.0}],
        "threshold_source": "made up for tests",
    } | changes
    values = {name: value for name, value in values.items() if value is not ...}
    if "id" not in changes:
        with contextlib.suppress(ValueError):  # where the test wants something unfit, no id follows
            values["id"] = expected_id(ModelInfo.model_validate(values))
    (folder / INFO).write_text(json.dumps(values))
    return values


def mean_network(px: int, weights: NDArray[np.float32], out: Sequence[int | str] | None = None) -> onnx.ModelProto:
    """(n, 3, px, px) to (n, numbers): channel means times `weights`, a constant in the file."""
    nodes = [
        onnx.helper.make_node("GlobalAveragePool", ["picture"], ["pooled"]),
        onnx.helper.make_node("Flatten", ["pooled"], ["means"]),
        onnx.helper.make_node("MatMul", ["means", "weights"], ["template"]),
    ]
    shape = ["n", weights.shape[1]] if out is None else list(out)
    graph = onnx.helper.make_graph(
        nodes,
        "tiny",
        [onnx.helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, ["n", 3, px, px])],
        [onnx.helper.make_tensor_value_info("template", onnx.TensorProto.FLOAT, shape)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)


def write_onnx(path: Path, model: onnx.ModelProto) -> None:
    path.write_bytes(model.SerializeToString())
