"""`attendance evaluate`: the JSON of its last line, the files of --out, and words for what is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.drawn_people import write_people
from tests.training.faces import admiral, astronaut, write

KEYS = {
    "accuracy", "accuracy_std", "auc", "eer", "tar_at_far", "threshold", "pairs", "faces_not_found", "model_id", "seconds",
}  # fmt: skip


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def last_line(output: str) -> dict[str, Any]:
    return dict(json.loads(output.strip().splitlines()[-1]))


@pytest.fixture
def distances(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [f"{abs(rng.normal(7 if same else 12, 1.5)):.6f},{same}" for same in [1, 0] * 1500]
    path = tmp_path / "distances.csv"
    path.write_text("distance,label\n" + "\n".join(rows) + "\n")
    return path


def test_given_distances(distances: Path, tmp_path: Path) -> None:
    code, output = call("--distances", distances, "--json", "--out", tmp_path / "out")
    assert code == 0, output
    found = last_line(output)
    assert set(found) >= KEYS
    assert found["pairs"] == 3000
    assert 0.9 < found["accuracy"] < 1
    assert (found["model_id"], found["faces_not_found"]) == (None, None)
    point = found["tar_at_far"]["0.01"]
    assert point["interval"][0] <= point["tar"] <= point["interval"][1]
    assert found["tar_at_far"]["0.001"] is None
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"result.json", "roc.png", "det.png", "thresholds.csv"}
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == found


def test_words_for_people(distances: Path) -> None:
    code, output = call("--distances", distances)
    assert code == 0
    assert "accuracy" in output
    assert "tar_at_far 0.01 interval" in output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("1.5,1\nnan,0\n", "line 2: distance nan"),
        ("1.5,1\n-2,0\n", "line 2: distance -2"),
        ("1.5,1\n2,7\n", "line 2: label '7'"),
        ("1.5,1\n" * 20, "all 20 pairs have label 1"),
        ("1.5,1\n2.5,0\n", "2 pairs can't fill 10 folds"),
    ],
)
def test_hostile_distances(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "distances.csv"
    path.write_text(text)
    code, output = call("--distances", path, "--json")
    assert code == 2
    assert words in output
    assert len(output.strip().splitlines()) == 1


def test_a_model_on_a_list_of_pairs(tmp_path: Path) -> None:
    """SFace on drawings: no face anywhere, all counted, none dropped."""
    data = write_people(tmp_path / "data", {f"p{i}": 2 for i in range(6)})
    rows = [f"p{i}/p{i}_0001.png,p{j}/p{j}_0002.png,{int(i == j)}" for i in range(6) for j in range(3)]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    asked = ("--protocol", "pairs-file", "--data", data, "--cache", tmp_path / "cache", "--json", "--folds", 3)
    code, output = call(*asked, "--pairs", tmp_path / "pairs.csv", "--model", "sface")
    assert code == 0, output
    found = last_line(output)
    assert set(found) >= KEYS
    assert (found["pairs"], found["faces_not_found"], found["pictures"]) == (18, 9, 9)
    assert found["model_id"].startswith("sface-")
    (data / "p0" / "p0_0001.png").write_bytes(b"broken")
    code, output = call(*asked, "--pairs", tmp_path / "pairs.csv")
    assert code == 2
    assert "p0_0001.png" in output
    (tmp_path / "pairs.csv").write_text("p0/p0_0001.png,p9/p9_0001.png,0\n")
    code, output = call(*asked, "--pairs", tmp_path / "pairs.csv")
    assert code == 2
    assert "line 1: 'p9/p9_0001.png' is no file" in output


def test_takes_quality_and_cost_through_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.cost.REPETITIONS", 1)
    for take in ("a", "b"):
        for name, portrait in (("eileen", astronaut()), ("grace", admiral())):
            write(tmp_path / "takes" / name / take / "0.png", portrait)
    asked = ("--model", "sface", "--cache", tmp_path / "cache", "--json", "--threads", 1)
    code, output = call("--protocol", "takes", "--data", tmp_path / "takes", *asked)
    assert code == 0, output
    assert last_line(output)["at_threshold"]["served"]["presences"] == 4
    rows = [f"{a}/a/0.png,{b}/b/0.png,{int(a == b)}" for a in ("eileen", "grace") for b in ("eileen", "grace")]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    pairs = ("--pairs", tmp_path / "pairs.csv", "--folds", 2)
    code, output = call("--protocol", "quality", "--data", tmp_path / "takes", *pairs, *asked)
    assert code == 0, output
    found = last_line(output)
    assert set(found) >= KEYS
    assert len(found["rows"]) == 9
    code, output = call("--protocol", "quality", "--data", tmp_path / "takes", *pairs, *asked, "--precision", "f32")
    assert code == 0, output
    exact = last_line(output)
    assert exact["model_id"] == found["model_id"] + "-f32", "templates of several precisions aren't mixed"
    assert exact["rows"] == found["rows"], "SFace serves in float32"
    code, output = call("--cost", *asked)
    assert code == 0, output
    assert last_line(output)["precisions"]["f32"]["ms_one_face"] > 0


def test_a_broken_bundle_is_named(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "model.json").write_text("{}")
    data = write_people(tmp_path / "data", {f"p{i}": 2 for i in range(6)})
    for model, words in ((tmp_path / "bundle", "model.json"), ("nothing", "neither one of sface")):
        code, output = call("--model", model, "--protocol", "lfw-all", "--data", data, "--cache", tmp_path / "cache")
        assert code == 2
        assert words in output


def test_folders_that_are_none(tmp_path: Path, distances: Path) -> None:
    asked = ("--cache", tmp_path / "cache", "--data", tmp_path / "nothing")
    for protocol in ("lfw-view2", "lfw-all", "thesis", "pairs30", "identify", "groups", "takes", "quality"):
        code, output = call("--protocol", protocol, *asked)
        assert code == 2
        assert "nothing" in output
    (tmp_path / "file").write_text("")
    code, output = call("--distances", distances, "--out", tmp_path / "file")
    assert code == 2
    assert "file" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "one of --protocol"),
        (("--protocol", "lfw-all"), "needs --data"),
        (("--protocol", "pairs-file", "--data", "."), "needs --pairs"),
        (("--layers", "x.jpg"), "needs --out"),
        (("--speed", "--distances", "x.csv"), "one of --protocol"),
        (("--speed", "--cost"), "--speed and --cost"),
        (("--cost", "--precision", "f32"), "is for --protocol"),
        (("--protocol", "lfw-all", "--data", ".", "--precision", "f32", "--device", "cuda"), "leave --device cuda out"),
        (("--protocol", "lfw-all", "--data", ".", "--precision", "int8"), "needs --int8-faces"),
        (("--protocol", "lfw-all", "--data", ".", "--int8-faces", "."), "is for --precision int8"),
        (("--protocol", "lfw-all", "--data", ".", "--precision", "f16"), "'f16' is not one of"),
    ],
)
def test_one_question_at_a_time(arguments: tuple[str, ...], words: str) -> None:
    code, output = call(*arguments)
    assert code == 2
    assert words in output
