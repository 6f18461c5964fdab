"""Who a folder of pictures holds, and clear words for everything that can't be used."""

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
    return next(item.why for item in read_plan(folder).left_out if item.path == folder / name)


def test_a_folder_per_person(tmp_path: Path) -> None:
    put(tmp_path, "E001_Ann_Lee/1.jpg", "E001_Ann_Lee/2.PNG", "0004/a.jpeg")
    plan = read_plan(tmp_path)
    assert [(p.code, p.name, len(p.pictures)) for p in plan.people] == [("0004", "0004", 1), ("E001", "Ann Lee", 2)]
    assert plan.left_out == []


def test_files_named_by_code_and_name(tmp_path: Path) -> None:
    put(tmp_path, "E1_Ann_Lee.jpg", "E1_Ann_Lee_2.jpg", "E1_Ann_Lee_(3).jpg", "E2.webp", "E2_2.webp")
    people = read_plan(tmp_path).people
    assert [(p.code, p.name, len(p.pictures)) for p in people] == [("E1", "Ann Lee", 3), ("E2", "E2", 2)]


def test_more_than_five_pictures_are_told(tmp_path: Path) -> None:
    put(tmp_path, *(f"E1/{n}.jpg" for n in range(7)))
    plan = read_plan(tmp_path)
    assert [p.name for p in plan.people[0].pictures] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    assert [item.path.name for item in plan.left_out] == ["5.jpg", "6.jpg"]


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    put(tmp_path, "E1/ok.jpg", "E1/notes.txt", "E1/deep/x.jpg", "bad name!/x.jpg", "readme.pdf", "no code.jpg")
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
    assert "code_name.jpg" in why(tmp_path, "no code.jpg")
    assert [p.code for p in read_plan(tmp_path).people] == ["E1"]


def test_hidden_files_are_passed_over_in_silence(tmp_path: Path) -> None:
    put(tmp_path, "E1/1.jpg", "E1/.DS_Store", "E1/Thumbs.db", ".git/x.jpg")
    assert read_plan(tmp_path).left_out == []


def test_a_code_is_one_persons(tmp_path: Path) -> None:
    put(tmp_path, "E1/1.jpg", "E1_Bob/1.jpg", "E2_Ann.jpg", "E2_Bea.jpg")
    plan = read_plan(tmp_path)
    assert [(p.code, p.name) for p in plan.people] == [("E1", "E1"), ("E2", "Ann")]
    assert "E1 is there already" in why(tmp_path, "E1_Bob")
    assert "another name" in why(tmp_path, "E2_Bea.jpg")


@pytest.mark.parametrize("name", ["E1\x1b[31m_X", "../E1", "_Ann", "é_Ann", "E" * 40])
def test_hostile_names_are_no_code(tmp_path: Path, name: str) -> None:
    put(tmp_path, "OK/1.jpg")
    put(tmp_path, f"{name.replace('/', '-')}/1.jpg")
    assert [p.code for p in read_plan(tmp_path).people] == ["OK"]


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
