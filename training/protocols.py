"""The evaluation protocols: which pictures are compared, and what is said about it. Each is a function from data to Outcome.

Trustworthy are lfw-view2 (the threshold comes from other folds), lfw-all (rates down to 1e-6), identify (1:N) and groups
(strangers who look alike). `thesis` and `pairs30` are there to be compared with the thesis' own tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import classification, identification, pair_files, rates, verification
from training.all_pairs import all_pairs
from training.dataset import read_folder
from training.embedding import Embedded, embed_files
from training.group_rates import judge_group, read_groups, worst, worst_at
from training.outcome import Outcome, judge
from training.pair_files import PairList, lfw_images
from training.triplets import draw_triplets
from training.verification import BadPairs, Floats
from worker.detector import Detector
from worker.embedder import Embedder

VIEW2_PAIRS, VIEW2_FOLDS = 6_000, 10
ALL_FARS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
THESIS_BATCH = 64
THIRTY = 30
CLASSIFIED_GALLERIES = (10, 100)
SHOWN_FAR = 1e-3
"""Of protocols without folds: `threshold` is the one at this rate."""
NOT_INDEPENDENT = (
    "as published: triplets are drawn at random from the test set, and the thesis chose its best epoch on such triplets, "
    "so the figure is for comparison with its tables; lfw-view2 is the independent one"
)


@dataclass(frozen=True)
class Subject:
    """What is evaluated, and with what."""

    model: Embedder
    cache: Path | None
    seed: int = 0
    folds: int | None = None
    """None: as the pair list says, else 10."""
    detector: Detector | None = None
    """None: one that takes every core, on CUDA where there is some."""
    on_progress: Callable[[int, int], None] = lambda done, total: None
    """Told pictures done and all."""

    @property
    def alpha(self) -> float:
        return self.model.info.alpha

    def embed(self, files: Sequence[Path]) -> Embedded:
        done = 0

        def step(more: int) -> None:
            nonlocal done
            done += more
            self.on_progress(done, len(files))

        return embed_files(self.model, files, cache=self.cache, on_progress=step, detector=self.detector)


def lfw_view2(subject: Subject, data: Path, pairs: Path | None = None) -> Outcome:
    """The official 6,000 pairs in 10 folds; the threshold of each comes from the other nine. Raises BadData, BadPairs."""
    path = pairs or data / "pairs.txt"
    listed = pair_files.read_lfw_pairs(path, lfw_images(data))
    if (len(listed.labels), listed.folds) != (VIEW2_PAIRS, VIEW2_FOLDS):
        raise BadPairs(
            f"{path}: {len(listed.labels)} pairs in {listed.folds or 'no'} folds, but View 2 has {VIEW2_PAIRS} in "
            f"{VIEW2_FOLDS}; for another list take --protocol pairs-file"
        )
    return _judge_list(subject, listed)[0]


def pairs_file(subject: Subject, data: Path, pairs: Path) -> Outcome:
    """Any list of pairs: CSV with paths below `data`, or LFW's format. Raises BadData, BadPairs."""
    is_csv = pairs.suffix.lower() == ".csv"
    return _judge_list(subject, pair_files.read_pairs(pairs, data if is_csv else lfw_images(data)))[0]


def pairs_30(subject: Subject, data: Path, pairs: Path | None = None) -> Outcome:
    """Section 4.4: right answers of 30 pairs at 0.5 … 5.0; from a list, or drawn by seed. Raises BadData, BadPairs."""
    if pairs is not None:
        listed = pair_files.read_pairs(pairs, data if pairs.suffix.lower() == ".csv" else lfw_images(data))
    else:
        listed = pair_files.drawn_pairs(read_folder(lfw_images(data)), THIRTY, subject.seed)
    if len(listed.labels) != THIRTY:
        raise BadPairs(f"{pairs}: {len(listed.labels)} pairs; the table is made of {THIRTY}")
    outcome, distances = _judge_list(subject, listed)
    correct = verification.correct_at(distances, listed.labels)
    best = verification.TEXT_THRESHOLDS[correct == correct.max()]
    outcome.figures |= {
        "correct_at": {f"{t:.1f}": int(n) for t, n in zip(verification.TEXT_THRESHOLDS, correct, strict=True)},
        "best_correct": int(correct.max()),
        "best_thresholds": [float(t) for t in best],
        "independent": False,
        "remark": "the best threshold is chosen on the pairs that it is counted on, as in the thesis",
    }
    return outcome


