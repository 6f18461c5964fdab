"""SFace opened at four depths: a teacher whose inner maps can be learnt, and not only its answer.

A 112 px chip leaves SFace's stages at 56, 28, 14 and 7 positions a side, as a 224 px chip leaves a ResNet's: each stage
of the student has a map of the same places to learn (Romero et al. 2015, hints), thousands of numbers a picture where the
answer has 128.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from worker import sface
from worker.openvino_cpu import CpuNetwork

TAPS = ("conv_4_relu", "conv_6_relu", "conv_12_relu", "bn1")
"""SFace's outputs at 56, 28, 14 and 7 positions a side; the last is what its linear layer sees."""
PLANES = (128, 256, 512, 1024)
ANSWER = "fc1"


@dataclass(frozen=True)
class Answer:
    """A linear layer's weight (128, 1024·7·7) and bias (128,), the batch norm behind it folded in."""

    weight: Tensor
    bias: Tensor


class FeatureTeacher:
    """Calling it with (n, 3, 112, 112) RGB 0–255 gives the embeddings (n, 128), of any length, and the four maps."""

    def __init__(self, cache: Path, threads: int, bf16: bool = True) -> None:
        self._network = CpuNetwork(tapped_file(cache), [-1, 3, sface.INPUT_PX, sface.INPUT_PX], threads, bf16)

    def __call__(self, chips: NDArray[np.uint8]) -> tuple[Tensor, list[Tensor]]:
        answers = self._network.all(chips.astype(np.float32))
        embeddings, *maps = (torch.from_numpy(answer) for answer in answers)
        return embeddings, maps


def tapped_file(cache: Path) -> Path:
    """Path of SFace with the maps of TAPS behind its answer, made once."""

    def tapped() -> onnx.ModelProto:
        model = onnx.load(sface.folded_file(cache))
        for tap in TAPS:
            model.graph.output.append(onnx.helper.make_tensor_value_info(tap, onnx.TensorProto.FLOAT, None))
        return model

    return sface.kept_file(cache / f"{sface.info().id}-maps.onnx", tapped)


def answer_layer(cache: Path) -> Answer:
    """SFace's last layer: from its map at 7 positions a side to its 128 numbers."""
    graph = onnx.load(sface.folded_file(cache)).graph
    constants = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in graph.initializer}
    linear = next(node for node in graph.node if node.op_type == "Gemm")
    norm = next(node for node in graph.node if node.output[0] == ANSWER)
    weight, bias = (constants[name] for name in linear.input[1:3])
    if not next((a.i for a in linear.attribute if a.name == "transB"), 0):
        weight = weight.T
    gamma, beta, mean, variance = (constants[name] for name in norm.input[1:5])
    scale = gamma / np.sqrt(variance + next(a.f for a in norm.attribute if a.name == "epsilon"))
    return Answer(
        torch.from_numpy(weight * scale[:, None]).float(), torch.from_numpy((bias - mean) * scale + beta).float()
    )
