"""People across takes: what is enrolled, what is compared, and what a kiosk would have done."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.drawn_people import TinyEmbedder, drawn_face
from tests.training.faces import admiral, astronaut, darker, write
from training import takes_door
from training.dataset import BadData
from training.embedding import open_model
from training.protocols import Subject
from training.takes import enrol, entry_distances, evenly, read_takes, takes
from training.takes_door import Door, Entry
from training.verification import BadPairs

NUAA = Path(__file__).resolve().parents[3] / "shared" / "data" / "nuaa" / "live"
PLANE = {"ann": (10.0, 0.0), "bob": (0.0, 10.0)}


def write_takes(root: Path, frames: dict[str, int]) -> Path:
    """PERSON/TAKE → as many frames."""
    for number, (take, count) in enumerate(frames.items()):
        (root / take).mkdir(parents=True)
        for i in range(count):
            cv2.imwrite(str(root / take / f"{i:02d}.png"), drawn_face(number, i))
    return root


def test_frames_by_person_and_take(tmp_path: Path) -> None:
    found = read_takes(write_takes(tmp_path, {"ann/a": 2, "ann/b": 3, "bob/a": 1}))
    assert (found.names, found.take_names) == (["ann", "bob"], ["ann/a", "ann/b", "bob/a"])
    assert found.people.tolist() == [0, 0, 0, 0, 0, 1]
    assert found.takes.tolist() == [0, 0, 1, 1, 1, 2]
    assert found.frame(2) == "ann/b/00.png"


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({"ann": 2, "bob/a": 2}, "lies in no take"),
        ({"ann/a": 2, "bob/a": 2}, "nobody in it has two takes"),
        ({"ann/a": 2, "ann/b": 2}, "one person only"),
    ],
)
def test_folders_that_hold_no_takes(tmp_path: Path, frames: dict[str, int], words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_takes(write_takes(tmp_path, frames))


def test_enrolled_are_evenly_spaced_frames_with_a_face(tmp_path: Path) -> None:
    assert evenly(np.arange(14), 3).tolist() == [2, 7, 11]
    assert evenly(np.arange(2), 3).tolist() == [0, 1]
    found = read_takes(write_takes(tmp_path, {"ann/a": 4, "ann/b": 2, "bob/a": 2}))
    seen = np.array([True, False, True, True, False, False, True, True])
    assert [(e.take, e.round, e.frames.tolist()) for e in enrol(found, seen)] == [(0, 0, [0, 2, 3])]


def plane(*people: str) -> np.ndarray:
    return np.array([PLANE[name] for name in people], np.float32)


def test_the_nearest_template_of_an_entry_counts() -> None:
    d = entry_distances(plane("ann", "bob"), [Entry(0, 0, 0, np.array([0, 1])), Entry(1, 1, 0, np.array([1]))])
    np.testing.assert_allclose(d, [[0, 200**0.5], [0, 0]], atol=1e-9)


def door(d: list[list[float]], face_found: list[bool] | None = None) -> Door:
    """Two people of two takes each, enrolled from the first of them; `d` are distances of their second takes' frames."""
    people = np.array([0, 1, 0, 0, 0, 1, 1, 1])
    own = np.array([0, 2, 1, 1, 1, 3, 3, 3])
    entries = [Entry(0, 0, 0, np.array([0])), Entry(1, 2, 0, np.array([1]))]
    found = np.array(face_found or [True] * 8)
    return Door(np.array([[0.0, 9.0], [9.0, 0.0], *d]), entries, people, own, found)


RIGHT = [[2.0, 9.0]] * 3 + [[9.0, 2.0]] * 3


def names(where: Door, threshold: float) -> dict:
    return takes_door.row(where, threshold, ["ann", "bob"], ["ann/a", "ann/b", "bob/a", "bob/b"])


def test_everybody_is_recognised_and_nobody_confused() -> None:
    row = names(door(RIGHT), 5.0)
    assert row["every_person_recognised"]
    assert (row["presences"], row["presences_recognised"], row["frames_recognised"]) == (2, 2, 6)
    assert (row["confusions"], row["frames_confused"], row["stranger_presences"]) == ([], 0, 0)
    assert not names(door(RIGHT), 1.0)["every_person_recognised"]


def test_confusions_are_named_with_what_came_of_them() -> None:
    """Bob's frames are near to Ann: two of three don't decide, three do."""
    two = names(door([*RIGHT[:3], [2.0, 9.0], [2.0, 9.0], [9.0, 9.0]]), 5.0)
    assert two["confusions"] == [{"take": "bob/b", "taken_for": "ann", "frames": 2, "accepted": False}]
    assert (two["presences_not_recognised"], two["presences_confused"]) == (["bob/b"], 0)
    three = names(door([*RIGHT[:3], *[[2.0, 9.0]] * 3]), 5.0)
    assert three["confusions"][0]["accepted"]
    assert three["presences_confused"] == 1


def test_a_frame_without_a_face_has_no_vote() -> None:
    row = names(door(RIGHT, [True] * 7 + [False]), 5.0)
    assert (row["frames"], row["presences_not_recognised"]) == (5, ["bob/b"])


def test_no_take_is_compared_with_itself() -> None:
    rows, _columns, same = door(RIGHT).pairs()
    assert len(rows) == 8 * 2 - 2
    assert same.sum() == 6


def test_the_protocol_once_through(tmp_path: Path) -> None:
    """Two portraits in two takes each, and drawings of a third person whose face nobody can find."""
    for take in ("a", "b"):
        for i in range(4):
            write(tmp_path / "data" / "eileen" / take / f"{i}.png", darker(astronaut(), 0.03 * i))
            write(tmp_path / "data" / "grace" / take / f"{i}.png", darker(admiral(), 0.03 * i))
    write_takes(tmp_path / "data", {"drawn/a": 3})
    found = takes(Subject(TinyEmbedder(), tmp_path), tmp_path / "data").figures
    assert (found["people"], found["people_enrolled"], found["takes"], found["faces_not_found"]) == (3, 2, 5, 3)
    assert (found["genuine_pairs"], found["impostor_pairs"]) == (4 * 4, 4 * (8 + 3))
    assert set(found["at_threshold"]) == {"0.01", "0.001", "served"}
    assert found["eer"] == 0
    assert found["at_threshold"]["0.01"]["stranger_presences"] == 2
    grace = found["by_person"]["grace"]
    assert grace["nearest_genuine"]["distance"] <= grace["worst_frame"]["distance"]
    assert grace["nearest_stranger"]["frame"].split("/")[0] in ("eileen", "drawn")


def test_takes_without_any_face(tmp_path: Path) -> None:
    data = write_takes(tmp_path / "data", {"ann/a": 1, "ann/b": 1, "bob/a": 1})
    with pytest.raises(BadPairs, match="nobody can be enrolled"):
        takes(Subject(TinyEmbedder(), tmp_path), data)


@pytest.mark.real_faces
@pytest.mark.skipif(not NUAA.is_dir(), reason=f"the research pictures are not at {NUAA}")
def test_sface_recognises_people_in_another_take(tmp_path: Path) -> None:
    for person in ("0001", "0005", "0002"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / person).symlink_to(NUAA / person)
    model = open_model("sface", cache=tmp_path, threads=2, device="cpu")
    found = takes(Subject(model, tmp_path), tmp_path / "data").figures
    assert (found["people_enrolled"], found["genuine_pairs"]) == (2, 2 * 28)
    served = found["at_threshold"]["served"]
    assert served["every_person_recognised"]
    assert (served["presences"], served["stranger_presences"], served["confusions"]) == (4, 2, [])
