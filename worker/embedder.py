"""Faces to templates: one interface, two recognisers (a ResNet bundle, SFace), on CUDA or the CPU."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
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


class Embedder(ABC):
    """Turns faces into templates of length α on the model's sphere."""

    info: ModelInfo

    @abstractmethod
    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, px, px, 3) RGB chips to (n, 128) numbers of any length."""

    def chip(self, frame: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        """The model's own crop of a face from an RGB frame; raises ValueError when nothing is left to cut."""
        return crop.by_rule(self.info.crop, frame, face.box, face.landmarks, self.info.input_px)

    def embed(self, chips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 128) float32 templates of length α; raises ValueError if the network answers with something that isn't one."""
        if not chips:
            return np.zeros((0, self.info.embedding_size), np.float32)
        parts = [self._run(np.stack(chips[i : i + MAX_BATCH])) for i in range(0, len(chips), MAX_BATCH)]
        raw = np.concatenate(parts)
        norms = np.linalg.norm(raw, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or (norms < 1e-6).any():
            raise ValueError(f"model {self.info.id} gave a template without direction")
        return np.asarray(raw / norms * self.info.alpha, np.float32)


class SFaceEmbedder(Embedder):
    def __init__(self, cache: Path, threads: int, bf16: bool = False) -> None:
        self.info = sface.info()
        shape = [-1, 3, sface.INPUT_PX, sface.INPUT_PX]
        self._network = CpuNetwork(sface.folded_file(cache), shape, threads, bf16)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._network(chips.transpose(0, 3, 1, 2).astype(np.float32))


class BundleEmbedder(Embedder):
    """A ResNet bundle: torch in fp16 and channels_last on CUDA; OpenVINO on a CPU, in bf16 where it has that."""

    def __init__(self, folder: Path, device: str, cache: Path, threads: int, bf16: bool = True) -> None:
        self.info, network = bundle.load(folder)
        self._cuda: ResNetTriplet | None = None
        if device == "cuda":
            self._cuda = network.half().cuda().to(memory_format=torch.channels_last)
        else:
            shape = [1, 3, self.info.input_px, self.info.input_px]
            path = converted_file(network, shape, cache / f"{self.info.id}.xml")
            self._network = CpuNetwork(path, [-1, *shape[1:]], threads, bf16)
        self._mean = np.array(IMAGENET_MEAN, np.float32) * 255
        self._std = np.array(IMAGENET_STD, np.float32) * 255

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        pictures = ((chips - self._mean) / self._std).transpose(0, 3, 1, 2)
        if self._cuda is None:
            return self._network(pictures)
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(pictures)).pin_memory()
            batch = batch.to("cuda", torch.float16, non_blocking=True, memory_format=torch.channels_last)
            return np.asarray(self._cuda(batch).float().cpu().numpy(), np.float32)
