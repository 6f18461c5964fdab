"""Thresholds by target false match rate, from people whom training never saw: for the promise in a bundle.

Two kinds of sets. People, with several pictures each, give genuine pairs and strangers at large. Groups (GROUP/picture, nearly
everybody once, as FairFace) give strangers who look alike: colleagues do, so the worst group sets the threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from training import report
from training.all_pairs import all_pairs
from training.cleaning import TEACHER, pairs_from, unit
from training.dataset import BadData, FaceFolder
from training.teacher import teacher_embeddings
from training.verification import BadPairs, Floats, allowed_errors
from worker.protocol.bundle import Threshold

RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
LEAST_ERRORS = 10
"""False accepts that a threshold must rest on; rates that would rest on fewer are left out."""
MOST_PICTURES = 20_000
"""Of a set of people: 200 million pairs. Of more, people are drawn at random."""
SAME_PERSON_COSINE = 0.7
"""SFace's, from which two pictures of a group count as one person's: these sets show some people twice, and say nothing of it.

Strangers of one group pass 0.6 about once in 10,000 pairs, so what is taken for one person here hides no rate above 1e-5.
"""


@dataclass(frozen=True)
class Scored:
    """Distances of a set's pairs, in rising order."""

    name: str
    people: int
    pictures: int
    genuine: Floats
    nearest: Floats
    """Of the pairs of strangers, the nearest."""
    impostors: int
    """All pairs of strangers."""

    def distance_at(self, rate: float) -> float | None:
        """The distance that lets `rate` of the strangers in; None where it would rest on too few.

        The worker accepts below the threshold, and the threshold is an impostor's distance: that pair stays out.
        """
        errors = allowed_errors(rate, self.impostors)
        if errors < LEAST_ERRORS or errors >= len(self.nearest):
            return None
        return float(self.nearest[errors])


def drawn_people(folder: FaceFolder, seed: int) -> FaceFolder:
    """All of them, or as many people, drawn by the seed, as MOST_PICTURES allows."""
    people = np.random.default_rng(seed).permutation(len(folder.identities))
    enough = int(np.searchsorted(np.cumsum(folder.counts[people]), MOST_PICTURES, side="right"))
    return folder.part(np.flatnonzero(np.isin(folder.labels, people[: max(enough, 2)])))


def score_people(templates: NDArray[np.float32], folder: FaceFolder, name: str, alpha: float) -> Scored:
    """All pairs of a set of people; raises BadData where there is no pair of strangers."""
    return _scored(templates, folder.labels, Path(name).name, folder, alpha)


def score_groups(
    templates: NDArray[np.float32], folder: FaceFolder, alike: NDArray[np.float32], alpha: float
) -> list[Scored]:
    """All pairs of strangers within each group of prepared faces, GROUP/picture; raises BadData.

    `alike` are the teacher's templates of the same pictures, which say who is there twice.
    """
    found = []
    for number, name in enumerate(folder.identities):
        own = np.flatnonzero(folder.labels == number)
        people = people_in_group(unit(alike[own]))
        group = _scored(templates[own], people, name, folder.part(own), alpha)
        found.append(Scored(name, group.people, group.pictures, np.zeros(0), group.nearest, group.impostors))
    return found


def alikeness(folder: FaceFolder, crop: str, cache: Path) -> NDArray[np.float32]:
    """The teacher's templates, for `score_groups`."""
    return teacher_embeddings(TEACHER, folder, crop, cache)


def people_in_group(unit_templates: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) whose picture each is, as far as the teacher is sure: pictures that are alike are one person's, and so on."""
    pairs = pairs_from(unit_templates, SAME_PERSON_COSINE)
    n = len(unit_templates)
    one, other = np.array([pair[:2] for pair in pairs], np.int64).reshape(-1, 2).T
    table = coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(n, n))
    return np.asarray(connected_components(table, directed=False)[1], np.int64)


