"""Fusing: the cosine is the weighted mean, a second opinion helps where errors differ, ties lean on neither."""

from pathlib import Path

import numpy as np
import pytest

from training import fusing
from training.dataset import FaceFolder
from training.fusing import Faces, Row
from worker.protocol.bundle import Threshold


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_a_fused_cosine_is_the_weighted_mean_of_both() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(2, 30, size)).astype(np.float32) for size in (128, 512))
    one, other = (fusing.fused(a[i], b[i], 0.3, 10.0) for i in (0, 1))
    assert one.shape == (30, 640)
    assert np.linalg.norm(one, axis=1) == pytest.approx(10, rel=1e-5)
    assert cosine(one, other) == pytest.approx(0.3 * cosine(a[0], a[1]) + 0.7 * cosine(b[0], b[1]), abs=1e-5)


def faces(people: int, pictures: int, seed: int, noise: float = 1.2) -> Faces:
    """Two recognisers that see the same people, each with its own noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(people), pictures)
    means = rng.normal(size=(people, 32))
    first, second = ((means[labels] + rng.normal(0, noise, (len(labels), 32))).astype(np.float32) for _ in range(2))
    files = [f"p{label:03d}/{i}.jpg" for i, label in enumerate(labels)]
    folder = FaceFolder(Path("people"), files, labels, [f"p{i:03d}" for i in range(people)])
    return Faces(folder, first, second)


def test_a_second_opinion_with_other_errors_beats_either() -> None:
    people = faces(120, 5, 1)
    alone = faces(900, 1, 2)
    groups = Faces(
        FaceFolder(Path("groups"), [f"g/{i}.jpg" for i in range(900)], np.zeros(900, np.int64), ["g"]),
        alone.first,
        alone.second,
    )
    alike = np.random.default_rng(3).normal(size=(900, 128)).astype(np.float32)
    rows = [fusing.row(people, groups, alike, weight, 10.0) for weight in (0.0, 0.5, 1.0)]
    shares = [one.true_accept_rate for one in rows]
    assert None not in shares
    assert fusing.best(rows).weight == 0.5
    assert shares[1] > max(shares[0], shares[2]) + 0.05  # type: ignore[operator, type-var]


def test_equals_lean_on_neither() -> None:
    points = [Threshold(false_match_rate=1e-4, distance=5.0, true_accept_rate=0.9)]
    assert fusing.best([Row(weight, points) for weight in (0.0, 0.45, 0.9)]).weight == 0.45
    assert Row(0.5, []).true_accept_rate is None
