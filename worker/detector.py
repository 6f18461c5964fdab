"""Finding faces: facenet-pytorch's MTCNN with its shipped weights, batched over frames of several kiosks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from worker.mtcnn_cpu import Floats, Found, MtcnnCpu

NOTHING: Found = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
MIN_PROBABILITY = 0.9
"""Below it MTCNN's finds are mostly hands, prints on shirts and lamps."""


@dataclass(frozen=True)
class Face:
    """One found face, in pixels of the frame it was found in."""

    box: NDArray[np.float32]
    """(4,): left, top, right, bottom."""
    landmarks: NDArray[np.float32]
    """(5, 2): left eye, right eye, nose, left and right mouth corner, as seen in the picture."""
    probability: float

    @property
    def width(self) -> float:
        return float(self.box[2] - self.box[0])

    @property
    def height(self) -> float:
        return float(self.box[3] - self.box[1])


class Detector:
    """`find` takes RGB frames of any sizes and returns the faces of each, widest first.

    The cost grows with the square of the picture's size over the smallest face: a kiosk needs no face of 20 px. Frames
    wider than `detect_width_px` are shrunk for the search only, and the smallest face grows with them. On CUDA the
    networks run in torch, on a CPU in OpenVINO.
    """

    def __init__(
        self, cache: Path, device: str = "cpu", detect_width_px: int = 1920, min_face_px: int = 48, threads: int = 2
    ) -> None:
        self.detect_width_px = detect_width_px
        self._mtcnn: MtcnnTorch | MtcnnCpu
        self._mtcnn = MtcnnTorch(device, min_face_px) if device == "cuda" else MtcnnCpu(cache, min_face_px, threads)

    def find(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Face]]:
        scales = [min(1.0, self.detect_width_px / frame.shape[1]) for frame in frames]
        small = [_shrunk(frame, scale) for frame, scale in zip(frames, scales, strict=True)]
        return [
            sorted(_faces(*found, scale), key=lambda face: face.width, reverse=True)
            for found, scale in zip(self._mtcnn.find(small), scales, strict=True)
        ]


class MtcnnTorch:
    """facenet-pytorch's own cascade, on CUDA. It wants the pictures of one call to be of one size."""

    def __init__(self, device: str, min_face_px: int) -> None:
        self.min_face_px = min_face_px
        self._mtcnn = MTCNN(
            keep_all=True, min_face_size=min_face_px, post_process=False, device=torch.device(device)
        ).eval()

    def find(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Found]:
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, picture in enumerate(pictures):
            if min(picture.shape[:2]) > self.min_face_px:  # else no face fits, and facenet-pytorch raises
                groups[picture.shape].append(index)
        answers: list[Found] = [NOTHING] * len(pictures)
        for indices in groups.values():
            with torch.inference_mode():
                found = self._mtcnn.detect(np.stack([pictures[i] for i in indices]), landmarks=True)
            for i, boxes, probabilities, landmarks in zip(indices, *found, strict=True):
                if boxes is not None:
                    answers[i] = tuple(np.asarray(part, np.float32) for part in (boxes, probabilities, landmarks))  # type: ignore[assignment]
        return answers


def _shrunk(frame: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return frame
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _faces(boxes: Floats, probabilities: Floats, landmarks: Floats, scale: float) -> list[Face]:
    return [
        Face(box / scale, marks / scale, float(probability))
        for box, probability, marks in zip(boxes, probabilities, landmarks, strict=True)
        if probability >= MIN_PROBABILITY
    ]
