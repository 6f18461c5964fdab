"""What a recogniser costs on this machine's CPU: milliseconds a face, size, and what a lower precision does to templates.

The detector isn't part of it. Times are medians, from an aligned picture in memory to its template.
"""

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from training import dlib_model, precision, random_model
from training.evaluated_model import open_evaluated
from training.outcome import Outcome
from training.precision import BF16, F32, INT8
from worker import sface
from worker.embedder import Chips, Embedder
from worker.named_models import folder_of, name_of_part
from worker.openvino_cpu import has_bf16
from worker.protocol.bundle import INFO, ONNX, WEIGHTS, read_info

BATCH = 8
WARM_UP, REPETITIONS = 3, 20
CHIPS = 32
"""Whose templates are compared between precisions."""


def measure(
    name: str,
    *,
    cache: Path,
    threads: int = 0,
    data: Path | None = None,
    seed: int = 0,
    int8_faces: Path | None = None,
) -> Outcome:
    """Of `sface`, a bundle's folder, or a comparison model; faces come from `data` where it is given, else they are noise.

    int8 is measured where `int8_faces` are given, by which it finds its ranges.

    Raises BadBundle, BadData, BadPicture.
    """
    threads = threads or os.cpu_count() or 1
    served = open_evaluated(name, cache=cache, threads=threads, device="cpu")
    chips = precision.chips_below(data, served, cache, threads, CHIPS) if data else _noise(served, seed)
    models = {F32: open_evaluated(name, cache=cache, threads=threads, device="cpu", bf16=False)}
    if name != dlib_model.NAME and has_bf16():
        models[BF16] = open_evaluated(name, cache=cache, threads=threads, device="cpu", bf16=True)
    if int8_faces is not None:
        models[INT8] = precision.open_in(INT8, name, cache=cache, threads=threads, faces=int8_faces)
    templates = {name: model.embed(chips) for name, model in models.items()}
    return Outcome(
        {
            "threads": threads,
            "has_bf16": has_bf16(),
            "parameters": parameters(served, cache),
            "weights_bytes": weights_bytes(name),
            "chips": f"{len(chips)} faces below {data}" if data else f"{len(chips)} pictures of noise",
            "precisions": {
                name: _speed(model, chips) | difference(templates[F32], templates[name], model.info.alpha)
                for name, model in models.items()
            },
            "model_id": served.info.id,
        }
    )


def difference(exact: NDArray[np.float32], other: NDArray[np.float32], alpha: float) -> dict[str, float]:
    """The largest between two precisions' templates of the same faces: as cosine, angle, and in the thresholds' unit."""
    a, b = exact.astype(np.float64), other.astype(np.float64)
    distance = float(np.linalg.norm(a - b, axis=1).max())
    half = min(1.0, distance / (2 * alpha))
    return {
        "smallest_cosine": 1 - 2 * half**2,
        "largest_angle_degrees": float(np.degrees(2 * np.arcsin(half))),
        "largest_distance": distance,
    }


def parameters(model: Embedder, cache: Path) -> int | None:
    """As model.json says, or the numbers in SFace's file; None where it isn't known."""
    if model.info.parameters is None and model.info.architecture == "sface":
        weights = onnx.load(sface.folded_file(cache)).graph.initializer
        return sum(int(np.prod(part.dims)) for part in weights)
    return model.info.parameters


def weights_bytes(name: str) -> int | None:
    """On disk, as they are shipped; of a fusion, of both parts. None for weights that lie nowhere. Raises BadBundle."""
    if name == random_model.NAME:
        return None
    if name == dlib_model.NAME:
        return dlib_model.find_weights().stat().st_size
    folder = folder_of(name)
    if folder is None:
        return sface.find_file().stat().st_size
    info = read_info(folder / INFO)
    if info.parts:
        return sum(weights_bytes(name_of_part(part)) or 0 for part in info.parts)
    return sum(path.stat().st_size for file in (WEIGHTS, ONNX) if (path := folder / file).is_file())


def _speed(model: Embedder, chips: Sequence[Chips]) -> dict[str, float]:
    one, batch = [chips[0]], [chips[i % len(chips)] for i in range(BATCH)]
    single_s, batch_s = _median_s(model, one), _median_s(model, batch)
    return {
        "ms_one_face": single_s * 1e3,
        f"ms_a_face_in_batches_of_{BATCH}": batch_s * 1e3 / BATCH,
        f"faces_a_second_in_batches_of_{BATCH}": BATCH / batch_s,
    }


def _median_s(model: Embedder, chips: Sequence[Chips]) -> float:
    for _ in range(WARM_UP):
        model.embed(chips)
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        model.embed(chips)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _noise(model: Embedder, seed: int) -> list[Chips]:
    rng = np.random.default_rng(seed)
    sizes = [(one.px, one.px, 3) for one in model.inputs]
    return [tuple(rng.integers(0, 256, size).astype(np.uint8) for size in sizes) for _ in range(CHIPS)]
