"""query, verify and classify, with real faces that may be shown: two people, one photograph each, in different light."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.faces import admiral, astronaut, darker, drawn, two_people, write
from training.classify import classify
from training.contact_sheet import Tile, write_sheet
from training.dataset import BadData
from training.embedding import open_detector, open_model
from training.face_gallery import FaceGallery, load_gallery, look
from training.pictures import BadPicture
from training.query import ask, person_distances
from training.verify import verify
from worker.detector import Detector
from worker.embedder import Embedder
from worker.protocol.bundle import serving_threshold


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(home: Path) -> Embedder:
    return open_model("sface", cache=home / "cache", threads=2, device="cpu")


@pytest.fixture(scope="module")
def detector(home: Path) -> Detector:
    return open_detector(home / "cache")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery: two people, and a third folder with what is no use."""
    root = two_people(tmp_path_factory.mktemp("people"))
    write(root / "Wall" / "0.jpg", drawn(2, 200))
    (root / "Wall" / "broken.jpg").write_text("no picture")
    return root


@pytest.fixture(scope="module")
def gallery(model: Embedder, detector: Detector, people: Path, home: Path) -> FaceGallery:
    return load_gallery(model, detector, people, cache=home / "cache")


@pytest.fixture
def eileen(tmp_path: Path) -> Path:
    return write(tmp_path / "eileen.jpg", np.ascontiguousarray(darker(astronaut(), 0.25)[:, ::-1]))


@pytest.fixture
def grace(tmp_path: Path) -> Path:
    return write(tmp_path / "grace.png", darker(admiral(), 0.25))


@pytest.fixture
def wall(tmp_path: Path) -> Path:
    return write(tmp_path / "wall.jpg", drawn(3, 200))


def test_a_gallery_lists_what_it_left_out(gallery: FaceGallery) -> None:
    assert gallery.folder.identities == ["Eileen", "Grace"]
    assert len(gallery) == 4
    assert gallery.without_face == ["Wall/0.jpg"]
    assert list(gallery.unreadable) == ["Wall/broken.jpg"]


def test_a_gallery_without_a_face_or_a_readable_picture_is_refused(
    model: Embedder, detector: Detector, tmp_path: Path
) -> None:
    write(tmp_path / "walls" / "a" / "0.jpg", drawn(0, 100))
    with pytest.raises(BadData, match="no face was found in any of its 1 pictures"):
        load_gallery(model, detector, tmp_path / "walls", cache=tmp_path)
    (tmp_path / "texts" / "a").mkdir(parents=True)
    (tmp_path / "texts" / "a" / "0.jpg").write_text("x")
    with pytest.raises(BadData, match="none of its 1 pictures can be read"):
        load_gallery(model, detector, tmp_path / "texts", cache=tmp_path)


def test_a_photograph_ranks_its_person_first(
    model: Embedder, detector: Detector, gallery: FaceGallery, eileen: Path
) -> None:
    answer = ask(look(model, detector, eileen), gallery, model.info)
    assert [ranked.person for ranked in answer.people] == ["Eileen", "Grace"]
    assert answer.accepted == "Eileen"
    first, second = answer.people
    assert first.distance < answer.threshold.distance < second.distance
    assert (first.nearest.split("/")[0], first.pictures) == ("Eileen", 2)
    assert answer.threshold == serving_threshold(model.info, 4, 1e-3)
    assert len(ask(look(model, detector, eileen), gallery, model.info, top=1).people) == 1


def test_distances_to_people_are_those_to_their_nearest_pictures(gallery: FaceGallery) -> None:
    distances, nearest = person_distances(gallery.templates, gallery)
    each = np.linalg.norm(gallery.templates[:, None].astype(float) - gallery.templates[None], axis=2)
    expected = np.stack([each[:, :2].min(1), each[:, 2:].min(1)], axis=1)
    assert np.allclose(distances, expected, atol=1e-4)
    assert nearest[[0, 1], 0].tolist() == [0, 1]
    assert nearest[[2, 3], 1].tolist() == [2, 3]


def test_verify_says_same_different_or_undecided(
    model: Embedder, detector: Detector, people: Path, eileen: Path, grace: Path, wall: Path
) -> None:
    photos = [look(model, detector, path) for path in (people / "Eileen" / "0.jpg", eileen, grace, wall)]
    known, same, other, none = photos
    verdict = verify(known, same, model.info)
    assert (verdict.same, verdict.false_match_rate) == (True, 1e-3)
    assert verdict.threshold == serving_threshold(model.info, 1, 1e-3).distance
    assert verdict.strictest_rate == model.info.thresholds[-1].false_match_rate
    verdict = verify(known, other, model.info)
    assert (verdict.same, verdict.strictest_rate, verdict.words) == (False, None, "different people")
    for a, b in ((known, none), (none, none)):
        verdict = verify(a, b, model.info)
        assert verdict.same is None, "two equal walls are not one person"
        assert "no face was found" in verdict.words


