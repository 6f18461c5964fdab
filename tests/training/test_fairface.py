"""FairFace sorted into faces to learn from and strangers to judge by."""

from pathlib import Path

import pytest

from training import fairface
from training.dataset import BadData


def photographs(root: Path, count: int = 60) -> Path:
    for split in ("train", "val"):
        for age in ("3-9", "20-29", "more than 70"):
            for group in ("East Asian", "Latino_Hispanic"):
                place = root / split / age / group
                place.mkdir(parents=True)
                for number in range(count):
                    (place / f"{number}.jpg").write_bytes(f"{split}{age}{group}{number}".encode())
    (root / "train" / "20-29" / "East Asian" / "notes.txt").write_text("no picture")
    return root


def names(root: Path, part: str) -> set[str]:
    return {str(p.relative_to(root / part)) for p in (root / part).rglob("*.jpg")}


def test_parts_share_nobody_and_only_adults_judge(tmp_path: Path) -> None:
    counts = fairface.sort_out(photographs(tmp_path / "raw"), tmp_path / "out")
    out = tmp_path / "out"
    assert sorted(p.name for p in (out / "train").iterdir()) == ["east-asian", "latino-hispanic"]
    found = {part: names(out, part) for part in ("train", "calibrate", "test")}
    assert {part: len(files) for part, files in found.items()} == dict(counts)
    assert not found["train"] & found["calibrate"]
    assert len(found["test"]) == 2 * 2 * 60
    assert not any("3-9_" in name for name in found["calibrate"] | found["test"])
    share = len(found["calibrate"]) / (2 * 2 * 60)
    assert 0.05 < share < 0.3
    assert "east-asian/more-than-70_7.jpg" in found["test"]


def test_again_gives_the_same_and_another_disk_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = photographs(tmp_path / "raw", 5)
    first = fairface.sort_out(raw, tmp_path / "out")
    assert fairface.sort_out(raw, tmp_path / "out") == first

    def refuses(*_: object) -> None:
        raise OSError(18, "cross-device link")

    monkeypatch.setattr("os.link", refuses)
    fairface.sort_out(raw, tmp_path / "copies")
    assert names(tmp_path / "copies", "train") == names(tmp_path / "out", "train")


def test_another_folder_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "raw" / "somebody").mkdir(parents=True)
    with pytest.raises(BadData, match=r"\{train,test\}/AGE/GROUP/picture.jpg is needed .* found 0 pictures"):
        fairface.sort_out(tmp_path / "raw", tmp_path / "out")


def test_a_place_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BadData, match="can't be written"):
        fairface.sort_out(photographs(tmp_path / "raw", 3), tmp_path / "out")
