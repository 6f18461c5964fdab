"""What a folder on the disk gives to the names' rules, and clear words for what can't be read."""

import os
from pathlib import Path

import pytest

from deploy.enrol_folder import BadFolder, read_plan


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def why(folder: Path, name: str) -> str:
    return next(item.why for item in read_plan(folder).left_out if item.path == name)


def test_folders_and_files_of_people(tmp_path: Path) -> None:
    put(tmp_path, "E001_Ann_Lee/1.jpg", "E001_Ann_Lee/2.PNG", "0004/a.jpeg", "E2_Budi.jpg", "E2_Budi_2.jpg")
    plan = read_plan(tmp_path)
    found = [(p.code, p.name, len(p.pictures)) for p in plan.people]
    assert found == [("0004", "0004", 1), ("E001", "Ann Lee", 2), ("E2", "Budi", 2)]
    assert all((plan.folder / picture).is_file() for person in plan.people for picture in person.pictures)
    assert plan.left_out == []


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    put(tmp_path, "E1/ok.jpg", "E1/notes.txt", "E1/deep/x.jpg", "bad name!/x.jpg", "readme.pdf")
    (tmp_path / "E2").mkdir()
    (tmp_path / "E1" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(tmp_path / "E1" / "pipe.jpg")
    assert "not a picture" in why(tmp_path, "E1/notes.txt")
    assert "one level up" in why(tmp_path, "E1/deep")
    assert "link" in why(tmp_path, "E1/gone.jpg")
    assert "not a file" in why(tmp_path, "E1/pipe.jpg")
    assert "begin with a code" in why(tmp_path, "bad name!")
    assert "no picture" in why(tmp_path, "E2")
    assert "not a picture" in why(tmp_path, "readme.pdf")
    assert [p.code for p in read_plan(tmp_path).people] == ["E1"]


def test_hidden_files_are_passed_over_in_silence(tmp_path: Path) -> None:
    put(tmp_path, "E1/1.jpg", "E1/.DS_Store", "E1/Thumbs.db", ".git/x.jpg")
    assert read_plan(tmp_path).left_out == []


def test_nobody_to_enrol_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="nobody to enrol"):
        read_plan(tmp_path)
    put(tmp_path, "a.txt")
    with pytest.raises(BadFolder, match=r"a\.txt"):
        read_plan(tmp_path)
    with pytest.raises(BadFolder, match="this is a file"):
        read_plan(tmp_path / "a.txt")
    with pytest.raises(BadFolder, match="no such folder"):
        read_plan(tmp_path / "nothing")
