"""Finding faces: facenet-pytorch's MTCNN with its shipped weights, batched over frames of several kiosks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

MIN_PROBABILITY = 0.95
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

    Frames wider than `detect_width_px` are shrunk for the search only: a kiosk needs no face of 20 px, and the cost
    grows with the square of the picture's size over the smallest face.
    """

    def __init__(self, device: str = "cpu", detect_width_px: int = 640, min_face_px: int = 48) -> None:
        self.detect_width_px, self.min_face_px = detect_width_px, min_face_px
        self._mtcnn = MTCNN(
            keep_all=True, min_face_size=min_face_px, post_process=False, device=torch.device(device)
        ).eval()

    def find(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Face]]:
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        small: list[NDArray[np.uint8]] = []
        scales: list[float] = []
        for index, frame in enumerate(frames):
            scale = min(1.0, self.detect_width_px / frame.shape[1])
            if scale < 1:
                size = (self.detect_width_px, max(1, round(frame.shape[0] * scale)))
                small.append(np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8))
            else:
                small.append(frame)
            scales.append(scale)
            if min(small[-1].shape[:2]) > self.min_face_px:  # else no face fits, and MTCNN raises
                groups[small[-1].shape].append(index)
        found: list[list[Face]] = [[] for _ in frames]
        for indices in groups.values():
            with torch.inference_mode():
                boxes, probabilities, landmarks = self._mtcnn.detect(
                    np.stack([small[i] for i in indices]), landmarks=True
                )
            for i, b, p, marks in zip(indices, boxes, probabilities, landmarks, strict=True):
                if b is None:
                    continue
                faces = [
                    Face(np.asarray(box, np.float32) / scales[i], np.asarray(mark, np.float32) / scales[i], float(prob))
                    for box, prob, mark in zip(b, p, marks, strict=True)
                    if prob is not None and prob >= MIN_PROBABILITY
                ]
                found[i] = sorted(faces, key=lambda face: face.width, reverse=True)
        return found
