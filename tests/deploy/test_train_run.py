"""`attendance train run`, `export`, `compare`: what is wrong is said in words, with exit code 2."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.faces import drawn_folder


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["train", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["thesys"],
            "shipped recipe (compare, imitate-112, modern, resnet50-triplet, small, small-clean, small-identities, thesis)",
        ),
        (["thesis", "--set", "network.depth=3"], "network.depth: Extra inputs"),
        (["thesis", "--set", "lr"], "write section.key=value"),
        (["thesis"], "there is no such folder"),
        (["thesis", "--resume", "last"], "start the run without --resume"),
    ],
)
def test_runs_that_cant_start(options: list[str], said: str, tmp_path: Path) -> None:
    code, text = call("run", *options, "--data", str(tmp_path / "no"), "--out", str(tmp_path / "out"))
    assert code == 2
    assert said in " ".join(text.split())


def test_nobody_to_validate_on_and_nowhere_to_write(tmp_path: Path) -> None:
    faces = drawn_folder(tmp_path / "faces", {"a": 2, "b": 2, "c": 2})
    out = tmp_path / "out"
    code, text = call("run", "thesis", "--data", str(faces), "--out", str(out), "--init", "random")
    assert (code, "give --valid DIR" in text) == (2, True)
    out.write_text("a file")
    small = [
        "--set",
        "network.architecture=resnet18",
        "--set",
        "network.head=pooled",
        "--set",
        "data.held_out_share=0.4",
    ]
    code, text = call("run", "thesis", "--data", str(faces), "--out", str(out), "--init", "random", *small)
    assert code == 2
    assert str(out) in text.replace("\n", "")


def test_export_and_compare_without_a_run(tmp_path: Path) -> None:
    code, text = call("export", str(tmp_path), "--to", str(tmp_path / "bundle"))
    assert (code, "no such checkpoint" in " ".join(text.split())) == (2, True)
    code, text = call("compare", "thesis", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert (code, "a comparison has recipe and variants" in " ".join(text.split())) == (2, True)
