"""`attendance query`: who of the known people a photograph resembles most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.face_gallery import FaceGallery, Photo
from worker.protocol.bundle import ModelInfo, ServingThreshold, serving_threshold

FPIR = 1e-3
"""Wanted chance that a stranger's photograph is taken for anybody in the gallery, as at the door."""


@dataclass(frozen=True)
class Ranked:
    """One known person, by their picture that is nearest to the photograph."""

    person: str
    distance: float
    nearest: str
    """File of that picture, relative to the gallery."""
    pictures: int
    """That this person was compared by."""
    within_threshold: bool


@dataclass(frozen=True)
class Answer:
    photo: Photo
    threshold: ServingThreshold
    people: list[Ranked]
    """Nearest first."""

    @property
    def accepted(self) -> str | None:
        """The nearest person below the threshold; nobody when the photograph showed no face."""
        first = self.people[0]
        return first.person if self.photo.face_found and first.within_threshold else None


def ask(photo: Photo, gallery: FaceGallery, info: ModelInfo, top: int = 10, fpir: float = FPIR) -> Answer:
    """The `top` people nearest to the photograph, with the threshold for a gallery of this size."""
    threshold = serving_threshold(info, len(gallery), fpir)
    distances, nearest = person_distances(photo.template[None], gallery)
    folder, counts = gallery.folder, gallery.folder.counts
    people = [
        Ranked(
            folder.identities[i],
            float(distances[0, i]),
            folder.files[nearest[0, i]],
            int(counts[i]),
            bool(distances[0, i] <= threshold.distance),
        )
        for i in np.argsort(distances[0], kind="stable")[:top]
    ]
    return Answer(photo, threshold, people)


def person_distances(
    templates: NDArray[np.float32], gallery: FaceGallery
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, people) distances of (n, 128) templates to each person's nearest picture, and the numbers of those pictures."""
    # in float64, since |a|² + |b|² − 2ab loses small distances to rounding in float32
    probes, known = templates.astype(np.float64), gallery.templates.astype(np.float64)
    squares = (probes**2).sum(1)[:, None] + (known**2).sum(1) - 2 * probes @ known.T
    distances = np.sqrt(np.maximum(squares, 0))
    starts = np.searchsorted(
        gallery.folder.labels, np.arange(len(gallery.folder.identities))
    )  # pictures stand by person
    ends = np.append(starts[1:], len(gallery))
    nearest = np.stack([a + distances[:, a:b].argmin(1) for a, b in zip(starts, ends, strict=True)], axis=1)
    return np.take_along_axis(distances, nearest, axis=1), nearest.astype(np.int64)
