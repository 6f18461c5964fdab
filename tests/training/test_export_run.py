"""From a run to a bundle: it loads, its thresholds are what the pairs say, its card is filled; ONNX answers as torch."""

from pathlib import Path

import pytest
import torch

from tests.training.faces import drawn_folder
from tests.training.tiny_run import go, people, recipe, stage
from training import calibration, networks
from training.dataset import BadData
from training.export_run import BadExport, export, write_onnx
from training.trained import load_network
from worker import bundle


def served(**values: object) -> object:
    return {"architecture": "resnet18", "head": "flatten", "input_px": 224} | values


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of a network that can be served, as short as can be, and its faces: 60 people, 15 of them held out."""
    root = tmp_path_factory.mktemp("served")
    faces = drawn_folder(root / "faces", {f"p{i:02d}": 4 for i in range(60)})
    few = {"kind": "triplets", "count": 2, "batch": 2}
    base = recipe(
        stage(epochs=1, sampling=few, train="fc"),
        network=served(),
        validation={"triplets": 10, "batch": 8},
        compute={"ema_decay": 0.5},
    )
    return go(base, faces, root / "run"), faces


def test_the_bundle_loads_and_answers_as_the_run(run: tuple[Path, Path], tmp_path: Path) -> None:
    done = export(run[0], tmp_path / "bundle", licence="research only")
    info, network = bundle.load(tmp_path / "bundle")
    assert info == done.info
    assert (info.architecture, info.parameters, info.crop) == ("resnet18-triplet", 14_387_904, "mtcnn-margin")
    assert [t.false_match_rate for t in info.thresholds] == [1e-2]  # 1,680 impostor pairs: 1e-3 would rest on one
    assert "15 people, 60 pictures, 90 genuine and 1680 impostor pairs" in info.threshold_source
    assert "best epoch was chosen" in info.threshold_source
    pictures = torch.randn(2, 3, 224, 224)
    trained = load_network(run[0], "best")[1].half().float()
    assert torch.allclose(networks.embed(network, pictures), networks.embed(trained, pictures), atol=1e-4)
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    for words in ("180 pictures of 45 people", "research only", "average over steps", "random weights", "AUC", "0.01"):
        assert words in card


def test_thresholds_from_other_people_and_the_strictest_set(run: tuple[Path, Path], tmp_path: Path) -> None:
    groups = [drawn_folder(tmp_path / name, {f"{name}{i}": 4 for i in range(n)}) for name, n in (("a", 16), ("b", 12))]
    for group in groups:  # not the pictures of training
        for number, path in enumerate(sorted(group.rglob("*.jpg"))):
            from tests.training.faces import drawn, write

            write(path, drawn(10_000 + number + (5_000 if group.name == "b" else 0)))
    both = export(run[0], tmp_path / "both", calibrate=groups).info
    each = [export(run[0], tmp_path / group.name / "bundle", calibrate=[group]).info for group in groups]
    assert both.thresholds[0].distance == min(info.thresholds[0].distance for info in each)
    assert "strictest set counts" in both.threshold_source
    assert both.id == each[0].id  # the thresholds aren't part of what a template depends on
    with pytest.raises(BadData, match="more than one part"):
        export(run[0], tmp_path / "no", calibrate=[run[1]])


def test_strangers_of_a_group_set_the_thresholds(
    run: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "SAME_PERSON_COSINE", 1.1)  # to SFace all drawings are alike
    from tests.training.faces import drawn, write

    for place, (group, count) in enumerate((("east", 50), ("west", 46))):
        for number in range(count):
            write(tmp_path / "groups" / group / f"{number}.jpg", drawn(20_000 + 1_000 * place + number))
    alone = export(run[0], tmp_path / "alone").info
    both = export(run[0], tmp_path / "both", strangers=tmp_path / "groups", cache=tmp_path / "cache").info
    assert both.thresholds[0].distance <= alone.thresholds[0].distance
    assert "the worst group counts (pictures: east 50, west 46" in both.threshold_source
    assert "SFace takes for one person" in both.threshold_source
    with pytest.raises(BadExport, match=r"of its pictures were trained on .* would promise too much"):
        export(run[0], tmp_path / "no", strangers=run[1], cache=tmp_path / "cache")


def test_too_few_people_give_no_threshold(run: tuple[Path, Path], tmp_path: Path) -> None:
    few = drawn_folder(tmp_path / "few", {"x": 3, "y": 3}, size_px=44)
    with pytest.raises(
        BadExport, match=r"too few pairs of strangers for any threshold \(9\): a rate of 0.01 needs 1000"
    ):
        export(run[0], tmp_path / "bundle", calibrate=[few])
    assert not (tmp_path / "bundle").exists()


def test_a_network_that_workers_cant_serve(tmp_path: Path) -> None:
    out = go(recipe(stage(epochs=1)), people(tmp_path / "faces"), tmp_path / "run")
    with pytest.raises(BadExport, match=r"workers load resnet50, resnet34 and resnet18 with network\.head=flatten"):
        export(out, tmp_path / "bundle")


def test_onnx_answers_as_torch_for_any_number_of_pictures(tmp_path: Path) -> None:
    network = networks.build("resnet18", head="pooled").eval()
    path = tmp_path / "new" / "model.onnx"
    assert write_onnx(network, path, 64) <= 1e-4
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]
