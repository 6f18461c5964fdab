"""Hard triplets before and after: the hardest are found, and what is written is what was measured."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training import hard_triplets
from training.dataset import BadData


def grey(value: int) -> NDArray[np.uint8]:
    return np.full((8, 8, 3), value, np.uint8)


def by_brightness(faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The "model before": its template is how bright a face is."""
    return np.array([[face.mean() / 10, 0] for face in faces], np.float32)


def by_parity(faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The "model after": people are even or odd."""
    return np.array([[0, 10 * (int(face[0, 0, 0]) % 2)] for face in faces], np.float32)


TRIPLETS = [
    (grey(100), grey(110), grey(201)),  # easy before
    (grey(100), grey(200), grey(101)),  # hard
    (grey(50), grey(250), grey(51)),  # harder
]


def test_the_hardest_come_first_with_both_models_distances(tmp_path: Path) -> None:
    found = hard_triplets.compare(by_brightness, by_parity, TRIPLETS, shown=2)
    assert found.numbers == [2, 1]
    assert found.before.hard.tolist() == [True, True]
    assert found.after.hard.tolist() == [False, False]
    assert found.before.positive.tolist() == pytest.approx([20, 10])
    assert found.before.negative.tolist() == pytest.approx([0.1, 0.1], abs=1e-5)
    assert found.after.negative.tolist() == pytest.approx([10, 10])
    picture, table = hard_triplets.write(found, TRIPLETS, tmp_path / "new")
    assert picture.stat().st_size > 1000
    rows = list(csv.DictReader(table.open()))
    assert [row["triplet"] for row in rows] == ["2", "1"]
    assert float(rows[0]["positive_before"]) == pytest.approx(20)
    assert float(rows[1]["negative_after"]) == pytest.approx(10)


@pytest.mark.parametrize("triplets", [[], [(grey(1), grey(2))]])
def test_what_is_no_triplet_is_refused(triplets: list) -> None:
    with pytest.raises(BadData, match="anchor, positive and negative"):
        hard_triplets.compare(by_brightness, by_parity, triplets)