@pytest.mark.parametrize("method", ["nearest", "svm"])
def test_classify_names_the_known_and_rejects_strangers_and_walls(
    model: Embedder, detector: Detector, gallery: FaceGallery, eileen: Path, grace: Path, wall: Path, method: str
) -> None:
    photos = [look(model, detector, path) for path in (grace, eileen, wall)]
    answers = classify(photos, gallery, model.info, method)  # type: ignore[arg-type]
    assert [answer.person for answer in answers] == ["Grace", "Eileen", None]
    keep = np.flatnonzero(gallery.folder.labels == 0)
    alone = FaceGallery(gallery.folder.part(keep), gallery.templates[keep], [], {})
    if method == "svm":
        with pytest.raises(BadData, match="an SVM needs two people"):
            classify(photos, alone, model.info, "svm")
    else:
        stranger = classify(photos[:1], alone, model.info, "nearest")[0]
        assert (stranger.person, stranger.resembles) == (None, "Eileen")
    assert classify([], gallery, model.info) == []


def test_a_photograph_that_is_none_is_named(model: Embedder, detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    with pytest.raises(BadPicture, match=r"x\.jpg: not a picture"):
        look(model, detector, tmp_path / "x.jpg")
    with pytest.raises(BadPicture, match=r"nowhere\.jpg: can't be read"):
        look(model, detector, tmp_path / "nowhere.jpg")


def test_a_contact_sheet_has_a_place_for_every_tile(tmp_path: Path) -> None:
    tiles = [Tile(drawn(i), f"somebody with a very long name indeed {i}\n1.5", "good") for i in range(8)]
    write_sheet(tiles, tmp_path / "x.jpg", "eight")
    with Image.open(tmp_path / "x.jpg") as sheet:
        assert sheet.size == (12 + 6 * 172, 40 + 2 * 212)
    with pytest.raises(BadData, match="a picture's name ends in"):
        write_sheet(tiles, tmp_path / "x.pdf")
    with pytest.raises(BadData, match="can't be written"):
        write_sheet(tiles, tmp_path / "nowhere" / "x.png")


def test_the_commands_answer_in_json_and_draw(
    home: Path, people: Path, eileen: Path, grace: Path, wall: Path, tmp_path: Path
) -> None:
    def call(*arguments: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(a) for a in arguments], env={"ATTENDANCE_HOME": str(home)})
        return result.exit_code, result.output

    code, text = call("query", eileen, "--gallery", people, "--json", "--picture", tmp_path / "q.png")
    found = json.loads(text.splitlines()[-1])
    assert (code, found["accepted"], found["people"][0]["person"]) == (0, "Eileen", "Eileen")
    assert found["gallery_without_face"] == ["Wall/0.jpg"]
    assert cv2.imread(str(tmp_path / "q.png")).shape[1] == 12 + 3 * 172
    code, text = call("query", wall, "--gallery", people, "--json")
    assert (code, json.loads(text.splitlines()[-1])["accepted"]) == (0, None)
    code, text = call("verify", eileen, grace, "--json", "--picture", tmp_path / "v.jpg")
    found = json.loads(text.splitlines()[-1])
    assert (code, found["same"], found["faces_found"]) == (0, False, [True, True])
    assert (tmp_path / "v.jpg").is_file()
    code, text = call("verify", eileen, wall)
    assert (code, "undecided: no face was found" in text) == (0, True)
    code, text = call("classify", eileen, grace, wall, "--gallery", people, "--method", "svm", "--json")
    assert [row["person"] for row in json.loads(text.splitlines()[-1])["photos"]] == ["Eileen", "Grace", None]
    bad = (
        ("query", eileen, "--gallery", tmp_path / "nowhere"),
        ("query", eileen, "--gallery", people, "--picture", tmp_path / "q.pdf"),
        ("verify", eileen, tmp_path / "nowhere.jpg"),
        ("verify", eileen, grace, "--model", tmp_path / "nowhere"),
    )
    for arguments in bad:
        code, text = call(*arguments)
        assert (code, str(arguments[-1]) in text.replace("\n", "")) == (2, True), text
