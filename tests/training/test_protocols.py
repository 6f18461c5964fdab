"""Each protocol once through on drawn people: what is compared, what is counted, and what is said about it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.drawn_people import TinyEmbedder, drawn_face, write_people
from training import evaluation_files, outcome, protocols
from training.dataset import BadData
from training.protocols import Subject
from training.verification import BadPairs


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def subject(networks: Path) -> Subject:
    return Subject(TinyEmbedder(), networks)


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty people, 1 to 4 pictures each, in LFW's own layout."""
    data = tmp_path_factory.mktemp("data")
    write_people(data / "lfw", {f"Person_{i:02d}": 1 + i % 4 for i in range(30)})
    return data


def view2_lines(count: int, folds: int) -> str:
    """Pairs in LFW's order; Person_03 and Person_07 have four pictures."""
    lines = [f"{folds}\t{count}"]
    for _ in range(folds):
        lines += [f"Person_03\t{1 + i % 3}\t4" for i in range(count)]
        lines += [f"Person_{i % 3:02d}\t1\tPerson_{4 + i % 20:02d}\t1" for i in range(count)]
    return "\n".join(lines) + "\n"


def test_view_2_takes_each_threshold_from_the_other_folds(subject: Subject, lfw: Path) -> None:
    (lfw / "pairs.txt").write_text(view2_lines(300, 10))
    found = protocols.lfw_view2(subject, lfw).figures
    assert set(outcome.EVERY_RESULT) <= set(found)
    assert (found["pairs"], found["folds"], found["impostor_pairs"]) == (6000, 10, 3000)
    assert found["accuracy"] == 1.0
    assert found["faces_not_found"] == found["pictures"] == 4 + 3 + 20
    assert found["tar_at_far"]["0.01"]["tar"] == 1.0
    assert (found["tar_at_far"]["0.001"], found["tar_at_far"]["0.0001"]) == (None, None)
    assert list(found["tar_at_far_with_few_errors"]) == ["0.001"]


def test_view_2_is_view_2(subject: Subject, lfw: Path) -> None:
    (lfw / "short.txt").write_text(view2_lines(3, 10))
    with pytest.raises(BadPairs, match="60 pairs in 10 folds, but View 2 has 6000"):
        protocols.lfw_view2(subject, lfw, lfw / "short.txt")
    assert protocols.pairs_file(subject, lfw, lfw / "short.txt").figures["pairs"] == 60


def test_a_list_that_cannot_be_judged_costs_no_embedding(networks: Path, lfw: Path) -> None:
    model = TinyEmbedder()
    for name, text, words in (
        ("few.txt", "Person_03 1 2\nPerson_03 1 Person_04 1\n", "2 pairs can't fill 10 folds"),
        ("one.txt", "Person_03 1 2\n" * 12, "all 12 pairs have label 1"),
    ):
        (lfw / name).write_text(text)
        with pytest.raises(BadPairs, match=words):
            protocols.pairs_file(Subject(model, None), lfw, lfw / name)
    assert model.embedded == 0
    folds = Subject(model, networks, folds=2)
    assert protocols.pairs_file(folds, lfw, lfw / "few.txt").figures["folds"] == 2


