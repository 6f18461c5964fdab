"""`attendance classify`: which known person each photograph shows, or none of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from training.dataset import BadData
from training.face_gallery import FaceGallery, Photo
from training.query import FPIR, person_distances
from worker.protocol.bundle import ModelInfo, serving_threshold

Method = Literal["nearest", "svm"]


@dataclass(frozen=True)
class Classified:
    photo: Photo
    person: str | None
    """None: rejected, since the person is nobody in the gallery or the photograph shows no face."""
    resembles: str
    """The person that the method chose before the threshold had its say."""
    distance: float
    """To the nearest picture of that person."""
    threshold: float


def classify(
    photos: Sequence[Photo], gallery: FaceGallery, info: ModelInfo, method: Method = "nearest", fpir: float = FPIR
) -> list[Classified]:
    """Each photograph's person. Both methods reject by the distance to the chosen person's nearest picture.

    Raises BadData when the method is svm and the gallery has one person only.
    """
    if not photos:
        return []
    threshold = serving_threshold(info, len(gallery), fpir).distance
    templates = np.stack([photo.template for photo in photos])
    distances, _ = person_distances(templates, gallery)
    chosen = distances.argmin(1) if method == "nearest" else svm_people(templates, gallery, info.alpha)
    answers = []
    for row, (photo, person) in enumerate(zip(photos, chosen, strict=True)):
        name, distance = gallery.folder.identities[person], float(distances[row, person])
        accepted = photo.face_found and distance <= threshold
        answers.append(Classified(photo, name if accepted else None, name, distance, threshold))
    return answers


def svm_people(templates: NDArray[np.float32], gallery: FaceGallery, alpha: float) -> NDArray[np.int64]:
    """(n,) the person of each template by a linear SVM, one against the rest, on directions of length 1."""
    if len(gallery.folder.identities) < 2:
        raise BadData(f"{gallery.folder.root}: an SVM needs two people or more; take --method nearest")
    machine = LinearSVC(C=1.0, dual="auto", class_weight="balanced", random_state=0)
    machine.fit(gallery.templates / alpha, gallery.folder.labels)
    return np.asarray(machine.predict(templates / alpha), np.int64)
