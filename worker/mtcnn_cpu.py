"""MTCNN on a CPU: facenet-pytorch's three networks with their shipped weights, run by OpenVINO instead of torch.

The cascade is Zhang et al. 2016 as facenet-pytorch 2.5.3 has it (thresholds, factor, box arithmetic), so that both find
the same faces. What differs: pictures stay 8-bit until a network wants them, each scale of the pyramid is made from the
one before it, large crops are cut from the picture at half or a quarter of its size, and a box that lies outside the
picture is left out where the original goes wrong on the whole batch.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from numpy.typing import NDArray
from torchvision.ops import nms

from worker.openvino_cpu import CpuNetwork, converted_file

THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709
CELL_PX = 12
"""What the first network looks at, and so the size that a smallest face is shrunk to."""
STRIDE_PX = 2
CROPS_A_RUN = 256
CROP_DETAIL = 2
"""A crop is cut from the smallest halving of the picture in which it is at least this many times the network's input."""
VERSION = "2.5.3"
"""Of facenet-pytorch, whose weights are converted; part of the cached files' names."""

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Picture = NDArray[np.uint8]
Found = tuple[Floats, Floats, Floats]
"""Boxes (n, 4) as left, top, right, bottom; probabilities (n,); landmarks (n, 5, 2); all in pixels of their picture."""

# Candidates are rows of left, top, right, bottom, probability; `owners` says which picture each belongs to.


class Halvings:
    """A picture at its own size, at half of it, at a quarter …, each made when it is first asked for.

    Shrinking a large crop to 24 px reads every pixel of it, for dozens of candidates that overlap.
    """

    def __init__(self, picture: Picture) -> None:
        self._levels = [picture]
        self.height, self.width = picture.shape[:2]

    def at(self, times: float) -> tuple[Picture, int]:
        """The smallest that is shrunk to no less than 1/`times`, and how many of the picture's pixels one of it spans."""
        number = max(0, int(math.log2(max(1.0, times))))
        while len(self._levels) <= number and min(self._levels[-1].shape[:2]) >= 4:
            last = self._levels[-1]
            height, width = last.shape[0] // 2, last.shape[1] // 2
            even = last[: 2 * height, : 2 * width]  # exactly 2:1, which OpenCV does fastest
            self._levels.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
        number = min(number, len(self._levels) - 1)
        return self._levels[number], 1 << number


class MtcnnCpu:
    """`find` takes RGB pictures of any sizes; their crops share the runs of the second and third network."""

    def __init__(self, cache: Path, min_face_px: int, threads: int) -> None:
        self.min_face_px = min_face_px
        self._pnet = _network(PNet(), [1, 3, 120, 160], [-1, 3, -1, -1], cache, threads)
        self._rnet = _network(RNet(), [1, 3, 24, 24], [-1, 3, 24, 24], cache, threads)
        self._onet = _network(ONet(), [1, 3, 48, 48], [-1, 3, 48, 48], cache, threads)

    def find(self, pictures: Sequence[Picture]) -> list[Found]:
        """The faces of each picture, best first."""
        halvings = [Halvings(picture) for picture in pictures]
        boxes, owners = self._propose(halvings)
        boxes, owners = self._refine(halvings, boxes, owners)
        boxes, owners, landmarks = self._describe(halvings, boxes, owners)
        return [(boxes[owners == i, :4], boxes[owners == i, 4], landmarks[owners == i]) for i in range(len(pictures))]

    def _propose(self, pictures: Sequence[Halvings]) -> tuple[Floats, Indices]:
        """First network over a pyramid of each picture."""
        boxes, owners = [np.zeros((0, 5), np.float32)], [np.zeros(0, np.int64)]
        for i, picture in enumerate(pictures):
            height, width = picture.height, picture.width
            scale = CELL_PX / self.min_face_px
            level, _ = picture.at(1 / scale / 1.01)  # a little larger than the first level, which is rounded up
            found = [np.zeros((0, 9), np.float32)]
            while min(height, width) * scale >= CELL_PX:
                size = (int(width * scale + 1), int(height * scale + 1))
                level = np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_AREA), np.uint8)
                offsets, probabilities = self._pnet.all(_normalised(level[None]))
                cells = _cells(offsets[0], probabilities[0, 1], scale)
                found.append(cells[_best(cells, 0.5)])
                scale *= FACTOR
            every = np.concatenate(found)
            every = every[_best(every, 0.7)]
            sides = every[:, 2:4] - every[:, :2]
            boxes.append(_squared(np.column_stack([every[:, :4] + every[:, 5:9] * np.tile(sides, 2), every[:, 4]])))
            owners.append(np.full(len(every), i, np.int64))
        return np.concatenate(boxes), np.concatenate(owners)

    def _refine(self, pictures: Sequence[Halvings], boxes: Floats, owners: Indices) -> tuple[Floats, Indices]:
        """Second network: most candidates go."""
        crops, boxes, owners = _crops(pictures, boxes, owners, 24)
        if not len(boxes):
            return boxes, owners
        offsets, probabilities = _run(self._rnet, crops)
        good = probabilities[:, 1] > THRESHOLDS[1]
        boxes = np.column_stack([boxes[good, :4], probabilities[good, 1]])
        owners, offsets = owners[good], offsets[good]
        keep = _best_by_owner(boxes, owners, 0.7)
        return _squared(_corrected(boxes[keep], offsets[keep])), owners[keep]

    def _describe(self, pictures: Sequence[Halvings], boxes: Floats, owners: Indices) -> tuple[Floats, Indices, Floats]:
        """Third network: the final box, its probability and the landmarks."""
        crops, boxes, owners = _crops(pictures, boxes, owners, 48)
        if not len(boxes):
            return boxes, owners, np.zeros((0, 5, 2), np.float32)
        offsets, marks, probabilities = _run(self._onet, crops)
        good = probabilities[:, 1] > THRESHOLDS[2]
        boxes = np.column_stack([boxes[good, :4], probabilities[good, 1]])
        owners, offsets, marks = owners[good], offsets[good], marks[good]
        sides = boxes[:, 2:4] - boxes[:, :2] + 1
        relative = np.stack([marks[:, :5], marks[:, 5:]], axis=2)
        landmarks = relative * sides[:, None] + boxes[:, None, :2] - 1
        boxes = _corrected(boxes, offsets)
        keep = _best_by_owner(boxes, owners, 0.7, of_smaller=True)
        return boxes[keep], owners[keep], landmarks[keep]


