"""What training hands over is whole, and what isn't whole doesn't serve."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from training.export import write_bundle
from worker import bundle
from worker.network import ResNet50Triplet, build
from worker.protocol.bundle import BadBundle, ModelInfo, Threshold, model_id

THRESHOLDS = [Threshold(false_match_rate=1e-3, distance=9.0, true_accept_rate=0.95)]


@pytest.fixture(scope="module")
def network() -> ResNet50Triplet:
    return build().eval()


def export(network: ResNet50Triplet, folder: Path, thresholds: list[Threshold] = THRESHOLDS) -> ModelInfo:
    return write_bundle(
        network, folder, thresholds=thresholds, threshold_source="made up", licence="none", card="# Model card: ő\n"
    )


def test_a_bundle_is_three_files_that_load_again(network: ResNet50Triplet, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "bundle"
    info = export(network, folder)
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "model.json", "MODEL_CARD.md"}
    assert info.parameters == 36_353_216
    assert info.weights_sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert info.id.startswith("resnet50-triplet-")
    weights = load_file(folder / "model.safetensors")
    assert {v.dtype for v in weights.values() if v.is_floating_point()} == {torch.float16}
    assert bundle.load(folder)[0] == info
    assert ModelInfo.model_validate(json.loads((folder / "model.json").read_text())) == info


def test_the_id_names_weights_and_preprocessing() -> None:
    one = model_id("resnet50-triplet", "a" * 64, 224, "mtcnn-margin", 10.0)
    others = {
        model_id("resnet50-triplet", "b" * 64, 224, "mtcnn-margin", 10.0),
        model_id("resnet50-triplet", "a" * 64, 224, "five-points", 10.0),
        model_id("resnet50-triplet", "a" * 64, 224, "mtcnn-margin", 12.0),
    }
    assert len(others | {one}) == 4


def test_metadata_that_must_not_serve_leaves_no_bundle(network: ResNet50Triplet, tmp_path: Path) -> None:
    """A failed export over an older bundle must not leave the older model.json beside the newer weights."""
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ValidationError, match="thresholds"):
        export(network, tmp_path, thresholds=[])
    with pytest.raises(BadBundle, match="not there"):
        bundle.load(tmp_path)
