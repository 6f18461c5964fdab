"""What a model is called: names, folders, what an installation lacks, and what a worker holds without a push."""

import json
import logging
from pathlib import Path

import pytest
import torch

from tests.worker.bundles import small_bundle, small_fusion
from worker import bundle, named_models, recogniser
from worker.named_models import folder_of, here, info_of
from worker.protocol.bundle import INFO, BadBundle
from worker.settings import WorkerSettings
from worker.sface import info as sface_info


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the product's own bundles lie, empty."""
    folder = tmp_path / "models"
    monkeypatch.setattr(named_models, "FOLDER", folder)
    return folder


def test_the_models_folder_is_data_and_no_package() -> None:
    assert Path(named_models.__file__).parent / "models" == named_models.FOLDER
    assert not (named_models.FOLDER / "__init__.py").exists()


def test_the_bundle_that_comes_along_is_whole_and_answers() -> None:
    folder = folder_of("resnet50-triplet")
    assert folder is not None
    info, network = bundle.load(folder)
    assert (info.parameters, info.input_px, info.crop) == (36_353_216, 224, "five-points")
    assert info.id in here()
    assert info.id in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    with torch.inference_mode():
        lengths = network(torch.zeros(1, 3, 224, 224)).norm(dim=1)
    assert lengths.isfinite().all()
    strict = [threshold.distance for threshold in info.thresholds]
    assert strict == sorted(strict, reverse=True)


def test_without_any_setting_the_default_is_meant() -> None:
    assert WorkerSettings().model == named_models.DEFAULT
    assert named_models.DEFAULT in named_models.NAMES


def test_a_name_is_a_bundle_that_ships(models: Path) -> None:
    info = small_bundle(models / "resnet50-triplet", size=1_000)
    assert folder_of("resnet50-triplet") == models / "resnet50-triplet"
    assert info_of("resnet50-triplet") == info
    assert folder_of("sface") is None
    said = recogniser.describe(WorkerSettings(model="resnet50-triplet"))
    assert (said["recogniser"], said["model_id"]) == ("resnet50-triplet", info.id)


def test_a_name_wins_over_a_folder_that_is_called_so(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sface").mkdir()
    assert folder_of("sface") is None
    assert folder_of("./sface") == Path("sface")


LACKED = {
    "resnet50-triplet": "this installation lacks resnet50-triplet.*give ATTENDANCE_MODEL its path or sface",
    "fusion": "no fusion comes with this version.*make one by attendance train fuse",
}


@pytest.mark.parametrize(("name", "said"), LACKED.items())
def test_an_installation_that_lacks_it_says_what_to_do(models: Path, name: str, said: str) -> None:
    for ask in (info_of, recogniser.check, recogniser.bundle_folder):
        with pytest.raises(BadBundle, match=said):
            ask(name)


@pytest.mark.parametrize("name", ["resnet50", "SFACE", "", "/no/such/folder", "sface\n", "resnet50-triplet/"])
def test_what_is_neither_name_nor_folder(name: str) -> None:
    with pytest.raises(BadBundle, match="nor the folder of a model bundle"):
        folder_of(name)


def test_sface_is_no_bundle_to_be_brought() -> None:
    with pytest.raises(BadBundle, match="every worker has it"):
        recogniser.bundle_folder("sface")


def test_a_worker_holds_what_ships(models: Path) -> None:
    sface = sface_info().id
    assert here() == {sface: "sface"}
    resnet = small_bundle(models / "resnet50-triplet", size=1_000).id
    fusion = small_fusion(models / "fusion", [sface, resnet])["id"]
    assert here() == {sface: "sface", resnet: "resnet50-triplet", fusion: "fusion"}


def test_what_ships_damaged_is_told_and_not_held(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The rest goes on: a worker with a broken file that it doesn't need must start."""
    sface = sface_info().id
    resnet = small_bundle(models / "resnet50-triplet", size=1_000)
    small_fusion(models / "fusion", [sface, "resnet50-triplet-0123456789ab"])
    with caplog.at_level(logging.ERROR):
        assert here() == {sface: "sface", resnet.id: "resnet50-triplet"}
    assert "fusion can't serve: made of resnet50-triplet-0123456789ab" in caplog.text
    values = resnet.model_dump(mode="json", exclude_none=True) | {"alpha": 11.0}
    (models / "resnet50-triplet" / INFO).write_text(json.dumps(values))
    with caplog.at_level(logging.ERROR):
        assert here() == {sface: "sface"}
    assert "resnet50-triplet can't serve" in caplog.text


def test_check_looks_into_the_parts_of_a_fusion(models: Path) -> None:
    resnet = small_bundle(models / "resnet50-triplet", size=1_000).id  # noise in the place of weights
    small_fusion(models / "fusion", [sface_info().id, resnet])
    with pytest.raises(BadBundle, match=r"resnet50-triplet/model\.safetensors: .*export the bundle again"):
        recogniser.check("fusion")
    assert recogniser.check("sface").id == sface_info().id
