"""How much worse a recogniser gets with bad pictures and turned heads: a list of pairs, its second pictures made worse.

The first picture stays good, as an enrolment picture is. Rows by pose take the pairs as they are and sort them by how far
each head is turned.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import outcome, pair_files, rates, verification
from training.degradations import DEGRADATIONS, Degradation
from training.degraded_embedding import embed_degraded
from training.embedding import Embedded, embed_files
from training.found_faces import find_faces
from training.outcome import Outcome
from training.pair_files import PairList, lfw_images
from training.protocols import Subject
from training.verification import Counts, Floats
from worker.detector import Face
from worker.quality import yaw_of

CLEAN = "as it is"
TURNED = 0.25
"""From this yaw on (worker/quality.py: the nose off the eyes' middle, in half eye distances) a head counts as turned; a door
refuses from 0.45 on."""
POSES = ("frontal", "one turned", "both turned")
SHOWN_FARS = (1e-2, 1e-3)


def quality(
    subject: Subject,
    data: Path,
    pairs: Path | None = None,
    degradations: Sequence[Degradation] = DEGRADATIONS,
) -> Outcome:
    """A row a degradation, and a row a pose; LFW's View 2 unless another list is given. Raises BadData, BadPairs."""
    is_csv = pairs is not None and pairs.suffix.lower() == ".csv"
    listed = pair_files.read_pairs(pairs or data / "pairs.txt", data if is_csv else lfw_images(data))
    folds = subject.folds or listed.folds or 10
    verification.fold_sizes(len(listed.labels), folds)  # refused before the work, not after it
    verification.checked(np.zeros(len(listed.labels)), listed.labels, both=True)
    second, places = np.unique(listed.pairs[:, 1], return_inverse=True)
    step = _Steps(subject, 2 * len(listed.files) + len(degradations) * len(second))
    faces = find_faces(listed.files, subject.detector, cache=subject.cache, on_progress=step)
    good = embed_files(subject.model, listed.files, cache=subject.cache, on_progress=step, detector=subject.detector)
    rows, curves = {}, {}
    clean = apart(good.templates[listed.pairs[:, 0]], good.templates[listed.pairs[:, 1]])
    rows[CLEAN], curves[CLEAN] = _row(subject, clean, listed, folds)
    for how in degradations:
        files, owners = [listed.files[i] for i in second], [faces[i] for i in second]
        bad: Embedded = embed_degraded(subject.model, files, owners, how, cache=subject.cache, on_progress=step)
        d = apart(good.templates[listed.pairs[:, 0]], bad.templates[places])
        rows[how.name], curves[how.name] = _row(subject, d, listed, folds)
        if how.face_px is not None:
            narrow = sum(face is not None and face.width <= how.face_px for face in owners)
            rows[how.name]["pictures_not_larger"] = int(narrow)
    figures = {
        **{key: rows[CLEAN][key] for key in ("accuracy", "accuracy_std", "auc", "eer", "threshold", "tar_at_far")},
        "pairs": len(clean),
        "folds": folds,
        "pictures": len(listed.files),
        "pictures_made_worse": len(second),
        "faces_not_found": good.faces_not_found,
        "model_thresholds": model_thresholds(subject),
        "rows": rows,
        "turned_from_yaw": TURNED,
        "poses": pose_rows(subject, clean, listed, folds, faces),
    }
    return Outcome(figures, curves)


def apart(first: NDArray[np.float32], second: NDArray[np.float32]) -> Floats:
    """(n,) distances in float64."""
    return np.asarray(np.linalg.norm(first.astype(np.float64) - second.astype(np.float64), axis=1))


def model_thresholds(subject: Subject) -> dict[str, float]:
    return {rates.far_name(t.false_match_rate): t.distance for t in subject.model.info.thresholds}


def pose_rows(
    subject: Subject, d: Floats, listed: PairList, folds: int, faces: Sequence[Face | None]
) -> dict[str, dict[str, Any]]:
    """The good pairs by how many heads are turned; thresholds are those of all pairs. Pairs without a found face are left out."""
    yaws = np.array([np.nan if face is None else yaw_of(face.landmarks) for face in faces])[listed.pairs]
    turned = np.where(np.isnan(yaws).any(axis=1), -1, (yaws >= TURNED).sum(axis=1))
    same = listed.labels.astype(bool)
    scale = subject.alpha / outcome.USUAL_ALPHA
    thresholds = verification.thesis_accuracy(d / scale, listed.labels, folds).thresholds * scale
    right = (d < np.repeat(thresholds, verification.fold_sizes(len(d), folds))) == same
    scored = rates.scored_pairs(d, listed.labels)
    strict = rates.operating_point(scored, SHOWN_FARS[-1]).threshold
    rows = {}
    for number, name in enumerate(POSES):
        chosen = turned == number
        rows[name] = {
            "genuine_pairs": int((chosen & same).sum()),
            "impostor_pairs": int((chosen & ~same).sum()),
            "accuracy": _mean(right[chosen]),
            "mean_genuine_distance": _mean(d[chosen & same]),
            f"tar_at_all_pairs_far_{rates.far_name(SHOWN_FARS[-1])}": _mean(d[chosen & same] < strict),
            "at_model_thresholds": at_thresholds(d[chosen], same[chosen], model_thresholds(subject)),
        }
    return rows


def at_thresholds(d: Floats, same: NDArray[np.bool_], thresholds: dict[str, float]) -> dict[str, Any]:
    """True and false accepts at the model's own thresholds; None where there is no such pair."""
    return {
        name: {
            "tar": _mean(d[same] < threshold),
            "far": _mean(d[~same] < threshold),
            "false_accepts": int((d[~same] < threshold).sum()),
        }
        for name, threshold in thresholds.items()
    }


def _row(subject: Subject, d: Floats, listed: PairList, folds: int) -> tuple[dict[str, Any], verification.Roc]:
    people = listed.people[listed.pairs]
    judged = outcome.judge(d, listed.labels, folds, people, alpha=subject.alpha, seed=subject.seed)
    kept = ("accuracy", "accuracy_std", "auc", "eer", "threshold", "tar_at_far", "tar_at_far_with_few_errors")
    row = {key: judged.figures[key] for key in kept}
    row["at_model_thresholds"] = at_thresholds(d, listed.labels.astype(bool), model_thresholds(subject))
    return row, judged.curves[""]


def _mean(values: Floats | NDArray[np.bool_] | Counts) -> float | None:
    return float(values.mean()) if len(values) else None


class _Steps:
    """Counts pictures over all that is done to them, for the bar."""

    def __init__(self, subject: Subject, of: int) -> None:
        self._subject, self._of, self._done = subject, of, 0

    def __call__(self, more: int) -> None:
        self._done += more
        self._subject.on_progress(self._done, self._of)
