"""`attendance train accuracy`: the rows that have their data, what is kept, and rows that fail without ending the others."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.errors import Problem
from deploy.train_accuracy import _note
from tests.training.drawn_people import write_people
from tests.training.faces import admiral, astronaut, write
from tests.training.test_noting import INFO_OF_IT, MODEL


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["train", "accuracy", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    for take in ("a", "b"):
        for name, portrait in (("eileen", astronaut()), ("grace", admiral())):
            write(tmp_path / "takes" / name / take / "0.png", portrait)
    return tmp_path / "takes"


def test_rows_are_run_kept_and_written_down(tmp_path: Path, takes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.cost.REPETITIONS", 1)
    lfw = write_people(tmp_path / "lfw", {f"p{i}": 2 for i in range(3)})  # without pairs.txt
    out = tmp_path / "out"
    asked = ("--model", "sface", "--nuaa", takes, "--lfw", lfw, "--out", out, "--cache", tmp_path / "cache")
    rows = ("--only", "takes", "--only", "cost", "--only", "lfw-view2", "--only", "groups")
    code, output = call(*asked, *rows, "--threads", 1)
    assert code == 1  # lfw-view2 has no list of pairs; the others have run
    assert "groups: left out, since --fairface isn't given" in output
    assert "sface, lfw-view2: failed: " in output
    assert "pairs.txt" in output
    page = (out / "accuracy.md").read_text()
    assert "| takes | sface |" in page
    assert "| cost | sface |" in page
    assert str(tmp_path) not in page
    result = out / "sface" / "takes" / "result.json"
    assert json.loads(result.read_text())["people"] == 2
    code, output = call(*asked, "--only", "takes", "--threads", 1)
    assert code == 0
    assert "sface, takes: kept" in output
    model_id = json.loads(result.read_text())["model_id"]
    for unusable in ("{broken", "[]", json.dumps({"model_id": model_id}), json.dumps({"model_id": "another"})):
        result.write_text(unusable)
        code, output = call(*asked, "--only", "takes", "--threads", 1)
        assert code == 0
        assert "takes: kept" not in output
        assert json.loads(result.read_text())["people"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "sface", "--only", "nothing"), "there is no such row; there are lfw-view2, "),
        (("--model", "sface", "--only", "takes"), "no row can be run"),
        (("--model", "nowhere", "--only", "cost"), "neither one of sface"),
        (("--model", "sface", "--model", "sface", "--only", "cost"), "there is a sface already"),
    ],
)
def test_mistakes_show_before_anything_runs(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    code, output = call(*arguments, "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert code == 2
    assert words in output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path, takes: Path) -> None:
    (tmp_path / "file").write_text("")
    out = ("--out", tmp_path / "file", "--cache", tmp_path / "cache")
    code, output = call("--model", "sface", "--nuaa", takes, *out)
    assert code == 2
    assert "file" in output


def test_only_bundles_are_noted_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "model.json").write_text(json.dumps(INFO_OF_IT))
    models = {"bundle": (str(bundle), MODEL), "sface": ("sface", "sface-0123456789ab"), "dlib": ("dlib", "dlib")}
    row = {"thesis": {"accuracy": 0.9}}
    _note(models, dict.fromkeys(models, row))
    assert json.loads((bundle / "model.json").read_text())["accuracy"] == {"thesis": 0.9}
    assert capsys.readouterr().err == f"{bundle}: noted thesis\n"
    with pytest.raises(Problem, match="measure it again"):
        _note({"bundle": (str(bundle), "resnet50-triplet-ba9876543210")}, {"bundle": row})
