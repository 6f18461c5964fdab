"""Who must not be trained on: by name, by likeness, and copies; nothing else goes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.faces import drawn, drawn_folder, write
from training import cleaning
from training.dataset import BadData, read_folder
from training.pictures import open_faces
from training.prepare_journal import NAME as JOURNAL


def towards(*degrees: float) -> np.ndarray:
    turns = np.deg2rad(degrees)
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)


def test_nearest_and_pairs_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    own, theirs = towards(0, 80, 84, 200), towards(82, 0)
    best, where = cleaning.nearest(own, theirs)
    assert where.tolist() == [1, 0, 0, 0]
    assert best[0] == pytest.approx(1)
    pairs = cleaning.pairs_from(own, 0.9)
    assert [pair[:2] for pair in pairs] == [(1, 2)]
    monkeypatch.setattr(cleaning, "ROWS", 1)
    assert cleaning.pairs_from(own, 0.9) == pairs
    assert np.array_equal(cleaning.nearest(own, theirs)[1], where)


@pytest.mark.parametrize(("one", "other"), [("Al_Pacino", "al  pacino"), ("Jean-Luc X", "Jean Luc_X")])
def test_names_are_spelt_in_many_ways(one: str, other: str) -> None:
    assert cleaning.plain(one) == cleaning.plain(other)


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """Faces of five people, one of whom is in the test set by name and one by a picture, and one of whom has a copy."""
    faces = drawn_folder(tmp_path / "faces", {f"p{i}": 3 for i in range(5)})
    test = drawn_folder(tmp_path / "test", {"P1": 2, "stranger": 1})
    for number, path in enumerate(sorted(test.rglob("*.jpg"))):
        write(path, drawn(500 + number))
    pictures = sorted((faces / "p3").iterdir())
    (test / "stranger" / "seen.jpg").write_bytes(pictures[0].read_bytes())
    (faces / "p4" / "copy.jpg").write_bytes(sorted((faces / "p4").iterdir())[0].read_bytes())
    return faces, test


def test_names_likeness_and_copies_go_and_nothing_else(sets: tuple[Path, Path], tmp_path: Path) -> None:
    faces, test = sets
    found = cleaning.clean(
        read_folder(faces), "five-points", [test], cosine=0.99, copy_cosine=0.9999, cache=tmp_path / "cache"
    )
    assert {one.file.split("/")[0] for one in found.by_name} == {"p1"}
    assert len(found.by_name) == 3
    assert found.by_name[0].because_of == "test/P1"
    assert [one.file.split("/")[0] for one in found.by_likeness] == ["p3"]
    assert found.by_likeness[0].because_of == "test/stranger/seen.jpg"
    assert [one.file.split("/")[0] for one in found.copies] == ["p4"]
    assert len(found.kept) == 16 - 5
    found.write(tmp_path / "out.json")
    assert len(json.loads((tmp_path / "out.json").read_text())["by_name"]) == 3


def test_nothing_left_is_an_error(sets: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadData, match="nothing is left of its"):
        cleaning.clean(
            read_folder(sets[0]), "five-points", [sets[0]], cosine=0.9, copy_cosine=1.0, cache=tmp_path / "c"
        )


def test_the_command_packs_what_is_left_and_says_who_went(
    sets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    faces, test = sets
    pack = tmp_path / "clean.pack"
    command = ["train", "clean", str(faces), "--apart-from", str(test), "--pack", str(pack), "--cosine", "0.99"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code != 0
    assert "not a folder that `attendance train prepare` made" in refused.output
    (faces / JOURNAL).write_text(json.dumps({"rule": {"crop": "five-points"}}) + "\n")
    done = CliRunner().invoke(app, [*command, "--copy-cosine", "0.9999"])
    assert done.exit_code == 0, done.output
    assert "11 of 16 pictures are left" in done.output
    assert len(open_faces(pack)) == 11
    assert (tmp_path / "clean.pack.left-out.json").is_file()


def test_the_fairface_command(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["train", "fairface", str(tmp_path), str(tmp_path / "out")])
    assert refused.exit_code != 0
    assert "FairFace as {train,test}/AGE/GROUP/picture.jpg is needed" in " ".join(refused.output.split())
