"""Networks on the CPU, by OpenVINO: converted once, kept in a cache, run from several threads."""

import functools
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# OpenVINO's converter reports its use to the vendor without asking. With the reporter absent it takes its own stub.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
import openvino  # noqa: E402

SHAPES_KEPT = 64
"""Input shapes whose kernels OpenVINO keeps ready. Its own 5,000 let memory creep up for as long as sizes vary, and aren't
measurably faster."""


class CpuNetwork:
    """A compiled network: (n, 3, h, w) float32 in, one or more float32 arrays out. Safe to call from several threads.

    It computes in float32 unless `bf16` is asked for and the processor has instructions for it.
    """

    def __init__(self, model: Path | Any, input_shape: list[int], threads: int, bf16: bool = False) -> None:
        self.file, self.input_shape = model if isinstance(model, Path) else None, input_shape
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 and has_bf16() else "f32",
            # Pinned threads of two processes share one core, however many are free.
            "ENABLE_CPU_PINNING": "NO",
            "CPU_RUNTIME_CACHE_CAPACITY": str(SHAPES_KEPT),
        }
        self._compiled = _core().compile_model(shaped(model, input_shape), "CPU", options)
        self._local = threading.local()

    def all(self, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Every output of the network, in its order."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        answers = request.infer({0: np.ascontiguousarray(pictures, dtype=np.float32)})
        return [np.array(answers[i], dtype=np.float32) for i in range(len(self._compiled.outputs))]

    def __call__(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first output."""
        return self.all(pictures)[0]


@functools.cache
def _core() -> openvino.Core:
    """One for the whole process, never let go of.

    Each Core gives its thread a stack for signals and takes it away at its end, whatever came after it: with two of them,
    ended in the order in which they were made, the next signal (SIGTERM, a child's end) finds no stack and kills us.
    """
    return openvino.Core()


def shaped(model: Path | Any, input_shape: list[int]) -> Any:
    """The openvino.Model, read where a file is given, that takes one input of that shape."""
    read = _core().read_model(model) if isinstance(model, Path) else model
    read.reshape({read.inputs[0]: input_shape})
    return read


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 (AVX-512 BF16, AMX): elsewhere OpenVINO would only imitate it."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def converted_file(network: torch.nn.Module, input_shape: list[int], path: Path) -> Path:
    """`path` (.xml), written from a torch network on the first call and put in place whole."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # OpenVINO still traces by torch.jit
            model = openvino.convert_model(network, example_input=torch.zeros(input_shape))
        draft = path.with_name(f"{path.stem}-{os.getpid()}.xml")
        openvino.save_model(model, draft, compress_to_fp16=False)
        os.replace(draft.with_suffix(".bin"), path.with_suffix(".bin"))
        os.replace(draft, path)
    return path
