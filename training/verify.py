"""`attendance verify`: whether two photographs show the same person."""

from dataclasses import dataclass

import numpy as np

from training.face_gallery import Photo
from worker.protocol.bundle import ModelInfo, serving_threshold

FALSE_MATCH_RATE = 1e-3
"""Wanted share of pairs of strangers that are taken for one person: as with badge or PIN at the door."""


@dataclass(frozen=True)
class Verdict:
    a: Photo
    b: Photo
    distance: float
    threshold: float
    false_match_rate: float
    """What the threshold was measured, or interpolated, to give."""
    strictest_rate: float | None
    """The smallest measured false match rate at which the pair still counts as one person; None: at none of them."""

    @property
    def same(self) -> bool | None:
        """None when a photograph shows no face: then the distance is one of picture centres and says nothing."""
        if not (self.a.face_found and self.b.face_found):
            return None
        return self.distance <= self.threshold

    @property
    def words(self) -> str:
        if self.same is None:
            missing = " and ".join(str(p.path) for p in (self.a, self.b) if not p.face_found)
            return f"undecided: no face was found in {missing}"
        return "the same person" if self.same else "different people"


def verify(a: Photo, b: Photo, info: ModelInfo, rate: float = FALSE_MATCH_RATE) -> Verdict:
    """Compare two photographs by the model's threshold for one comparison at that false match rate."""
    limit = serving_threshold(info, 1, rate)
    distance = float(np.linalg.norm(a.template.astype(np.float64) - b.template))
    held = [t.false_match_rate for t in info.thresholds if distance <= t.distance]
    return Verdict(a, b, distance, limit.distance, limit.promised_false_match_rate, min(held, default=None))
