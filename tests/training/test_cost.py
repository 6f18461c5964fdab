"""What a model costs: every figure is there, and the difference between precisions is the one that is there."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.faces import two_people
from tests.worker.bundles import small_bundle, small_fusion
from training import cost
from training.dataset import BadData
from worker.openvino_cpu import has_bf16
from worker.protocol.bundle import BadBundle


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "REPETITIONS", 2)
    monkeypatch.setattr(cost, "WARM_UP", 0)
    monkeypatch.setattr(cost, "CHIPS", 3)


def test_sface_costs(networks: Path, tmp_path: Path) -> None:
    found = cost.measure("sface", cache=networks, threads=1, data=two_people(tmp_path)).figures
    assert found["chips"] == f"3 faces below {tmp_path}"
    assert set(found["precisions"]) == {"f32", "bf16"} if has_bf16() else {"f32"}
    exact = found["precisions"]["f32"]
    assert exact["largest_distance"] == 0
    assert exact["faces_a_second_in_batches_of_8"] == pytest.approx(1e3 / exact["ms_a_face_in_batches_of_8"])
    assert 1e6 < found["parameters"] < 1e8
    assert 1e6 < found["weights_bytes"] < 1e8
    assert found["model_id"].startswith("sface-")
    if has_bf16():
        assert 0 < found["precisions"]["bf16"]["largest_angle_degrees"] < 10


def test_noise_serves_where_no_faces_are_given(networks: Path) -> None:
    assert cost.measure("sface", cache=networks, threads=1).figures["chips"] == "3 pictures of noise"


def test_folders_without_pictures(networks: Path, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no pictures in it"):
        cost.measure("sface", cache=networks, threads=1, data=tmp_path)


def test_a_known_angle() -> None:
    turn = np.radians(30)
    one, other = np.array([[10.0, 0.0]], np.float32), np.array([[10 * np.cos(turn), 10 * np.sin(turn)]], np.float32)
    found = cost.difference(one, other, 10.0)
    assert found["largest_angle_degrees"] == pytest.approx(30, abs=1e-4)
    assert found["smallest_cosine"] == pytest.approx(np.cos(turn), abs=1e-6)
    assert found["largest_distance"] == pytest.approx(20 * np.sin(turn / 2), abs=1e-5)


def test_weights_that_lie_nowhere(tmp_path: Path) -> None:
    assert cost.weights_bytes("resnet50-random") is None
    info = small_bundle(tmp_path / "bundle", size=50_000)
    assert cost.weights_bytes(str(tmp_path / "bundle")) == 50_000
    small_fusion(tmp_path / "fusion", ["sface-000000000000", info.id])
    with pytest.raises(BadBundle, match="made of sface-000000000000"):
        cost.weights_bytes(str(tmp_path / "fusion"))