def test_all_pairs_of_a_set(subject: Subject, lfw: Path) -> None:
    found = protocols.lfw_all(subject, lfw)
    pictures = sum(1 + i % 4 for i in range(30))
    assert found.figures["pairs"] == pictures * (pictures - 1) // 2
    assert found.figures["genuine_pairs"] == sum((1 + i % 4) * (i % 4) // 2 for i in range(30))
    assert found.figures["accuracy"] is None
    assert found.figures["auc"] == pytest.approx(1.0)
    assert list(found.figures["tar_at_far"]) == ["0.01", "0.001", "0.0001", "0.00001", "0.000001"]
    assert found.figures["tar_at_far"]["0.01"]["tar"] == 1.0
    assert found.figures["tar_at_far"]["0.000001"] is None


def test_the_thesis_protocol_says_that_it_is_not_independent(subject: Subject, lfw: Path) -> None:
    found = protocols.thesis(subject, lfw, triplets=200).figures
    assert found["pairs"] == 400
    assert found["independent"] is False
    assert found["accuracy"] == 1.0
    assert 0.5 <= found["mean_batch_threshold"] <= 5.0
    assert protocols.thesis(subject, lfw, triplets=200).figures == found


def test_batches_stand_in_the_published_order() -> None:
    """64 positives, 64 negatives, …, and the short last batch: the folds cut through this order."""
    assert protocols._by_batches(5, 2).tolist() == [0, 1, 5, 6, 2, 3, 7, 8, 4, 9]


def test_thirty_pairs_make_a_table(subject: Subject, lfw: Path, tmp_path: Path) -> None:
    found = protocols.pairs_30(subject, lfw)
    correct = found.figures["correct_at"]
    assert (len(correct), found.figures["pairs"]) == (46, 30)
    assert found.figures["best_correct"] == max(correct.values()) == 30
    assert all(correct[f"{t:.1f}"] == 30 for t in found.figures["best_thresholds"])
    files = {path.name for path in evaluation_files.write_all(found, tmp_path)}
    assert {"correct.csv", "correct.png", "thresholds.csv", "roc.png", "det.png", "result.json"} == files
    (lfw / "short.txt").write_text(view2_lines(3, 2))
    with pytest.raises(BadPairs, match="12 pairs; the table is made of 30"):
        protocols.pairs_30(subject, lfw, lfw / "short.txt")


def test_identify_fills_what_galleries_it_can(subject: Subject, lfw: Path, tmp_path: Path) -> None:
    found = protocols.identify(subject, lfw)
    assert [row["gallery"] for row in found.figures["galleries"]] == [10]
    assert found.figures["galleries_not_filled"] == [100, 1000]
    assert found.figures["accuracy"] == 1.0
    assert found.figures["classification"] == []  # seven people have four pictures; ten are needed
    with pytest.raises(BadPairs, match="10 people with two pictures"):
        protocols.identify(subject, write_people(tmp_path, {f"p{i}": 2 for i in range(10)}))


def test_classification_is_part_of_identify(subject: Subject, tmp_path: Path) -> None:
    found = protocols.identify(subject, write_people(tmp_path / "data", {f"p{i:02d}": 4 + i % 2 for i in range(24)}))
    rows = found.figures["classification"]
    assert [(row["people"], row["method"]) for row in rows] == [(10, "nearest"), (10, "svm")]
    assert all(row["known_accuracy"] > 0.9 for row in rows)
    files = {path.name for path in evaluation_files.write_all(found, tmp_path / "out")}
    assert {"confusion-nearest-10.csv", "confusion-nearest-10.png", "confusion-svm-10.csv", "det.png"} <= files
    heading, *body = (tmp_path / "out" / "confusion-svm-10.csv").read_text().splitlines()
    assert len(body) == 11
    assert heading.endswith("(unknown)")


def test_the_worst_group_is_named(subject: Subject, tmp_path: Path) -> None:
    """`alike` are takes of one drawing under many names; the other group has real differences, and people in folders."""
    (tmp_path / "alike").mkdir()
    for take in range(60):
        cv2.imwrite(str(tmp_path / "alike" / f"{take}.png"), drawn_face(500, take))
    write_people(tmp_path / "different", {f"p{i:02d}": 2 for i in range(50)})
    found = protocols.groups(subject, tmp_path)
    alike, different = found.figures["groups"]["alike"], found.figures["groups"]["different"]
    assert found.figures["worst_group"] == "alike"
    assert alike["false_match_rate_at"] == {"0.01": 1.0, "0.001": 1.0}
    assert different["false_match_rate_at"]["0.01"] < 0.1
    worst = found.figures["worst_group_at"]["0.01"]
    assert (worst["group"], worst["rate"], worst["threshold"]) == ("alike", 1.0, 6.0)
    strict = different["at_model_thresholds"]["0.001"]
    assert strict["interval"][0] <= strict["rate"] <= strict["interval"][1]
    assert (alike["genuine_pairs"], different["genuine_pairs"]) == (0, 50)
    assert (alike["stranger_pairs"], different["people"]) == (1770, 50)
    assert alike["tar_at_far"]["0.01"] is None
    assert different["tar_at_far"]["0.01"]["tar"] == 1.0
    assert alike["threshold_at_fmr"]["0.01"] < different["threshold_at_fmr"]["0.01"]
    assert alike["threshold_at_fmr"]["0.001"] is None
    files = {path.name for path in evaluation_files.write_all(found, tmp_path / "out")}
    assert {"thresholds.csv", "roc.png"} <= files


def test_a_group_of_one_person_is_refused(subject: Subject, tmp_path: Path) -> None:
    write_people(tmp_path / "group", {"only": 3})
    with pytest.raises(BadData, match="one person only"):
        protocols.groups(subject, tmp_path)


def test_thresholds_follow_the_models_sphere() -> None:
    """The published grid is for α = 10: another sphere gives the same accuracy, at thresholds of its own size."""
    rng = np.random.default_rng(0)
    same = np.arange(200) % 2 == 0
    d = np.abs(np.where(same, rng.normal(7, 1.5, 200), rng.normal(12, 1.5, 200)))
    usual, small = outcome.judge(d, same, 10).figures, outcome.judge(d / 10, same, 10, alpha=1.0).figures
    assert small["accuracy"] == usual["accuracy"]
    assert small["threshold"] == pytest.approx(usual["threshold"] / 10)
