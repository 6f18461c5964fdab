"""Who is in a folder, what is refused, and parts that have nobody in common."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training.faces import drawn_folder
from training.dataset import (
    BadData,
    FaceFolder,
    check_disjoint,
    find_duplicates,
    hashes_of,
    read_folder,
    split_identities,
)


def test_pictures_stand_by_identity_and_nested_takes_count(tmp_path: Path) -> None:
    drawn_folder(tmp_path, {"b": 1, "a": 2, "a-b": 1})
    drawn_folder(tmp_path / "b", {"take1": 1, "take2": 1})
    for clutter in ("a/notes.txt", "a/.hidden.jpg", ".cache/x.jpg", "report.json"):
        (tmp_path / clutter).parent.mkdir(exist_ok=True)
        (tmp_path / clutter).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a" / "circle").symlink_to(tmp_path, target_is_directory=True)
    folder = read_folder(tmp_path)
    assert folder.identities == ["a", "a-b", "b"]
    assert folder.files == ["a/0.jpg", "a/1.jpg", "a-b/0.jpg", "b/0.jpg", "b/take1/0.jpg", "b/take2/0.jpg"]
    assert folder.labels.tolist() == [0, 0, 1, 2, 2, 2]
    assert folder.counts.tolist() == [2, 1, 3]


def test_a_folder_that_is_not_there_is_empty_or_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"nowhere: there is no such folder"):
        read_folder(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadData, match="this is a file"):
        read_folder(tmp_path / "file")
    (tmp_path / "person").mkdir()
    with pytest.raises(BadData, match="no pictures in it"):
        read_folder(tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    drawn_folder(tmp_path, {"a": 1})
    (tmp_path / "a").chmod(0)
    with pytest.raises(BadData, match="a: can't be read"):
        read_folder(tmp_path)
    (tmp_path / "a").chmod(0o700)


def test_a_part_keeps_files_and_counts_labels_anew(tmp_path: Path) -> None:
    folder = read_folder(drawn_folder(tmp_path, {"a": 2, "b": 1, "c": 2}))
    part = folder.part([4, 0])
    assert (part.files, part.identities, part.labels.tolist()) == (["a/0.jpg", "c/1.jpg"], ["a", "c"], [0, 1])
    assert len(folder.part([])) == 0


def test_splitting_is_by_person_and_by_seed(tmp_path: Path) -> None:
    folder = read_folder(drawn_folder(tmp_path, dict.fromkeys("abcdefghij", 2)))
    kept, held_out = split_identities(folder, 0.3, seed=5)
    assert len(held_out.identities) == 3
    assert sorted(kept.identities + held_out.identities) == folder.identities
    assert set(kept.files) | set(held_out.files) == set(folder.files)
    assert split_identities(folder, 0.3, seed=5)[1].identities == held_out.identities
    assert any(split_identities(folder, 0.3, seed=s)[1].identities != held_out.identities for s in range(6, 9))
    check_disjoint({"training": kept, "validation": held_out})
    with pytest.raises(BadData, match="0 to hold out"):
        split_identities(folder, 0.01, seed=5)
    with pytest.raises(BadData, match="10 to hold out"):
        split_identities(folder, 1.0, seed=5)


def test_parts_that_share_a_person_or_a_picture_are_refused_by_name(tmp_path: Path) -> None:
    first = read_folder(drawn_folder(tmp_path / "first", {"Anne_Hathaway": 1, "Bo": 1}))
    second = read_folder(drawn_folder(tmp_path / "second", {"anne hathaway": 1}))
    with pytest.raises(BadData, match="training and test: Anne_Hathaway"):
        check_disjoint({"training": first, "test": second})
    (tmp_path / "third" / "Cy").mkdir(parents=True)
    shutil.copy(tmp_path / "first" / "Bo" / "0.jpg", tmp_path / "third" / "Cy" / "9.jpg")
    with pytest.raises(BadData, match=r"training Bo/0\.jpg = test Cy/9\.jpg"):
        check_disjoint({"training": first, "test": read_folder(tmp_path / "third")})


def test_duplicates_are_told_apart_by_whether_one_person_has_them(tmp_path: Path) -> None:
    drawn_folder(tmp_path, {"a": 2, "b": 2, "c": 1})
    shutil.copy(tmp_path / "a" / "0.jpg", tmp_path / "a" / "copy.jpg")
    shutil.copy(tmp_path / "b" / "1.jpg", tmp_path / "c" / "9.jpg")
    folder = read_folder(tmp_path)
    found = find_duplicates(folder.files, hashes_of(folder))
    assert found.within == [["a/0.jpg", "a/copy.jpg"]]
    assert found.across == [["b/1.jpg", "c/9.jpg"]]


def test_an_unreadable_file_is_named_when_hashing(tmp_path: Path) -> None:
    folder = read_folder(drawn_folder(tmp_path, {"a": 2}))
    (tmp_path / "a" / "1.jpg").unlink()
    with pytest.raises(BadData, match=r"a/1\.jpg: can't be read"):
        hashes_of(folder)


def test_a_message_about_many_people_names_a_few_and_counts_the_others() -> None:
    names = [f"person {i}" for i in range(10_000)]
    many = FaceFolder(
        Path("x"), [f"{n}/0.jpg" for n in names], np.arange(10_000), names, [str(i) for i in range(10_000)]
    )
    with pytest.raises(BadData, match=r"^10000 people are in more than one part \(.*; and 9995 more\)"):
        check_disjoint({"a": many, "b": many})
