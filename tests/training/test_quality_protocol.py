"""Accuracy by quality and by pose: which pictures are made worse, and which row a pair belongs to."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.drawn_people import TinyEmbedder, write_people
from training import evaluation_files
from training.degradations import Degradation
from training.pair_files import PairList
from training.protocols import Subject
from training.quality_protocol import CLEAN, at_thresholds, pose_rows, quality
from training.verification import BadPairs
from worker.detector import Face

BAD = (Degradation("jpeg-30", jpeg=30), Degradation("tiny", face_px=8), Degradation("wide", face_px=500))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_people(tmp_path / "lfw", {f"p{i}": 2 for i in range(6)})
    lines = ["2\t6"]
    for _ in range(2):
        lines += [f"p{i}\t1\t2" for i in range(6)] + [f"p{i}\t1\tp{(i + 1) % 6}\t2" for i in range(6)]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_row_a_degradation(data: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    model = TinyEmbedder()
    subject = Subject(model, tmp_path / "cache", on_progress=lambda done, of: told.append((done, of)))
    found = quality(subject, data, degradations=BAD)
    assert list(found.figures["rows"]) == [CLEAN, "jpeg-30", "tiny", "wide"]
    assert (found.figures["pictures"], found.figures["pictures_made_worse"]) == (12, 6)
    assert model.embedded == 12 + 3 * 6
    assert told[-1] == (2 * 12 + 3 * 6, 2 * 12 + 3 * 6)
    rows = found.figures["rows"]
    assert rows[CLEAN]["accuracy"] == found.figures["accuracy"] == 1.0
    assert rows["wide"]["at_model_thresholds"] == rows[CLEAN]["at_model_thresholds"]  # nothing was to be shrunk
    assert rows["tiny"] != rows[CLEAN]
    assert set(rows["tiny"]["at_model_thresholds"]) == {"0.01", "0.001"}
    assert {"roc.png", "det.png", "result.json"} == {p.name for p in evaluation_files.write_all(found, tmp_path / "o")}
    assert all(row["genuine_pairs"] == 0 for row in found.figures["poses"].values())  # drawings have no pose
    quality(subject, data, degradations=BAD)
    assert model.embedded == 30


def test_a_list_that_cannot_be_judged_costs_no_embedding(data: Path) -> None:
    (data / "one.txt").write_text("p0 1 2\n" * 12)
    model = TinyEmbedder()
    with pytest.raises(BadPairs, match="all 12 pairs have label 1"):
        quality(Subject(model, None), data, data / "one.txt")
    with pytest.raises(BadPairs, match=r"none\.txt: can't be read"):
        quality(Subject(model, None), data, data / "none.txt")
    assert model.embedded == 0


def turned(share: float) -> Face:
    """The nose that far off the eyes' middle, in half eye distances."""
    points = [[-10, 0], [10, 0], [10 * share, 8], [-8, 16], [8, 16]]
    return Face(np.array([-20, -20, 20, 30], np.float32), np.array(points, np.float32), 0.99)


def test_pairs_by_how_many_heads_are_turned() -> None:
    """Eight pairs: the frontal ones are right, one of one turned head is refused, both turned are taken for each other."""
    faces = [turned(0.0), turned(0.1), turned(0.5), turned(-0.6), None]
    pairs = np.array([[0, 1], [0, 1], [0, 2], [0, 2], [2, 3], [2, 3], [0, 4], [0, 4]])
    labels = np.array([1, 0] * 4)
    d = np.array([2.0, 12, 9, 12, 3, 3, 2, 12])
    listed = PairList([Path(str(i)) for i in range(5)], pairs, labels, np.arange(5))
    rows = pose_rows(Subject(TinyEmbedder(), None), d, listed, 2, faces)
    assert [row["genuine_pairs"] for row in rows.values()] == [1, 1, 1]
    assert rows["frontal"]["accuracy"] == 1.0
    assert rows["one turned"]["mean_genuine_distance"] == 9.0
    assert rows["frontal"]["at_model_thresholds"]["0.01"] == {"tar": 1.0, "far": 0.0, "false_accepts": 0}
    assert rows["one turned"]["at_model_thresholds"]["0.01"]["tar"] == 0.0
    assert rows["both turned"]["at_model_thresholds"]["0.01"]["far"] == 1.0


def test_a_row_without_pairs_has_no_rates() -> None:
    none = at_thresholds(np.zeros(0), np.zeros(0, np.bool_), {"0.01": 5.0})
    assert none == {"0.01": {"tar": None, "far": None, "false_accepts": 0}}