def thesis(subject: Subject, data: Path, triplets: int = 10_000) -> Outcome:
    """Random triplets, drawn and judged as the thesis' validation does. Raises BadData, BadPairs."""
    folder = read_folder(lfw_images(data))
    numbers = draw_triplets(folder.labels, triplets, np.random.default_rng(subject.seed))
    used, places = np.unique(numbers, return_inverse=True)
    seen = subject.embed([folder.path(int(i)) for i in used])
    anchors, positives, negatives = places.reshape(-1, 3).T
    positive, negative = _apart(seen, anchors, positives), _apart(seen, anchors, negatives)
    # batch by batch, positives before negatives: the order decides the folds
    order = _by_batches(len(numbers), THESIS_BATCH)
    distances = np.concatenate([positive, negative])[order]
    labels = np.repeat([1, 0], len(numbers))[order]
    owners = folder.labels[used]
    people = np.concatenate([owners[np.stack([anchors, positives], 1)], owners[np.stack([anchors, negatives], 1)]])[
        order
    ]
    folds = subject.folds or 10
    outcome = judge(distances, labels, folds, people, alpha=subject.alpha, seed=subject.seed)
    published, published_curve = (
        verification.thesis_accuracy(distances, labels, folds),
        verification.thesis_roc(distances, labels, folds),
    )
    text_threshold, text_accuracy = verification.mean_batch_accuracy(positive, negative, THESIS_BATCH)
    outcome.figures |= {
        "accuracy": published.mean,
        "accuracy_std": published.std,
        "threshold": float(published.thresholds.mean()),
        "faces_not_found": seen.faces_not_found,
        "triplets": triplets,
        "published_auc": published_curve.auc,
        "mean_batch_accuracy": text_accuracy,
        "mean_batch_threshold": text_threshold,
        "independent": False,
        "remark": NOT_INDEPENDENT,
    }
    return outcome


def lfw_all(subject: Subject, data: Path) -> Outcome:
    """Every pair of the set. `threshold` is the one at FAR 1e-3; there is no accuracy, since 360 pairs to 1 are impostors'."""
    folder = read_folder(lfw_images(data))
    seen = subject.embed([folder.path(i) for i in range(len(folder))])
    pairs = all_pairs(seen.templates, folder.labels, alpha=subject.alpha, loosest_far=max(ALL_FARS))
    curve, scored = pairs.curve(), pairs.scored
    table = rates.tar_table(scored, ALL_FARS, subject.seed)
    shown = table[rates.far_name(SHOWN_FAR)]
    figures = {
        "auc": curve.auc,
        "eer": verification.eer(curve),
        "tar_at_far": table,
        "threshold": shown and shown["threshold"],
        "pairs": len(scored.genuine) + scored.impostors,
        "genuine_pairs": len(scored.genuine),
        "impostor_pairs": scored.impostors,
        "people": len(folder.identities),
        "pictures": len(folder),
        "faces_not_found": seen.faces_not_found,
    }
    rows = [
        {"threshold": float(t), "far": float(f), "tar": float(a)}
        for t, f, a in zip(curve.thresholds[::500], curve.fpr[::500], curve.tpr[::500], strict=True)
    ]
    return Outcome(figures, {"": curve}, table=rows)


