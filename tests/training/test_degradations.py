"""Photographs made worse: where the face goes, what changes, and that a picture's noise is always the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.drawn_people import TinyEmbedder
from tests.training.faces import astronaut, drawn_folder, write
from training.degradations import DEGRADATIONS, Degradation, degraded, shrunk
from training.degraded_embedding import embed_degraded, stand_in
from training.embedding import embed_files
from training.found_faces import find_faces
from training.pictures import BadPicture
from worker.detector import Face

FACE = Face(
    np.array([60, 50, 160, 170], np.float32),
    np.array([[90, 90], [130, 90], [110, 115], [95, 140], [125, 140]], np.float32),
    0.99,
)


def dice() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("px", [24, 32, 48, 64])
def test_the_face_is_as_wide_as_wanted_and_lies_where_it_went(px: int) -> None:
    """A white spot on the nose is where the shrunk landmark says."""
    picture = np.zeros((240, 240, 3), np.uint8)
    picture[111:120, 106:115] = 255
    small, face = degraded(picture, FACE, Degradation("small", face_px=px), dice())
    assert small.shape[:2] == (round(240 * px / 100),) * 2
    assert face.width == pytest.approx(px, rel=0.02)
    weight = small[..., 0].astype(float)
    rows, columns = np.mgrid[: len(small), : len(small)]
    centre = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(face.landmarks[2], centre, atol=0.1)


def test_a_face_that_is_no_wider_is_left_alone() -> None:
    picture, face = degraded(astronaut(), FACE, Degradation("small", face_px=100), dice())
    assert face is FACE
    np.testing.assert_array_equal(picture, astronaut())


def test_every_degradation_changes_the_picture_and_not_its_kind() -> None:
    assert len({how.key for how in DEGRADATIONS}) == len(DEGRADATIONS)
    for how in DEGRADATIONS:
        before = astronaut()
        changed, _ = degraded(before, FACE, how, dice())
        np.testing.assert_array_equal(before, astronaut())
        assert changed.dtype == np.uint8
        assert changed.shape != before.shape or (changed != before).mean() > 0.3, how.name


def test_blur_follows_the_face_and_darkness_is_dark() -> None:
    wide = replace(FACE, box=FACE.box * 2)
    less, more = (degraded(astronaut(), face, Degradation("b", blur=0.02), dice())[0] for face in (FACE, wide))
    assert np.diff(more.astype(float), axis=1).std() < np.diff(less.astype(float), axis=1).std()
    dark, _ = degraded(astronaut(), FACE, Degradation("d", light=0.4), dice())
    assert dark.mean() == pytest.approx(0.4 * astronaut().mean(), abs=1)


def test_a_tiny_picture_keeps_a_pixel() -> None:
    small, _ = shrunk(np.zeros((8, 200, 3), np.uint8), FACE, 0.01)
    assert small.shape == (1, 2, 3)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    drawn_folder(tmp_path, {"drawn": 2})
    return [write(tmp_path / "portrait.png", astronaut()), *sorted((tmp_path / "drawn").iterdir())]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_faces_are_found_once(networks: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = find_faces(files, cache=networks)
    assert [face is None for face in first] == [False, True, True]
    monkeypatch.setattr("worker.detector.Detector.find", None)
    again = find_faces([files[0], *files], cache=networks)
    assert first[0] is not None
    assert again[1] is not None
    np.testing.assert_array_equal(again[1].box, first[0].box)
    np.testing.assert_array_equal(again[1].landmarks, first[0].landmarks)
    files[1].write_bytes(b"broken")
    with pytest.raises(BadPicture, match=files[1].name):
        find_faces(files, cache=networks)


def test_templates_are_kept_by_degradation(networks: Path, files: list[Path]) -> None:
    faces = find_faces(files, cache=networks)
    good = embed_files(TinyEmbedder(), files, cache=networks)
    model = TinyEmbedder()
    small, noisy = Degradation("small", face_px=24), Degradation("noisy", noise=20)
    one = embed_degraded(model, [*files, files[0]], [*faces, faces[0]], small, cache=networks)
    assert model.embedded == 3
    assert one.found.tolist() == [True, False, False, True]
    assert 0 < np.linalg.norm(one.templates[0] - good.templates[0]) < 5
    other = embed_degraded(model, files, faces, noisy, cache=networks)
    assert model.embedded == 6
    assert np.linalg.norm(other.templates[0] - one.templates[0]) > 0
    again = embed_degraded(model, files, faces, small, cache=networks)
    assert model.embedded == 6
    np.testing.assert_array_equal(again.templates, one.templates[:3])
    repeated = embed_degraded(TinyEmbedder(), files, faces, noisy, cache=None)
    np.testing.assert_array_equal(repeated.templates, other.templates)


def test_nothing_to_embed() -> None:
    how = Degradation("jpeg", jpeg=30)
    assert embed_degraded(TinyEmbedder(), [], [], how, cache=None).templates.shape == (0, 128)


def test_a_picture_without_a_face_has_half_its_square() -> None:
    face = stand_in(np.zeros((100, 200, 3), np.uint8))
    assert face.box.tolist() == [75, 25, 125, 75]