def _network(network: torch.nn.Module, example: list[int], shape: list[int], cache: Path, threads: int) -> CpuNetwork:
    path = cache / f"mtcnn-{VERSION}-{type(network).__name__.lower()}.xml"
    return CpuNetwork(converted_file(network.eval(), example, path), shape, threads)


def _run(network: CpuNetwork, crops: Picture) -> list[Floats]:
    parts = [network.all(_normalised(crops[i : i + CROPS_A_RUN])) for i in range(0, len(crops), CROPS_A_RUN)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _normalised(pictures: Picture) -> Floats:
    return (pictures.astype(np.float32).transpose(0, 3, 1, 2) - 127.5) * np.float32(0.0078125)


def _cells(offsets: Floats, probabilities: Floats, scale: float) -> Floats:
    """Candidates of one pyramid level, each with the four offsets that correct it: (n, 9)."""
    y, x = np.nonzero(probabilities >= THRESHOLDS[0])
    corners = STRIDE_PX * np.stack([x, y], axis=1)
    parts = [
        np.floor((corners + 1) / scale),
        np.floor((corners + CELL_PX) / scale),
        probabilities[y, x][:, None],
        offsets[:, y, x].T,
    ]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _corrected(boxes: Floats, offsets: Floats) -> Floats:
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    return np.column_stack([boxes[:, :4] + offsets * np.tile(sides, 2), boxes[:, 4]])


def _squared(boxes: Floats) -> Floats:
    sides = boxes[:, 2:4] - boxes[:, :2]
    side = sides.max(axis=1, initial=0, keepdims=True)
    corner = boxes[:, :2] + (sides - side) / 2
    return np.concatenate([corner, corner + side, boxes[:, 4:5]], axis=1, dtype=np.float32)


def _crops(
    pictures: Sequence[Halvings], boxes: Floats, owners: Indices, size_px: int
) -> tuple[Picture, Floats, Indices]:
    """Crops (n, size, size, 3), with the boxes and owners of those that lie in their picture."""
    crops, kept = [np.zeros((0, size_px, size_px, 3), np.uint8)], []
    for k, (box, owner) in enumerate(zip(boxes.tolist(), owners.tolist(), strict=True)):
        picture = pictures[owner]
        left, top = max(1, int(box[0])) - 1, max(1, int(box[1])) - 1
        right, bottom = min(picture.width, int(box[2])), min(picture.height, int(box[3]))
        if right > left and bottom > top:
            level, px = picture.at(min(right - left, bottom - top) / (CROP_DETAIL * size_px))
            cut = level[round(top / px) : round(bottom / px), round(left / px) : round(right / px)]
            crop = cv2.resize(cut, (size_px, size_px), interpolation=cv2.INTER_AREA)
            crops.append(np.asarray(crop, np.uint8)[None])
            kept.append(k)
    return np.concatenate(crops), boxes[kept], owners[kept]


def _best(boxes: Floats, limit: float) -> Any:
    """Indices left by non-maximum suppression at that intersection over union, best first."""
    rows = torch.from_numpy(np.ascontiguousarray(boxes[:, :5]))
    return nms(rows[:, :4], rows[:, 4], limit).numpy()


def _best_of_smaller(boxes: Floats, limit: float) -> Any:
    """The same by the intersection's share of the smaller box, which takes away a face found inside a face."""
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2] + 1, axis=1)
    left = np.argsort(-boxes[:, 4], kind="stable")
    best = []
    while left.size:
        first, left = left[0], left[1:]
        best.append(first)
        sides = np.minimum(boxes[first, 2:4], boxes[left, 2:4]) - np.maximum(boxes[first, :2], boxes[left, :2]) + 1
        left = left[np.prod(np.maximum(sides, 0), axis=1) / np.minimum(areas[first], areas[left]) <= limit]
    return np.array(best, dtype=np.int64)


def _best_by_owner(boxes: Floats, owners: Indices, limit: float, of_smaller: bool = False) -> Any:
    pick = _best_of_smaller if of_smaller else _best
    kept = [np.zeros(0, np.int64)]
    for owner in np.unique(owners):
        mine = np.flatnonzero(owners == owner)
        kept.append(mine[pick(boxes[mine], limit)])
    return np.concatenate(kept)
