"""How networks are compiled for a CPU that several workers share."""

from pathlib import Path

import numpy as np
import pytest
import torch

from worker import openvino_cpu
from worker.openvino_cpu import CpuNetwork, converted_file, has_bf16


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten())
    return converted_file(network.eval(), [1, 3, 16, 16], tmp_path_factory.mktemp("models") / "small.xml")


def compiled_with(model: Path, *, bf16: bool) -> dict[str, object]:
    compiled = CpuNetwork(model, [-1, 3, 16, 16], 1, bf16)._compiled
    return {name: compiled.get_property(name) for name in ("ENABLE_CPU_PINNING", "INFERENCE_PRECISION_HINT")}


def test_threads_are_not_pinned(model: Path) -> None:
    """Pinned, the networks of two workers would take turns on one core while another is free."""
    assert compiled_with(model, bf16=False)["ENABLE_CPU_PINNING"] is False


def test_float32_unless_bf16_is_asked_for_and_there(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    float32 = str(compiled_with(model, bf16=False)["INFERENCE_PRECISION_HINT"])
    assert (str(compiled_with(model, bf16=True)["INFERENCE_PRECISION_HINT"]) != float32) == has_bf16()
    monkeypatch.setattr(openvino_cpu, "has_bf16", lambda: False)
    assert str(compiled_with(model, bf16=True)["INFERENCE_PRECISION_HINT"]) == float32


def test_any_number_of_pictures(model: Path) -> None:
    network = CpuNetwork(model, [-1, 3, 16, 16], 1)
    rng = np.random.default_rng(0)
    pictures = rng.random((3, 3, 16, 16), np.float32)
    np.testing.assert_allclose(network(pictures)[1:2], network(pictures[1:2]), atol=1e-6)
