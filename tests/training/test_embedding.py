"""Files to templates: the centre where there is no face, the cache, and files that are none."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tests.training.drawn_people import TinyEmbedder, drawn_face
from training import embedding
from training.embedding import centre_chip, embed_files, main_face, open_model
from training.pictures import BadPicture
from training.template_cache import BadCache, Known, TemplateCache
from worker.detector import Face
from worker.protocol.bundle import BadBundle


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MTCNN converted once for all tests here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A portrait with a face (NASA, public domain), and two drawings without."""
    paths = [tmp_path / name for name in ("portrait.jpg", "drawn.png", "another.png")]
    cv2.imwrite(str(paths[0]), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))  # type: ignore[no-untyped-call]
    cv2.imwrite(str(paths[1]), drawn_face(1, 1))
    cv2.imwrite(str(paths[2]), drawn_face(2, 1))
    return paths


def test_a_picture_without_a_face_is_counted_not_dropped(networks: Path, files: list[Path]) -> None:
    model, seen = TinyEmbedder(), []
    found = embed_files(model, files, cache=networks, on_progress=seen.append)
    assert found.found.tolist() == [True, False, False]
    assert found.faces_not_found == 2
    assert found.templates.shape == (3, 128)
    np.testing.assert_allclose(np.linalg.norm(found.templates, axis=1), 10, atol=1e-4)
    assert sum(seen) == 3
    drawn = cv2.cvtColor(cv2.imread(str(files[1])), cv2.COLOR_BGR2RGB)
    np.testing.assert_allclose(
        found.templates[1], model.embed([(centre_chip(np.asarray(drawn, np.uint8), 32),)])[0], atol=1e-4
    )


def test_what_was_computed_before_is_not_computed_again(tmp_path: Path, networks: Path, files: list[Path]) -> None:
    cache = tmp_path / "own"
    first = TinyEmbedder()
    one = embed_files(first, [*files, files[0]], cache=cache)
    assert first.embedded == 3  # the same bytes twice are one picture
    moved = files[0].rename(files[0].with_name("moved.jpg"))
    second = TinyEmbedder()
    two = embed_files(second, [moved, *files[1:]], cache=cache)
    assert second.embedded == 0
    np.testing.assert_array_equal(one.templates[:3], two.templates)
    np.testing.assert_array_equal(one.found[:3], two.found)
    other = TinyEmbedder()
    other.info = other.info.model_copy(update={"id": "sface-fedcba987654"})
    embed_files(other, files[1:], cache=cache)
    assert other.embedded == 2  # another model's templates are none of ours


def test_nothing_to_embed(networks: Path) -> None:
    assert embed_files(TinyEmbedder(), [], cache=networks).templates.shape == (0, 128)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
def test_a_file_that_is_no_picture_is_named(networks: Path, files: list[Path], content: bytes) -> None:
    files[1].write_bytes(content)
    with pytest.raises(BadPicture, match=r"drawn\.png"):
        embed_files(TinyEmbedder(), files, cache=networks)
    files[1].unlink()
    with pytest.raises(BadPicture, match=r"drawn\.png: can't be read"):
        embed_files(TinyEmbedder(), files, cache=networks)


def test_a_model_that_answers_nothing_is_named(networks: Path, files: list[Path]) -> None:
    class Broken(TinyEmbedder):
        def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full((len(chips), 128), np.nan, np.float32)

    broken = Broken()
    broken.info = broken.info.model_copy(update={"id": "sface-00000000dead"})
    with pytest.raises(BadBundle, match="00000000dead gave a template without direction"):
        embed_files(broken, files, cache=networks)


def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"this is no database at all, whatever its name says" * 50)
    with pytest.raises(BadCache, match=r"cache\.sqlite: .*delete the file"):
        TemplateCache(path, 128)
    with pytest.raises(BadCache, match="cache"):
        TemplateCache(tmp_path / "cache.sqlite" / "below-a-file.sqlite", 128)


def test_a_row_of_another_size_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    TemplateCache(path, 64).put({b"key": Known(np.ones(64, np.float32), True)})
    cache = TemplateCache(path, 128)
    assert cache.get(b"key") is None
    cache.put({b"key": Known(np.ones(128, np.float32), False)})
    known = cache.get(b"key")
    assert known is not None
    assert (known.template.shape, known.found) == ((128,), False)


def face(left: float, top: float, side: float) -> Face:
    return Face(np.array([left, top, left + side, top + side], np.float32), np.zeros((5, 2), np.float32), 0.99)


def test_the_main_face_is_the_central_one_unless_it_is_tiny() -> None:
    central, wider_at_the_edge, tiny = face(60, 60, 60), face(0, 100, 70), face(85, 85, 10)
    assert main_face([wider_at_the_edge, central], 180, 180) is central
    assert main_face([tiny, face(40, 40, 60)], 180, 180).width == 60


def test_a_face_that_leaves_nothing_to_cut_falls_back_to_the_centre() -> None:
    (chip,), found = embedding.chips_of(TinyEmbedder(), drawn_face(1, 1), [face(10, 10, 20)])  # landmarks on one spot
    assert not found
    np.testing.assert_array_equal(chip, centre_chip(drawn_face(1, 1), 32))


def test_centre_chips_are_of_the_middle_square() -> None:
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = 200
    assert (centre_chip(wide, 16) == 200).all()
    assert (centre_chip(wide.transpose(1, 0, 2).copy(), 16) == 200).all()


def test_models_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="neither one of sface, resnet50-triplet, fusion nor the folder"):
        open_model(str(tmp_path / "nothing"), cache=tmp_path)
    with pytest.raises(BadBundle, match=r"model\.json: not there"):
        open_model(str(tmp_path), cache=tmp_path)
