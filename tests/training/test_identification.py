"""1:N against probes one by one, and classification with strangers."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.test_all_pairs import clusters
from training import classification, identification
from training.dataset import FaceFolder


def folder_of(labels: NDArray[np.int64]) -> FaceFolder:
    names = [f"person {i:03d}" for i in range(labels.max() + 1)]
    return FaceFolder(Path("nowhere"), [f"{names[i]}/{n}.jpg" for n, i in enumerate(labels)], labels, names)


def many(people: int, most: int, spread: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    templates, owners = clusters(people, most, spread=spread)
    order = np.argsort(owners, kind="stable")  # as a folder has them
    return templates[order], owners[order]


def test_one_repetition_equals_probes_one_by_one() -> None:
    templates, people = many(60, 5, spread=1.6)
    found = identification.search(templates, people, 10, np.random.default_rng(0))
    assert len(found.mated) + len(found.strangers) == len(people) - 10
    # the same draw again, and then everything by hand
    rng = np.random.default_rng(0)
    enrolled = rng.choice(np.flatnonzero(np.bincount(people) >= 2), 10, replace=False)
    shuffled = rng.permutation(len(people))
    gallery = {person: next(i for i in shuffled if people[i] == person) for person in enrolled}
    limit = 12.0
    named = missed = accepted = strangers = first = 0
    for probe in range(len(people)):
        if probe in gallery.values():
            continue
        distances = {
            p: float(np.linalg.norm(templates[probe].astype(float) - templates[i])) for p, i in gallery.items()
        }
        nearest = min(distances, key=lambda p: distances[p])
        if people[probe] in gallery:
            first += nearest == people[probe]
            named += nearest == people[probe] and distances[nearest] < limit
            missed += not (nearest == people[probe] and distances[nearest] < limit)
        else:
            strangers += 1
            accepted += distances[nearest] < limit
    assert found.rank_1 == pytest.approx(first / (named + missed))
    assert found.fnir(np.array([limit]))[0] == pytest.approx(missed / (named + missed))
    assert found.fpir(np.array([limit]))[0] == pytest.approx(accepted / strangers)
    assert 0 < found.fnir(np.array([limit]))[0] < 1


def test_a_row_holds_rates_and_nulls() -> None:
    templates, people = many(80, 5, spread=0.3)
    row, (fpir, fnir) = identification.identify(templates, people, 10, seed=0)
    assert row["rank_1"] == 1.0
    assert row["repetitions"] == 100
    assert row["fnir_at_fpir"]["0.1"]["fnir"] == 0
    assert row["fnir_at_fpir"]["0.001"] is None  # 200 strangers make no error at that rate
    assert (np.diff(fpir) >= 0).all()
    assert (np.diff(fnir) <= 0).all()
    assert identification.identify(templates, people, 10, seed=0)[0] == row


def test_a_gallery_needs_people_with_two_pictures_and_strangers() -> None:
    assert identification.can_hold(np.array([0, 0, 1, 1, 2]), 2)
    assert not identification.can_hold(np.array([0, 0, 1, 1]), 2)
    assert not identification.can_hold(np.array([0, 0, 1, 2, 3]), 2)


def test_known_people_are_named_and_strangers_rejected() -> None:
    templates, people = many(120, 9, spread=0.5)
    parts = classification.split(people, 10, seed=0)
    assert parts is not None
    sides = [set(people[numbers].tolist()) for numbers in (parts.known, parts.setting, parts.strangers)]
    assert all(not a & b for a, b in itertools.combinations(sides, 2))
    assert not set(parts.known.tolist()) & set(parts.asked.tolist())
    for result in classification.classify_split(templates, folder_of(people), parts, alpha=10):
        row = result.row
        assert result.matrix.shape == (11, 11)
        assert row["known_accuracy"] == 1.0
        assert row["strangers_accepted"] < 0.1
        assert row["known_probes"] + row["stranger_probes"] == result.matrix.sum()
        table = classification.matrix_rows(result, [f"p{i}" for i in range(10)])
        assert table[0][-1] == table[-1][0] == classification.UNKNOWN
        assert len(table) == 12


def test_templates_without_meaning_are_rejected_or_wrong() -> None:
    rng = np.random.default_rng(0)
    people = np.sort(rng.integers(0, 60, 400))
    raw = rng.normal(size=(400, 128)).astype(np.float32)
    parts = classification.split(people, 10, seed=0)
    assert parts is not None
    for result in classification.classify_split(
        raw / np.linalg.norm(raw, axis=1, keepdims=True), folder_of(people), parts, 1
    ):
        assert result.row["known_accuracy"] < 0.2


def test_too_few_people_make_no_classification() -> None:
    assert classification.split(np.repeat(np.arange(9), 5), 10, seed=0) is None
    assert classification.split(np.repeat(np.arange(11), 5), 10, seed=0) is None  # one stranger is not enough
    assert classification.split(np.repeat(np.arange(30), 3), 10, seed=0) is None