def thresholds_of(people: Sequence[Scored], groups: Sequence[Scored], alpha: float) -> list[Threshold]:
    """At each of RATES the strictest distance that any set asks for, and the least share of genuine pairs that it accepts.

    A rate that some set of people can't show is left out. Where no group is large enough for a rate, all their pairs of
    strangers of one group are taken together, less what the worst group asked for beyond that at the rate before.
    """
    found: list[Threshold] = []
    lead = 0.0
    pooled = _together(groups)
    for rate in RATES:
        asked = [one.distance_at(rate) for one in people]
        if groups:
            by_group = [one.distance_at(rate) for one in groups]
            together = pooled.distance_at(rate)
            if None not in by_group:
                worst = min(distance for distance in by_group if distance is not None)
                lead = (together or worst) - worst
                asked.append(worst)
            else:
                asked.append(None if together is None else together - lead)
        if not asked or any(distance is None for distance in asked):
            continue
        distance = min([d for d in asked if d is not None] + [point.distance for point in found[-1:]])
        accepted = [np.searchsorted(one.genuine, distance) / len(one.genuine) for one in people if len(one.genuine)]
        if 0 < distance < 2 * alpha and accepted:
            found.append(Threshold(false_match_rate=rate, distance=distance, true_accept_rate=float(min(accepted))))
    return found


def too_few_words(people: Sequence[Scored], groups: Sequence[Scored], way_out: str) -> str:
    """Why there is no threshold, and the way out."""
    counts = ", ".join(str(one.impostors) for one in [*people, *groups])
    return (
        f"too few pairs of strangers for any threshold ({counts}): a rate of {RATES[0]:g} needs "
        f"{round(LEAST_ERRORS / RATES[0])}; {way_out}"
    )


def threshold_table(thresholds: Sequence[Threshold]) -> str:
    """For a model card, in Markdown."""
    rows = [[f"{t.false_match_rate:g}", f"{t.distance:.4f}", f"{t.true_accept_rate:.4f}"] for t in thresholds]
    return report.table(["false match rate", "distance", "true accept rate"], rows)


def source_words(
    people: Sequence[Scored],
    groups: Sequence[Scored],
    used_validation: bool,
    held_out: bool,
    others: str = "people who aren't in the training data",
) -> str:
    """What the thresholds rest on, for model.json and the card; `others` says who was no part of a run."""
    who = "; ".join(
        f"{c.name}: {c.people} people, {c.pictures} pictures, {len(c.genuine)} genuine and {c.impostors} impostor pairs"
        for c in people
    )
    how = "all pairs of prepared faces, single pictures, distance below the threshold accepted"
    if groups:
        sizes = ", ".join(f"{c.name} {c.pictures}" for c in groups)
        how += (
            f"; strangers of one group, the worst group counts (pictures: {sizes}; pairs that SFace takes for one person at a "
            f"cosine of {SAME_PERSON_COSINE:g} are left out; rates that no group alone can show from all groups' pairs "
            "together, less the worst group's lead)"
        )
    if used_validation:
        where = "identities held out of the training data" if held_out else "the run's validation set"
        return f"{where}, on which the best epoch was chosen too ({who}); {how}"
    return f"{others} ({who}); {how}" + ("; the strictest set counts" if len(people) > 1 else "")


def _together(groups: Sequence[Scored]) -> Scored:
    nearest = np.sort(np.concatenate([np.zeros(0), *(one.nearest for one in groups)]))
    # each group's tail ends somewhere: beyond the first end the list has gaps
    reach = min((float(one.nearest[-1]) for one in groups if len(one.nearest)), default=0.0)
    nearest = nearest[: int(np.searchsorted(nearest, reach, side="right"))]
    whole = [sum(getattr(one, name) for one in groups) for name in ("people", "pictures", "impostors")]
    return Scored("all groups", whole[0], whole[1], np.zeros(0), nearest, whole[2])


def _scored(
    templates: NDArray[np.float32], people: NDArray[np.int64], name: str, folder: FaceFolder, alpha: float
) -> Scored:
    try:
        pairs = all_pairs(templates, people, alpha=alpha, loosest_far=RATES[0]).scored
    except BadPairs as error:
        raise BadData(f"{folder.root}: {error}; give other people") from None
    return Scored(name, len(np.unique(people)), len(folder), pairs.genuine, pairs.tail, pairs.impostors)
