"""Networks that are there for comparison: dlib's geometry and distances, random weights, and that neither can serve."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tests.training.faces import admiral, astronaut, darker
from training import dlib_model, random_model
from training.embedding import open_model
from training.evaluated_model import open_evaluated
from training.found_faces import find_faces
from training.random_model import RandomEmbedder
from worker import recogniser
from worker.crop import FIVE_POINTS_112
from worker.protocol.bundle import BadBundle, ModelInfo
from worker.settings import WorkerSettings

DLIBS_MEAN_FACE = np.array(
    [[0.8596, 0.2135], [0.6461, 0.2290], [0.1206, 0.2137], [0.3341, 0.2291], [0.4901, 0.6278]]
)  # fmt: skip
"""Of dlib's get_face_chip for five points, source: dlib/image_transforms/interpolation.h."""


def test_the_usual_landmarks_become_dlibs_mean_face() -> None:
    """In distances between the eyes, from their middle; ours and dlib's mean faces differ by a few hundredths."""

    def plain(points: np.ndarray) -> np.ndarray:
        eyes = np.stack([points[2:4].mean(0), points[:2].mean(0)])
        return (points - eyes.mean(0)) / np.hypot(*(eyes[1] - eyes[0]))

    ours = plain(dlib_model.dlib_points(FIVE_POINTS_112))
    np.testing.assert_allclose(ours, plain(DLIBS_MEAN_FACE), atol=0.03)


def test_landmarks_on_one_spot() -> None:
    with pytest.raises(ValueError, match="one spot"):
        dlib_model.dlib_points(np.full((5, 2), 7, np.float32))


def test_distances_are_dlibs_own() -> None:
    """On the sphere they are ten times those of the plain vectors, whose lengths differ."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 128))
    vectors *= rng.uniform(1.2, 1.5, (50, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    templates = dlib_model.lifted(vectors)
    np.testing.assert_allclose(np.linalg.norm(templates, axis=1), dlib_model.ALPHA, rtol=1e-6)
    plain = np.linalg.norm(vectors[:25] - vectors[25:], axis=1)
    ours = np.linalg.norm(templates[:25] - templates[25:], axis=1)
    np.testing.assert_allclose(ours, 10 * plain, rtol=1e-3)
    with pytest.raises(ValueError, match="damaged"):
        dlib_model.lifted(np.full((1, 128), 5.0))


@pytest.mark.skipif(importlib.util.find_spec("face_recognition_models") is not None, reason="dlib's weights are there")
def test_without_dlib_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="pip install dlib-bin face_recognition_models"):
        open_evaluated("dlib", cache=tmp_path)


@pytest.mark.skipif(
    importlib.util.find_spec("dlib") is None or importlib.util.find_spec("face_recognition_models") is None,
    reason="to compare with dlib, pip install dlib-bin face_recognition_models",
)
def test_dlib_tells_two_people_apart(tmp_path: Path) -> None:
    from tests.training.faces import write

    pictures = [astronaut(), darker(astronaut(), 0.3), admiral()]
    files = [write(tmp_path / f"{i}.png", picture) for i, picture in enumerate(pictures)]
    model = open_evaluated("dlib", cache=tmp_path)
    faces = find_faces(files, cache=tmp_path)
    chips = [model.chips(p, face) for p, face in zip(pictures, faces, strict=True) if face is not None]
    templates = model.embed(chips)
    assert templates.shape == (3, 129)
    same, other = (float(np.linalg.norm(templates[0] - templates[i])) for i in (1, 2))
    assert same < 3 < 6 < other


def test_random_weights_are_the_same_each_time(tmp_path: Path) -> None:
    faces = [(np.random.default_rng(i).integers(0, 256, (224, 224, 3)).astype(np.uint8),) for i in range(2)]
    first = RandomEmbedder(tmp_path / "a", 1, bf16=False, architecture="resnet18-triplet")
    again = RandomEmbedder(tmp_path / "b", 1, bf16=False, architecture="resnet18-triplet")
    np.testing.assert_allclose(first.embed(faces), again.embed(faces), atol=1e-3)
    assert first.info.id == again.info.id
    assert first.info.thresholds == []


@pytest.mark.parametrize("name", [dlib_model.NAME, random_model.NAME])
def test_no_worker_serves_them_and_no_search_takes_them(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="neither one of sface"):
        open_model(name, cache=tmp_path)
    with pytest.raises(BadBundle, match="neither one of sface"):
        recogniser.load(WorkerSettings(ATTENDANCE_MODEL=name))


def test_no_model_json_can_hold_them(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"weights")
    for info in (dlib_model.info(tmp_path / "weights"), random_model.info("resnet50-triplet")):
        with pytest.raises(ValueError, match=r"architecture|thresholds"):
            ModelInfo.model_validate(info.model_dump(warnings=False))
