"""One picture in, one prepared face out: the work of a process of `attendance train prepare`."""

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.embedding import centre_chip, main_face
from training.pictures import decode
from worker import crop
from worker.decode import BadPicture
from worker.detector import Detector, Face

DETECT_WIDTH_PX = 1024
"""Wider pictures are shrunk to this for the search: a face worth training on is a good part of its picture."""
JPEG_QUALITY = 95


class Outcome(StrEnum):
    FACE = "face"
    FACELESS_KEPT = "faceless_kept"
    """No face was found, and the picture's centre was cut out since that was asked for."""
    NO_FACE = "no_face"
    CORRUPT = "corrupt"
    DUPLICATE = "duplicate"
    """Left out afterwards since its bytes are another picture's."""


@dataclass(frozen=True)
class CropRule:
    """How faces are found and cut out; a prepared folder is of one rule throughout."""

    size_px: int = 182
    crop: str = "mtcnn-margin"
    """Or five-points: turned and scaled so that eyes, nose and mouth lie where SFace's template has them."""
    min_face_px: int = 20
    """Smallest face looked for; 20 as in facenet's alignment."""
    keep_faceless: bool = False


@dataclass(frozen=True)
class Prepared:
    """What became of one picture."""

    file: str
    outcome: Outcome
    sha256: str = ""
    """Of the source's bytes; empty when they can't be read."""
    output_bytes: int = 0
    faces: int = 0
    reason: str = ""


class FaceCropper:
    """Finds and cuts out the main face of files below `source` into `destination`."""

    def __init__(self, source: Path, destination: Path, rule: CropRule, cache: Path, device: str = "cpu") -> None:
        self.source = source
        self.destination = destination
        self.rule = rule
        self._detector = Detector(cache, device, DETECT_WIDTH_PX, rule.min_face_px, threads=1)

    def prepare(self, file: str) -> Prepared:
        """Cut one file's face out and write it; whatever is wrong with the picture is an outcome, not an error.

        Raises OSError when the destination can't be written.
        """
        try:
            data = (self.source / file).read_bytes()
        except OSError as error:
            return Prepared(file, Outcome.CORRUPT, reason=f"can't be read ({error.strerror})")
        digest = hashlib.sha256(data).hexdigest()
        try:
            picture = decode(data, file)
        except BadPicture as error:
            return Prepared(file, Outcome.CORRUPT, digest, reason=str(error).removeprefix(f"{file}: "))
        faces = self._detector.find([picture])[0]
        face = main_face(faces, *picture.shape[:2]) if faces else None
        chip = self._chip(picture, face)
        if chip is None and not self.rule.keep_faceless:
            return Prepared(file, Outcome.NO_FACE, digest)
        outcome = Outcome.FACELESS_KEPT if chip is None else Outcome.FACE
        if chip is None:
            chip = centre_chip(picture, self.rule.size_px)
        size = _write(chip, self.destination / output(file))
        return Prepared(file, outcome, digest, size, len(faces))

    def _chip(self, picture: NDArray[np.uint8], face: Face | None) -> NDArray[np.uint8] | None:
        if face is None:
            return None
        try:
            return crop.by_rule(self.rule.crop, picture, face.box, face.landmarks, self.rule.size_px)
        except ValueError:  # a box outside the picture, landmarks on one spot: that was no face
            return None


def output(file: str) -> str:
    """The prepared file of a source: the same name when it ends in .jpg, else with .jpg added (a.png → a.png.jpg)."""
    return file if file.endswith(".jpg") else f"{file}.jpg"


def _write(chip: NDArray[np.uint8], path: Path) -> int:
    """Write a JPEG so that it is there whole or not at all; returns its size. A draft that a kill left is overwritten."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(chip, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise OSError(f"{path}: OpenCV couldn't encode a {chip.shape} picture")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(data.tobytes())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return len(data)
