"""A bundle that isn't exactly what its metadata says never serves. Weights are random: nothing here recognises anybody."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from tests.worker.bundles import small_fusion
from training.export import write_bundle
from worker import bundle, named_models, recogniser, sface
from worker.detector import Face
from worker.embedder import BundleEmbedder
from worker.network import ResNet50Triplet, build
from worker.protocol import bundle as protocol_bundle
from worker.protocol.bundle import BadBundle, ModelInfo, Threshold
from worker.settings import WorkerSettings

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def network() -> ResNet50Triplet:
    torch.manual_seed(0)
    return build().eval()


@pytest.fixture(scope="module")
def good(network: ResNet50Triplet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    thresholds = [Threshold(false_match_rate=1e-3, distance=9.0), Threshold(false_match_rate=1e-4, distance=8.0)]
    write_bundle(
        network, folder, thresholds=thresholds, threshold_source="made up", licence="none", card="# Random weights\n"
    )
    return folder


@pytest.fixture(scope="module")
def loaded(good: Path) -> tuple[ModelInfo, ResNet50Triplet]:
    return bundle.load(good)


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """The good bundle by links: a test writes its own file in the place of one."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in good.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def put(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def change_info(folder: Path, **values: Any) -> None:
    body = json.loads((folder / "model.json").read_text()) | values
    put(folder / "model.json", json.dumps({k: v for k, v in body.items() if v is not ...}).encode())


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Other weights under a hash and an id that fit them."""
    weights = load_file(folder / WEIGHTS)
    change(weights)
    (folder / WEIGHTS).unlink()
    save_file(weights, folder / WEIGHTS)
    digest = protocol_bundle.file_sha256(folder / WEIGHTS)
    model_id = protocol_bundle.model_id("resnet50-triplet", digest, 224, "mtcnn-margin", 10.0)
    change_info(folder, weights_sha256=digest, id=model_id)


def test_the_good_bundle_is_loaded_in_evaluation_mode(
    loaded: tuple[ModelInfo, ResNet50Triplet], network: ResNet50Triplet
) -> None:
    info, again = loaded
    assert info.architecture == "resnet50-triplet"
    assert not again.training
    for name, values in network.state_dict().items():
        assert torch.allclose(again.state_dict()[name].float(), values.float(), atol=1e-3), name


def refuse(folder: Path, path: str, said: str) -> None:
    with pytest.raises(BadBundle) as caught:
        bundle.load(folder)
    assert str(folder / path) in str(caught.value)
    assert said in str(caught.value)


def test_weights_that_are_others(copy: Path) -> None:
    change_info(copy, weights_sha256="0" * 64)
    refuse(copy, WEIGHTS, "isn't the 000000000000… of model.json")


def test_weights_that_are_cut_off(copy: Path) -> None:
    put(copy / WEIGHTS, (copy / WEIGHTS).read_bytes()[:1_000_000])
    refuse(copy, WEIGHTS, "copy the bundle again")
    digest = protocol_bundle.file_sha256(copy / WEIGHTS)
    model_id = protocol_bundle.model_id("resnet50-triplet", digest, 224, "mtcnn-margin", 10.0)
    change_info(copy, weights_sha256=digest, id=model_id)  # even where somebody made the hash fit
    refuse(copy, WEIGHTS, "export the bundle again")


def test_weights_that_are_missing(copy: Path) -> None:
    (copy / WEIGHTS).unlink()
    refuse(copy, WEIGHTS, "not there")


def test_metadata_that_is_missing(copy: Path) -> None:
    (copy / "model.json").unlink()
    refuse(copy, "model.json", "not there")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id": "resnet50-triplet-0123456789ab"}, "doesn't follow from weights and preprocessing"),
        ({"crop": "five-points"}, "doesn't follow from weights and preprocessing"),
        ({"alpha": 12.0}, "doesn't follow from weights and preprocessing"),
        ({"thresholds": ...}, "thresholds: Field required"),
        ({"thresholds": []}, "thresholds"),
        ({"parameters": 25_557_032}, "25557032, but resnet50-triplet has 36353216"),
        ({"parameters": ...}, "parameters None"),
        ({"input_px": 160}, "the network's flatten layer needs 224"),
        ({"architecture": "sface"}, "can't be loaded from a bundle"),
        ({"format": 2}, "newer version"),
    ],
)
def test_metadata_that_doesnt_fit(copy: Path, values: dict[str, Any], said: str) -> None:
    change_info(copy, **values)
    refuse(copy, "model.json", said)


def test_weights_with_nan(copy: Path) -> None:
    change_weights(copy, lambda weights: weights["head.bias"].__setitem__(3, float("nan")))
    refuse(copy, WEIGHTS, "NaN or infinite")


def test_statistics_with_infinity(copy: Path) -> None:
    """Batch norm's running figures are no parameters, and spoil every answer all the same."""
    change_weights(copy, lambda weights: weights["trunk.1.running_var"].fill_(float("inf")))
    refuse(copy, WEIGHTS, "NaN or infinite")


