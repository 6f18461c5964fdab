"""dlib's ResNet (King 2017, CC0), a well-known recogniser to compare ours with. It is never served and no dependency.

Its own chips are cut: 150 px, aligned by dlib's five points (both corners of each eye and the base of the nose). MTCNN has
other five, so those are derived from ours, in the proportions of dlib's mean face: corners lie on the line through the eyes,
the nose's base between its tip and the mouth. So the alignment is dlib's, and the detector that of every other row here.
On 60 genuine and 60 impostor pairs of LFW the mean distances are 0.428 and 0.854; with dlib's own detector and landmarks
they are 0.428 and 0.847.
"""

import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.detector import Face
from worker.embedder import Chips, NetworkEmbedder
from worker.protocol.bundle import BadBundle, ModelInfo, Threshold

NAME = "dlib"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
CHIP_PX = 150
PADDING = 0.25
SCALE = 10.0
"""Distances are ten times dlib's, so that they are as long as other models': its usual 0.6 is 6.0 here."""
ALPHA = 100.0
EYE_HALF_WIDTH = 0.2036
NOSE_BASE = 0.348
"""Half an eye's width in distances of the eyes; way from the nose's tip to the mouth's middle. Of dlib's mean face."""
USUAL_DISTANCE = 0.6
USUAL_FMR = 0.44
"""Of strangers in the worst of FairFace's groups (adults) at the usual distance, as measured for this product."""


class DlibEmbedder(NetworkEmbedder):
    """Raises BadBundle where dlib or its weights aren't installed. It computes on one core, in float32."""

    def __init__(self) -> None:
        self._weights = find_weights()
        self._dlib = _import_dlib()
        self._network = self._dlib.face_recognition_model_v1(str(self._weights))
        self.info = info(self._weights)

    def chips(self, frame: NDArray[np.uint8], face: Face) -> Chips:
        points = dlib_points(face.landmarks)
        left, top, right, bottom = (round(float(v)) for v in face.box)
        parts = [self._dlib.point(round(float(x)), round(float(y))) for x, y in points]
        shape = self._dlib.full_object_detection(self._dlib.rectangle(left, top, right, bottom), parts)
        chip = self._dlib.get_face_chip(np.ascontiguousarray(frame), shape, CHIP_PX, PADDING)
        return (np.asarray(chip, np.uint8),)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = self._network.compute_face_descriptor([np.ascontiguousarray(chip) for chip in chips])
        return lifted(np.array([list(vector) for vector in vectors], np.float64))


def find_weights() -> Path:
    """Of the package face_recognition_models, whose code isn't run; raises BadBundle with what to install."""
    spec = importlib.util.find_spec("face_recognition_models")
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = next((p for folder in folders if (p := Path(folder) / "models" / FILE).is_file()), None)
    if path is None:
        raise BadBundle(
            f"{FILE} is not installed: to compare with dlib, `pip install dlib-bin face_recognition_models`"
        )
    return path


def info(weights: Path) -> ModelInfo:
    """Metadata that no model.json can hold (its architecture and crop are unknown there), so that nothing ever serves it."""
    code = inspect.getsource(sys.modules[__name__]).encode()
    digest = hashlib.sha256(weights.read_bytes())
    fields: dict[str, Any] = {
        "id": f"dlib-{hashlib.sha256(digest.digest() + code).hexdigest()[:12]}",
        "architecture": NAME,
        "input_px": CHIP_PX,
        "crop": "dlib-chip",
        "alpha": ALPHA,
        "embedding_size": 129,
        "weights_sha256": digest.hexdigest(),
        "licence": "CC0 (weights), Boost (dlib)",
        "thresholds": [Threshold(false_match_rate=USUAL_FMR, distance=USUAL_DISTANCE * SCALE)],
        "threshold_source": "dlib's documentation; the rate: worst of seven groups of FairFace adults",
    }
    return ModelInfo.model_construct(**fields)


def dlib_points(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(5, 2): outer and inner corner of the eye at the right of the picture, of the one at the left, base of the nose.

    From MTCNN's eyes, nose and mouth corners (5, 2); raises ValueError where the eyes lie on one spot.
    """
    left, right, nose, mouth_left, mouth_right = np.asarray(landmarks, np.float64)
    line = right - left
    if np.hypot(*line) < 1:
        raise ValueError("landmarks lie on one spot: no face can be aligned by them")
    corner = EYE_HALF_WIDTH * line
    base = nose + NOSE_BASE * ((mouth_left + mouth_right) / 2 - nose)
    return np.stack([right + corner, right - corner, left - corner, left + corner, base])


def lifted(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """dlib's (n, 128), which are compared as they are and lie on no sphere, as (n, 129) on one of radius ALPHA.

    The added number makes up for the missing length. On so large a sphere it differs by little between two faces, and
    their distance is dlib's times SCALE to a few parts in ten thousand.
    """
    scaled = vectors * SCALE
    rest = ALPHA**2 - (scaled**2).sum(axis=1, keepdims=True)
    if (rest < 0).any():
        raise ValueError("a vector of dlib's network is longer than 10: its weights are damaged")
    return np.hstack([scaled, np.sqrt(rest)]).astype(np.float32)


def _import_dlib() -> Any:
    try:
        import dlib
    except ImportError as error:
        raise BadBundle(f"dlib can't be loaded ({error}): to compare with it, `pip install dlib-bin`") from None
    return dlib
