"""Precisions: which model can be computed in which, and int8 by a quantiser that is played: NNCF is no dependency."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.training.faces import two_people
from training import cost, precision
from training.dataset import BadData
from worker.openvino_cpu import has_bf16
from worker.protocol.bundle import BadBundle


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def quantiser(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """In NNCF's place: gives the network back as it is, and keeps by what it was to be quantised."""
    seen: list[Any] = []

    def quantize(model: Any, dataset: list[Any], **options: Any) -> Any:
        print("100 %")
        seen.append((dataset, options))
        return model

    played = SimpleNamespace(quantize=quantize, Dataset=list, QuantizationPreset=SimpleNamespace(MIXED="mixed"))
    monkeypatch.setitem(sys.modules, "nncf", played)
    return seen


def test_ranges_are_found_on_faces_as_the_network_sees_them(
    networks: Path,
    tmp_path: Path,
    quantiser: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(precision, "has_bf16", lambda: False)
    faces = two_people(tmp_path)
    model = precision.open_in("int8", "sface", cache=networks, threads=1, faces=faces)
    exact = precision.open_in("f32", "sface", cache=networks, threads=1)
    assert capsys.readouterr() == ("", "100 %\n"), "what it draws isn't in the way of an answer"
    ((pictures, options),) = quantiser
    assert {picture.shape for picture in pictures} == {(1, 3, 112, 112)}
    assert {picture.dtype for picture in pictures} == {np.dtype(np.float32)}
    assert options["subset_size"] == len(pictures) == 4
    assert (model.info.id, exact.info.id) == ("sface-" + model.info.id.split("-")[1] + "-int8", exact.info.id)
    chips = precision.chips_below(faces, model, networks, 1, 2)
    assert len(chips) == 2
    np.testing.assert_allclose(model.embed(chips), exact.embed(chips), atol=1e-5)


def test_a_network_that_the_quantiser_does_not_know(
    networks: Path, tmp_path: Path, quantiser: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["nncf"], "quantize", lambda *_, **__: ()[0])
    with pytest.raises(BadBundle, match=r"NNCF can't quantise sface-\w+: IndexError: tuple index"):
        precision.open_in("int8", "sface", cache=networks, threads=1, faces=two_people(tmp_path))


def test_cost_has_int8_where_faces_are_given(
    networks: Path, tmp_path: Path, quantiser: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "REPETITIONS", 1)
    monkeypatch.setattr(cost, "WARM_UP", 0)
    found = cost.measure("sface", cache=networks, threads=1, int8_faces=two_people(tmp_path)).figures
    assert found["precisions"]["int8"]["ms_one_face"] > 0
    assert found["model_id"].count("-") == 1, "that of the model that serves"


def test_what_is_not_there_is_said(networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(BadBundle, match="pip install nncf"):
        precision.open_in("int8", "sface", cache=networks, threads=1, faces=two_people(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadData, match="no pictures in it"):
        precision.open_in("int8", "sface", cache=networks, threads=1, faces=tmp_path / "empty")
    monkeypatch.setattr(precision, "has_bf16", lambda: False)
    with pytest.raises(BadBundle, match="no bfloat16"):
        precision.open_in("bf16", "sface", cache=networks, threads=1)


def test_a_fusion_has_no_precision_of_its_own(networks: Path) -> None:
    with pytest.raises(BadBundle):
        precision.open_in("f32", "fusion", cache=networks, threads=1)


@pytest.mark.skipif(not has_bf16(), reason="a processor without bfloat16")
def test_bf16_differs_from_f32(networks: Path, tmp_path: Path) -> None:
    rough, exact = (precision.open_in(one, "sface", cache=networks, threads=1) for one in ("bf16", "f32"))
    chips = precision.chips_below(two_people(tmp_path), exact, networks, 1, 2)
    assert 0 < cost.difference(exact.embed(chips), rough.embed(chips), exact.info.alpha)["largest_angle_degrees"] < 10