def identify(subject: Subject, data: Path) -> Outcome:
    """1:N at galleries of 10, 100 and 1,000 people, and classification with a reject class.

    `accuracy` is the rank-1 rate at the largest gallery that the data can fill, `threshold` its one at FPIR 0.01.
    """
    folder = read_folder(lfw_images(data))
    sizes = [size for size in identification.GALLERIES if identification.can_hold(folder.labels, size)]
    if not sizes:
        raise BadPairs(
            f"{data}: a gallery needs {identification.GALLERIES[0]} people with two pictures or more, and strangers beside them"
        )
    seen = subject.embed([folder.path(i) for i in range(len(folder))])
    found = {size: identification.identify(seen.templates, folder.labels, size, subject.seed) for size in sizes}
    largest = found[sizes[-1]][0]
    at = largest["fnir_at_fpir"]["0.01"]
    outcome = Outcome(
        {
            "accuracy": largest["rank_1"],
            "accuracy_std": largest["rank_1_std"],
            "threshold": at and at["threshold"],
            "faces_not_found": seen.faces_not_found,
            "people": len(folder.identities),
            "pictures": len(folder),
            "galleries": [row for row, _ in found.values()],
            "galleries_not_filled": [size for size in identification.GALLERIES if size not in sizes],
        },
        searches={f"{size} people": curve for size, (_, curve) in found.items()},
    )
    classified = []
    for size in CLASSIFIED_GALLERIES:
        parts = classification.split(folder.labels, size, subject.seed)
        if parts is None:
            continue
        names = [folder.identities[i] for i in parts.chosen]
        for result in classification.classify_split(seen.templates, folder, parts, subject.alpha):
            classified.append({"people": size, "method": result.method, **result.row})
            outcome.matrices[f"{result.method}-{size}"] = (result, names)
    outcome.figures["classification"] = classified
    return outcome


def groups(subject: Subject, data: Path) -> Outcome:
    """Strangers of one group: per group the false match rates, and the worst group, whose figures stand at the top."""
    found = read_groups(data)
    seen = subject.embed([file for group in found for file in group.files])
    thresholds = {rates.far_name(t.false_match_rate): t.distance for t in subject.model.info.thresholds}
    parts = np.split(seen.templates, np.cumsum([len(group.files) for group in found])[:-1])
    judged = [
        judge_group(group, templates, subject.alpha, thresholds, subject.seed)
        for group, templates in zip(found, parts, strict=True)
    ]
    bad = worst(judged)
    curves = {one.name: one.pairs.curve() for one in judged if len(one.pairs.scored.genuine)}
    curve = curves.get(bad.name)
    return Outcome(
        {
            "auc": curve and curve.auc,
            "eer": curve and verification.eer(curve),
            "tar_at_far": bad.row["tar_at_far"],
            "threshold": bad.row["threshold_at_fmr"][rates.far_name(SHOWN_FAR)],
            "pairs": sum(one.row["stranger_pairs"] + one.row["genuine_pairs"] for one in judged),
            "faces_not_found": seen.faces_not_found,
            "worst_group": bad.name,
            "worst_group_at": worst_at(judged, thresholds),
            "model_thresholds": thresholds,
            "groups": {one.name: one.row for one in judged},
        },
        curves,
        table=[
            {"group": one.name, "threshold": float(t), "far": one.pairs.false_match_rate(float(t))}  # type: ignore[dict-item]
            for one in judged
            for t in np.arange(0, 20 * subject.alpha + 1) / 10
        ],
    )


def _judge_list(subject: Subject, listed: PairList) -> tuple[Outcome, Floats]:
    """What is said about a list, and its distances."""
    folds = subject.folds or listed.folds or 10
    verification.fold_sizes(len(listed.labels), folds)  # refused before the work, not after it
    verification.checked(np.zeros(len(listed.labels)), listed.labels, both=True)
    seen = subject.embed(listed.files)
    distances = _apart(seen, listed.pairs[:, 0], listed.pairs[:, 1])
    people = listed.people[listed.pairs]
    outcome = judge(distances, listed.labels, folds, people, alpha=subject.alpha, seed=subject.seed)
    outcome.figures |= {"faces_not_found": seen.faces_not_found, "pictures": len(listed.files)}
    return outcome, distances


def _apart(seen: Embedded, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
    """(n,) distances of templates a[i] and b[i], in float64: float32 would round alike pairs."""
    templates = seen.templates.astype(np.float64)
    return np.asarray(np.linalg.norm(templates[a] - templates[b], axis=1))


def _by_batches(count: int, batch: int) -> NDArray[np.int64]:
    """Places of `count` positives and `count` negatives behind them, in the order batch of positives, batch of negatives."""
    numbers = np.arange(count)
    return np.lexsort((np.tile(numbers, 2), np.repeat([0, 1], count), np.tile(numbers // batch, 2)))
