"""A network that a site brings as ONNX: it answers as its numbers say, and whatever doesn't fit model.json is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.worker.bundles import mean_network, onnx_info, small_onnx, write_onnx
from worker import recogniser
from worker.embedder import Embedder
from worker.protocol.bundle import ONNX, BadBundle

WEIGHTS = np.random.default_rng(3).normal(size=(3, 6)).astype(np.float32)


def opened(folder: Path) -> Embedder:
    return recogniser.open_embedder(str(folder), "cpu", folder / "cache", 1)


def refuse(folder: Path, said: str) -> None:
    with pytest.raises(BadBundle) as caught:
        opened(folder)
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_it_answers_by_its_own_numbers(tmp_path: Path, channels: str) -> None:
    mean, std = [100.0, 110.0, 120.0], [50.0, 60.0, 70.0]
    small_onnx(tmp_path, channels=channels, mean=mean, std=std)
    model = opened(tmp_path)
    assert [(one.crop, one.px) for one in model.inputs] == [("five-points", 32)]
    colours = np.array([[10, 120, 250], [200, 30, 90]], np.uint8)
    faces = [(np.broadcast_to(colour, (32, 32, 3)).copy(),) for colour in colours]
    ordered = colours[:, ::-1] if channels == "BGR" else colours
    raw = ((ordered - np.float32(mean)) / np.float32(std)) @ WEIGHTS
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True) * 10
    np.testing.assert_allclose(model.embed(faces), expected, atol=1e-4)
    assert model.embed([]).shape == (0, 6)
    assert recogniser.check(str(tmp_path)).embedding_size == 6


def test_preprocessing_is_part_of_the_id(tmp_path: Path) -> None:
    ids = {small_onnx(tmp_path / name, **one)["id"] for name, one in PREPROCESSING.items()}
    assert len(ids) == len(PREPROCESSING)


PREPROCESSING: dict[str, dict[str, Any]] = {
    "plain": {},
    "bgr": {"channels": "BGR"},
    "mean": {"mean": [0.0]},
    "std": {"std": [1.0, 1.0, 2.0]},
    "alpha": {"alpha": 5.0, "thresholds": [{"false_match_rate": 1e-3, "distance": 5.0}]},
    "crop": {"crop": "mtcnn-margin"},
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "onnx-0123456789ab"}, "doesn't follow from weights and preprocessing (onnx-"),
        ({"weights_sha256": "0" * 64}, "isn't the 000000000000… of model.json"),
        ({"weights_sha256": ...}, "weights_sha256 is missing, which architecture onnx needs"),
        ({"mean": ...}, "mean is missing"),
        ({"std": [0.0]}, "above 0"),
        ({"mean": [1.0, 2.0]}, "mean has 2 numbers"),
        ({"mean": ["nan"]}, "mean.0"),
        ({"channels": "GRAY"}, "channels"),
        ({"channels": ...}, "channels is missing"),
        ({"parts": ["sface-0123456789ab", "onnx-0123456789ab"]}, "parts means nothing for architecture onnx"),
        ({"embedding_size": 4096}, "embedding_size"),
        ({"embedding_size": 7}, "gives n×6, but model.json says n×7"),
        ({"input_px": 64}, "takes n×3×32×32, but model.json says n×3×64×64"),
        ({"thresholds": ...}, "thresholds: Field required"),
        ({"architecture": "vit-2027"}, "where a newer version made it, update the product"),
        ({"format": 2}, "made by a newer version"),
    ],
)
def test_metadata_that_doesnt_fit(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    small_onnx(tmp_path, **changes)
    refuse(tmp_path, said)


def external(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights in a file that no hash covers."""
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secret")
    return model


def second_input(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.input.append(onnx.helper.make_tensor_value_info("mask", onnx.TensorProto.FLOAT, ["n", 1]))
    return model


def unknown_operator(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[0].op_type = "Frobnicate"
    return model


def lying_about_its_output(model: onnx.ModelProto) -> onnx.ModelProto:
    return mean_network(32, np.ones((3, 9), np.float32), ["n", 6])


def with_nan(model: onnx.ModelProto) -> onnx.ModelProto:
    return mean_network(32, np.full((3, 6), np.nan, np.float32))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (external, "which no hash covers; save it as one file"),
        (second_input, "2 inputs and 1 outputs; export the network again"),
        (unknown_operator, "can't be run by OpenVINO"),
        (lying_about_its_output, "embedding_size 6"),
        (with_nan, "NaN or infinite"),
    ],
)
def test_a_network_that_doesnt_fit(
    tmp_path: Path, spoil: Callable[[onnx.ModelProto], onnx.ModelProto], said: str
) -> None:
    write_onnx(tmp_path / ONNX, spoil(mean_network(32, WEIGHTS)))
    onnx_info(tmp_path)
    refuse(tmp_path, said)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08" * 100])
def test_a_file_that_is_no_network(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ONNX).write_bytes(content)
    onnx_info(tmp_path)
    refuse(tmp_path, "model.onnx")


def test_a_network_that_was_cut_off(tmp_path: Path) -> None:
    whole = mean_network(32, WEIGHTS).SerializeToString()
    (tmp_path / ONNX).write_bytes(whole[: len(whole) // 2])
    onnx_info(tmp_path)
    refuse(tmp_path, "model.onnx")
