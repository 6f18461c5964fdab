"""Faces to templates: one interface for all recognisers, and those of one network (SFace, a ResNet bundle, an ONNX file).

A face travels as `Chips`: the crops that the recogniser asks for by its `inputs`, one for each of its networks. So a
recogniser of several networks (worker/fusion.py) is used like any other.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from worker import bundle, crop, sface
from worker.detector import Face
from worker.network import IMAGENET_MEAN, IMAGENET_STD, ResNetTriplet
from worker.openvino_cpu import CpuNetwork, converted_file
from worker.protocol.bundle import ModelInfo

MAX_BATCH = 16

Chips = tuple[NDArray[np.uint8], ...]
"""One face: an RGB crop (px, px, 3) for each of the recogniser's inputs, in their order."""


@dataclass(frozen=True)
class Input:
    """What one network wants to see of a face."""

    crop: str
    """A rule of worker/crop.py."""
    px: int


class Embedder(ABC):
    """Turns faces into templates of length α on the model's sphere."""

    info: ModelInfo

    @property
    @abstractmethod
    def inputs(self) -> tuple[Input, ...]:
        """Of each network, in the order of Chips."""

    @abstractmethod
    def embed(self, faces: Sequence[Chips]) -> NDArray[np.float32]:
        """(n, embedding_size) float32 templates of length α; raises ValueError where a network's answer isn't one."""

    def chips(self, frame: NDArray[np.uint8], face: Face) -> Chips:
        """The model's own crops of a face from an RGB frame; raises ValueError when nothing is left to cut."""
        return tuple(crop.by_rule(one.crop, frame, face.box, face.landmarks, one.px) for one in self.inputs)


class NetworkEmbedder(Embedder):
    """A recogniser of one network."""

    @abstractmethod
    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, px, px, 3) RGB chips to (n, embedding_size) numbers of any length."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        assert self.info.crop is not None
        assert self.info.input_px is not None
        return (Input(self.info.crop, self.info.input_px),)

    def embed(self, faces: Sequence[Chips]) -> NDArray[np.float32]:
        if not faces:
            return np.zeros((0, self.info.embedding_size), np.float32)
        chips = [chip for (chip,) in faces]
        parts = [self._run(np.stack(chips[i : i + MAX_BATCH])) for i in range(0, len(chips), MAX_BATCH)]
        raw = np.concatenate(parts)
        if raw.shape != (len(faces), self.info.embedding_size):
            raise ValueError(
                f"model {self.info.id} gave {raw.shape} for {len(faces)} faces; "
                f"{self.info.embedding_size} numbers each are needed"
            )
        norms = np.linalg.norm(raw, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or (norms < 1e-6).any():
            raise ValueError(f"model {self.info.id} gave a template without direction")
        return np.asarray(raw / norms * self.info.alpha, np.float32)


class PictureEmbedder(NetworkEmbedder):
    """One whose network takes pictures of fixed size and range, by OpenVINO unless a class says otherwise."""

    network: CpuNetwork
    """(n, 3, px, px) float32 in, (n, embedding_size) out."""

    @abstractmethod
    def prepare(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, px, px, 3) RGB chips to what the network takes."""

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.network(self.prepare(chips))


def imagenet_normalised(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, px, px, 3) RGB chips to (n, 3, px, px), as the thesis network takes them."""
    mean, std = np.array(IMAGENET_MEAN, np.float32) * 255, np.array(IMAGENET_STD, np.float32) * 255
    return ((chips - mean) / std).transpose(0, 3, 1, 2)


class SFaceEmbedder(PictureEmbedder):
    def __init__(self, cache: Path, threads: int, bf16: bool = False) -> None:
        self.info = sface.info()
        shape = [-1, 3, sface.INPUT_PX, sface.INPUT_PX]
        self.network = CpuNetwork(sface.folded_file(cache), shape, threads, bf16)

    def prepare(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return chips.transpose(0, 3, 1, 2).astype(np.float32)


class OnnxEmbedder(PictureEmbedder):
    """An ONNX bundle, in float32 by OpenVINO on the CPU: its thresholds were measured somewhere we don't know."""

    def __init__(self, info: ModelInfo, network: CpuNetwork) -> None:
        """Of `onnx_bundle.load`; or of `open_network` with an info of its own, to measure what isn't a bundle yet."""
        self.info, self.network = info, network
        self._mean = np.array(self.info.mean, np.float32)
        self._std = np.array(self.info.std, np.float32)

    def prepare(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        ordered = chips[..., ::-1] if self.info.channels == "BGR" else chips
        return ((ordered - self._mean) / self._std).transpose(0, 3, 1, 2)


class BundleEmbedder(PictureEmbedder):
    """A ResNet bundle: torch in fp16 and channels_last on CUDA; OpenVINO on a CPU, in bf16 where it has that."""

    def __init__(self, folder: Path, device: str, cache: Path, threads: int, bf16: bool = True) -> None:
        self.info, network = bundle.load(folder)
        self._cuda: ResNetTriplet | None = None
        if device == "cuda":
            self._cuda = network.half().cuda().to(memory_format=torch.channels_last)
        else:
            (wanted,) = self.inputs
            shape = [1, 3, wanted.px, wanted.px]
            path = converted_file(network, shape, cache / f"{self.info.id}.xml")
            self.network = CpuNetwork(path, [-1, *shape[1:]], threads, bf16)

    def prepare(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return imagenet_normalised(chips)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._cuda is None:
            return super()._run(chips)
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(self.prepare(chips))).pin_memory()
            batch = batch.to("cuda", torch.float16, non_blocking=True, memory_format=torch.channels_last)
            return np.asarray(self._cuda(batch).float().cpu().numpy(), np.float32)