def test_a_missing_tensor_is_named(copy: Path) -> None:
    change_weights(copy, lambda weights: weights.__delitem__("head.bias"))
    refuse(copy, WEIGHTS, "head.bias")


def test_a_tensor_of_another_shape_is_named(copy: Path) -> None:
    change_weights(copy, lambda weights: weights.update({"head.weight": torch.zeros(64, 100_352)}))
    refuse(copy, WEIGHTS, "head.weight")


def test_openvino_answers_as_torch_does(
    loaded: tuple[ModelInfo, ResNet50Triplet],
    good: Path,
    tmp_path: Path,
    portrait: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also from the cache, which the second embedder must not write again."""
    info, torch_network = loaded
    monkeypatch.setattr(bundle, "load", lambda folder: loaded)  # it is tested above, and takes seconds
    face = Face(np.array([170, 60, 280, 200], np.float32), np.zeros((5, 2), np.float32), 1.0)
    embedder = BundleEmbedder(good, "cpu", tmp_path, 1, bf16=False)
    chips = [*embedder.chips(portrait, face), np.full((224, 224, 3), 90, np.uint8), portrait[:224, :224]]
    faces = [(chip,) for chip in chips]
    pictures = np.stack(chips).astype(np.float32) / 255
    mean, std = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    with torch.inference_mode():
        expected = torch_network(torch.from_numpy(((pictures - mean) / std).transpose(0, 3, 1, 2))).numpy()
    found = embedder.embed(faces)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.linalg.norm(found, axis=1) == pytest.approx([10.0] * 3, abs=1e-3)
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(written) == {f"{info.id}.xml", f"{info.id}.bin"}
    np.testing.assert_array_equal(BundleEmbedder(good, "cpu", tmp_path, 1, bf16=False).embed(faces), found)
    # Where the processor has bf16 it is used: templates move by less than a hundredth of the sphere's diameter.
    assert np.linalg.norm(BundleEmbedder(good, "cpu", tmp_path, 1).embed(faces) - found, axis=1).max() < 0.2
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written


def test_the_recogniser_of_a_bundle_is_described(good: Path) -> None:
    said = recogniser.describe(WorkerSettings(model=str(good)))
    assert said["recogniser"] == "resnet50-triplet"
    assert "triplet-trained ResNet-50" in said["words"]
    assert said["licence"] == "none"


def test_the_fusion_of_sface_and_a_bundle_by_its_name(
    loaded: tuple[ModelInfo, ResNet50Triplet],
    good: Path,
    tmp_path: Path,
    portrait: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real networks: each is shown its own crop, and each gives its half."""
    monkeypatch.setattr(bundle, "load", lambda folder: loaded)
    monkeypatch.setattr(named_models, "FOLDER", tmp_path)
    (tmp_path / "resnet50-triplet").symlink_to(good)
    small_fusion(tmp_path / "fusion", [sface.info().id, loaded[0].id], 0.3)
    parts = [recogniser.open_embedder(name, "cpu", tmp_path / "cache", 1) for name in ("sface", "resnet50-triplet")]
    model = recogniser.open_embedder("fusion", "cpu", tmp_path / "cache", 1)
    marks = np.array([[195, 110], [245, 110], [220, 140], [200, 165], [240, 165]], np.float32)
    face = Face(np.array([170, 60, 280, 200], np.float32), marks, 1.0)
    (template,) = model.embed([model.chips(portrait, face)])
    alone = [part.embed([part.chips(portrait, face)])[0] for part in parts]
    expected = np.concatenate([np.sqrt(0.3) * alone[0], np.sqrt(0.7) * alone[1]])
    np.testing.assert_allclose(template, expected, atol=1e-3)
    assert recogniser.describe(WorkerSettings(model="fusion"))["recogniser"] == "fusion"
