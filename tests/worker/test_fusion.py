"""Two recognisers as one: distance means the mean of both cosines, and only the very models it was made of are taken."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worker.bundles import small_bundle, small_fusion
from worker import named_models
from worker.detector import Face
from worker.embedder import Embedder, NetworkEmbedder
from worker.fusion import FusionEmbedder, read_fusion
from worker.protocol.bundle import BadBundle, ModelInfo, read_info
from worker.sface import info as sface_info


class Projection(NetworkEmbedder):
    """A fixed random projection of the chip's means over a grid, the same for every instance of a seed."""

    def __init__(self, info: ModelInfo, seed: int) -> None:
        self.info = info
        self._matrix = np.random.default_rng(seed).normal(size=(3 * 16, info.embedding_size)).astype(np.float32)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        n, px = chips.shape[:2]
        cells = chips.reshape(n, 4, px // 4, 4, px // 4, 3).mean((2, 4)).reshape(n, -1)
        return np.asarray((cells - 128) @ self._matrix, np.float32)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    """A ResNet bundle where the product's lie; its weights are never read here."""
    monkeypatch.setattr(named_models, "FOLDER", tmp_path / "models")
    return small_bundle(tmp_path / "models" / "resnet50-triplet", size=1_000, alpha=6.0)


def opened(folder: Path) -> tuple[FusionEmbedder, dict[str, Embedder]]:
    parts: dict[str, Embedder] = {}

    def open_part(name: str) -> Embedder:
        parts[name] = Projection(named_models.info_of(name), seed=len(parts))
        return parts[name]

    return FusionEmbedder(folder, open_part), parts


@pytest.mark.parametrize("weight", [0.5, 0.3, 0.9])
def test_its_distance_is_the_mean_of_both_cosines(tmp_path: Path, shipped: ModelInfo, weight: float) -> None:
    small_fusion(tmp_path / "fusion", [sface_info().id, shipped.id], weight)
    fusion, parts = opened(tmp_path / "fusion")
    first, second = parts["sface"], parts["resnet50-triplet"]
    assert [(one.crop, one.px) for one in fusion.inputs] == [("five-points", 112), ("mtcnn-margin", 224)]
    frame = np.random.default_rng(5).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    marks = np.array([[100, 100], [160, 100], [130, 130], [105, 165], [155, 165]], np.float32)
    people = [Face(np.array([60 + d, 60, 200 + d, 220], np.float32), marks + d, 1.0) for d in (0, 40)]
    faces = [fusion.chips(frame, one) for one in people]
    templates = fusion.embed(faces)
    assert templates.shape == (2, 256)
    assert templates.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(templates, axis=1), 10, atol=1e-4)
    cosines = []
    for part, number in ((first, 0), (second, 1)):
        one, other = part.embed([(face[number],) for face in faces]) / part.info.alpha
        cosines.append(float(one @ other))
        np.testing.assert_array_equal(faces[0][number], part.chips(frame, people[0])[0])
    mean = weight * cosines[0] + (1 - weight) * cosines[1]
    assert float(np.linalg.norm(templates[0] - templates[1])) == pytest.approx(10 * math.sqrt(2 * (1 - mean)), abs=1e-3)
    assert fusion.embed([]).shape == (0, 256)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "fusion-0123456789ab"}, "doesn't follow"),
        ({"weight": 0.4}, "doesn't follow"),
        ({"weight": 1.0}, "weight"),
        ({"weight": ...}, "weight is missing, which architecture fusion needs"),
        ({"parts": ["sface-0123456789ab"]}, "parts"),
        ({"parts": ["sface-0123456789ab"] * 2}, "twice is no fusion"),
        ({"parts": ["../../etc", "sface-0123456789ab"]}, "parts.0"),
        ({"input_px": 224}, "input_px means nothing for architecture fusion"),
        ({"weights_sha256": "0" * 64}, "weights_sha256 means nothing"),
        ({"thresholds": []}, "thresholds"),
        ({"embedding_size": 128}, "its parts give 128 + 128 numbers"),
    ],
)
def test_metadata_that_doesnt_fit(tmp_path: Path, shipped: ModelInfo, changes: dict[str, Any], said: str) -> None:
    small_fusion(tmp_path / "fusion", [sface_info().id, shipped.id], **changes)
    with pytest.raises(BadBundle) as caught:
        opened(tmp_path / "fusion")
    assert said in str(caught.value)
    assert "model.json" in str(caught.value)


def test_parts_of_another_version(tmp_path: Path, shipped: ModelInfo) -> None:
    other = "resnet50-triplet-0123456789ab"
    small_fusion(tmp_path / "fusion", [sface_info().id, other])
    with pytest.raises(BadBundle, match=f"made of {other}, but resnet50-triplet is {shipped.id} here; take the fusion"):
        read_fusion(tmp_path / "fusion")


@pytest.mark.parametrize("part", ["onnx-0123456789ab", "fusion-0123456789ab", "resnet18-triplet-0123456789ab"])
def test_parts_that_have_no_name(tmp_path: Path, shipped: ModelInfo, part: str) -> None:
    small_fusion(tmp_path / "fusion", [sface_info().id, part])
    with pytest.raises(BadBundle, match=f"part {part} is none of the models that come with the product"):
        read_fusion(tmp_path / "fusion")


def test_a_part_that_isnt_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_models, "FOLDER", tmp_path / "nothing")
    small_fusion(tmp_path / "fusion", [sface_info().id, "resnet50-triplet-0123456789ab"])
    with pytest.raises(BadBundle, match="this installation lacks resnet50-triplet"):
        read_fusion(tmp_path / "fusion")


def test_a_bundle_that_is_no_fusion(tmp_path: Path, shipped: ModelInfo) -> None:
    folder = tmp_path / "models" / "resnet50-triplet"
    assert read_info(folder / "model.json").architecture == "resnet50-triplet"
    with pytest.raises(BadBundle, match="is no fusion"):
        read_fusion(folder)
