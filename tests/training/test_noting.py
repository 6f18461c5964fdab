"""Figures of an evaluation in the bundle itself: which ones, whole or not at all, and what is refused."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.training.test_accuracy_table import found
from training.noting import accuracy_of, note
from worker.protocol.accuracy import Accuracy
from worker.protocol.bundle import INFO, BadBundle, read_info

__all__ = ["found"]

MODEL = "resnet50-triplet-0123456789ab"
INFO_OF_IT = {
    "id": MODEL,
    "architecture": "resnet50-triplet",
    "input_px": 224,
    "crop": "five-points",
    "alpha": 10.0,
    "weights_sha256": "0" * 64,
    "licence": "MIT",
    "thresholds": [{"false_match_rate": 1e-3, "distance": 9.0}],
    "threshold_source": "nobody",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / INFO).write_text(json.dumps(INFO_OF_IT))
    return tmp_path


def test_what_the_rows_say(found: dict[str, dict]) -> None:
    accuracy = accuracy_of(found)
    assert accuracy.lfw_view2 == found["lfw-view2"]["accuracy"]
    assert accuracy.thesis == found["thesis"]["accuracy"]
    assert accuracy.takes == found["takes"]["at_threshold"]["served"]["presences"]
    assert accuracy.fnir_of_1000 is None, "so many people weren't there"
    galleries = [{"gallery": 1000, "fnir_at_fpir": {"0.01": {"fnir": 0.25}}}]
    assert accuracy_of({"identify": {"galleries": galleries}}).fnir_of_1000 == 0.25
    assert accuracy_of({"lfw-all": {"tar_at_far": {"0.001": {"tar": 0.9}}}}).lfw_all_tar == 0.9
    assert accuracy_of({"lfw-all": {"tar_at_far": {"0.001": None}}, "takes": {"at_threshold": {}}}) == Accuracy()


def test_figures_are_noted_and_later_rows_add_to_them(bundle: Path) -> None:
    before = read_info(bundle / INFO)
    note(bundle, MODEL, {"lfw-view2": {"accuracy": 0.97, "accuracy_std": 0.01}})
    note(bundle, MODEL, {"thesis": {"accuracy": 0.96}})
    after = read_info(bundle / INFO)
    assert after.accuracy == Accuracy(lfw_view2=0.97, lfw_view2_std=0.01, thesis=0.96)
    assert after.model_copy(update={"accuracy": None}) == before
    assert [path.name for path in bundle.iterdir()] == [INFO]


def test_another_bundle_by_now_and_one_that_cannot_be_written(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (bundle / INFO).read_text()
    with pytest.raises(BadBundle, match="was measured; measure it again"):
        note(bundle, "resnet50-triplet-ba9876543210", {"thesis": {"accuracy": 0.96}})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.whole_file.os.replace", full)
    with pytest.raises(BadBundle, match="No space left"):
        note(bundle, MODEL, {"thesis": {"accuracy": 0.96}})
    assert (bundle / INFO).read_text() == text
    assert [path.name for path in bundle.iterdir()] == [INFO]


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"lfw_view2": 1.2}, "less than or equal to 1"),
        ({"lfw_view2": float("nan")}, "finite"),
        ({"thesis": "<b>"}, "valid number"),
        ({"lfw": 0.9}, "Extra inputs"),
        ({"takes": 3}, "takes_recognised is None, takes 3"),
        ({"takes": 3, "takes_recognised": 4, "takes_confused": 0}, "takes_recognised 4 of 3 takes"),
        ({"takes": -1, "takes_recognised": 0, "takes_confused": 0}, "greater than or equal to 0"),
    ],
)
def test_figures_that_are_none(bundle: Path, figures: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Accuracy.model_validate(figures)
    (bundle / INFO).write_text(json.dumps(INFO_OF_IT | {"accuracy": figures}))
    with pytest.raises(BadBundle, match="accuracy"):
        read_info(bundle / INFO)
