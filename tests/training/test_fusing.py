"""Fusing: the cosine is the weighted mean, a second opinion helps where errors differ, ties lean on neither."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.faces import drawn_folder
from tests.worker.bundles import small_onnx
from training import calibration, fusing
from training.dataset import FaceFolder
from training.fusing import Faces, Row
from worker import sface
from worker.protocol.bundle import ModelInfo, Threshold


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_a_fused_cosine_is_the_weighted_mean_of_both() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(2, 30, size)).astype(np.float32) for size in (128, 512))
    one, other = (fusing.fused(a[i], b[i], 0.3, 10.0) for i in (0, 1))
    assert one.shape == (30, 640)
    assert np.linalg.norm(one, axis=1) == pytest.approx(10, rel=1e-5)
    assert cosine(one, other) == pytest.approx(0.3 * cosine(a[0], a[1]) + 0.7 * cosine(b[0], b[1]), abs=1e-5)


def faces(people: int, pictures: int, seed: int, noise: float = 1.2) -> Faces:
    """Two recognisers that see the same people, each with its own noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(people), pictures)
    means = rng.normal(size=(people, 32))
    first, second = ((means[labels] + rng.normal(0, noise, (len(labels), 32))).astype(np.float32) for _ in range(2))
    files = [f"p{label:03d}/{i}.jpg" for i, label in enumerate(labels)]
    folder = FaceFolder(Path("people"), files, labels, [f"p{i:03d}" for i in range(people)])
    return Faces(folder, first, second)


def test_a_second_opinion_with_other_errors_beats_either() -> None:
    people = faces(120, 5, 1)
    alone = faces(900, 1, 2)
    groups = Faces(
        FaceFolder(Path("groups"), [f"g/{i}.jpg" for i in range(900)], np.zeros(900, np.int64), ["g"]),
        alone.first,
        alone.second,
    )
    alike = np.random.default_rng(3).normal(size=(900, 128)).astype(np.float32)
    rows = [fusing.row(people, groups, alike, weight, 10.0) for weight in (0.0, 0.5, 1.0)]
    shares = [one.true_accept_rate for one in rows]
    assert None not in shares
    assert fusing.best(rows).weight == 0.5
    assert shares[1] > max(shares[0], shares[2]) + 0.05  # type: ignore[operator, type-var]


def test_equals_lean_on_neither() -> None:
    points = [Threshold(false_match_rate=1e-4, distance=5.0, true_accept_rate=0.9)]
    assert fusing.best([Row(weight, points) for weight in (0.0, 0.45, 0.9)]).weight == 0.45
    assert Row(0.5, []).true_accept_rate is None


def test_the_command_shows_who_accepts_most_and_writes_a_fusion_that_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SFace with a tiny ONNX network: drawn pictures, so the figures mean nothing, but every step is the real one."""
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(calibration, "SAME_PERSON_COSINE", 1.1)  # to SFace all drawings are alike
    monkeypatch.setattr(calibration, "LEAST_ERRORS", 1)
    monkeypatch.setattr(fusing, "DECIDING_RATE", 1e-2)
    fit, people = (
        drawn_folder(tmp_path / n, {f"{n}{i}": 3 for i in range(12)}, size) for n, size in (("a", 40), ("b", 44))
    )
    strangers = drawn_folder(tmp_path / "groups", {"east": 40, "west": 40}, 48)
    command = ["train", "fuse", "--second", "sface", "--fit", str(fit), "--people", str(people)]
    command += ["--strangers", str(strangers), "--json", "--first"]
    small_onnx(tmp_path / "onnx")
    shown = CliRunner().invoke(app, [*command, str(tmp_path / "onnx")])
    assert shown.exit_code == 0, shown.output
    body = json.loads(shown.stdout)
    assert [row["weight"] for row in body["fitted"]] == list(fusing.WEIGHTS)
    assert len(body["judged"]) == 3
    refused = CliRunner().invoke(app, [*command, str(tmp_path / "nothing")])
    assert refused.exit_code != 0
    assert "neither one of sface" in " ".join(refused.output.split())


def test_model_json_of_a_fusion() -> None:
    points = [Threshold(false_match_rate=1e-3, distance=9.0, true_accept_rate=0.95)]
    sface_info = sface.info()
    other = sface_info.model_copy(update={"id": "resnet50-triplet-0123456789ab"})
    info = fusing.fusion_info((other, sface_info), Row(0.4, points, "made up"), 10.0, "Apache-2.0")
    assert info.parts == (other.id, sface_info.id)
    assert info.embedding_size == 256
    assert ModelInfo.model_validate_json(info.model_dump_json(exclude_none=True)) == info
