"""How networks are compiled for a CPU that several workers share."""

import subprocess
import sys
import textwrap
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


def test_a_signal_after_networks_have_come_and_gone(model: Path, tmp_path: Path) -> None:
    """Two Cores that end in the order of their making take the stack for signals with them: SIGTERM would be a crash."""
    script = textwrap.dedent(f"""
        import gc, os, pathlib, signal
        from worker.openvino_cpu import CpuNetwork
        caught = []
        signal.signal(signal.SIGTERM, lambda *_: caught.append(1))
        model = pathlib.Path({str(model)!r})
        first = CpuNetwork(model, [-1, 3, 16, 16], 1)
        second = CpuNetwork(model, [-1, 3, 16, 16], 1)
        del first; gc.collect()
        del second; gc.collect()
        os.kill(os.getpid(), signal.SIGTERM)
        assert caught
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=Path.cwd())
    assert done.returncode == 0, (done.returncode, done.stderr)
