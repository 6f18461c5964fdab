"""Networks on the CPU by OpenVINO, which measured faster here than ONNX Runtime and torch (docs/performance.md)."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray


class CpuNetwork:
    """A compiled network: (n, 3, h, w) float32 in, (n, 128) float32 out. Safe to call from several threads."""

    def __init__(self, model: Path | Any, input_shape: list[int], threads: int) -> None:
        core = openvino.Core()
        read = core.read_model(model) if isinstance(model, Path) else model
        read.reshape({read.inputs[0]: input_shape})
        self._compiled = core.compile_model(
            read,
            "CPU",
            {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"},
        )
        self._local = threading.local()

    def __call__(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        return np.array(request.infer({0: np.ascontiguousarray(pictures, dtype=np.float32)})[0], dtype=np.float32)
