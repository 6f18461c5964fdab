"""Whole runs: what they leave, that they learn nothing twice, and how they end when something goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.training.faces import drawn_folder, write
from tests.training.tiny_run import PICTURES, PK, assert_equal, go, people, recipe, stage, weights
from training import checkpoint, recipe_file
from training.checkpoint import BadCheckpoint, NotSaved
from training.dataset import BadData, read_folder, split_identities
from training.feeds import TRAINING, epoch_triplets
from training.loop import BadLoss
from training.pictures import BadPicture
from training.runlog import read_rows
from training.train import BadRun

MIXED = (
    stage("classify", 1, sampling=PICTURES, loss={"kind": "arcface", "scale": 16}, weight_decay=0.01),
    stage("hard", 2, sampling=PK, loss={"kind": "triplet", "mining": "distance-weighted"}, accumulate=2, clip_norm=1.0),
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people(tmp_path_factory.mktemp("people") / "faces")


@pytest.fixture(scope="module")
def whole(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The thesis' kind of run: fc, then the layers before it, left alone to its end."""
    base = recipe(stage("fc", 1, train="fc"), stage("features", 2, train="all-but-fc"), compute={"ema_decay": 0.9})
    return go(base, faces, tmp_path_factory.mktemp("runs") / "whole", report=True)


def test_a_run_leaves_every_artefact(whole: Path) -> None:
    names = [
        "recipe.toml",
        "overrides.json",
        "data.json",
        "machine.json",
        "train.csv",
        "valid.csv",
        "report.md",
        "tensorboard",
    ]
    assert {*names, "checkpoints", "plots"} <= {path.name for path in whole.iterdir()}
    assert {path.name for path in (whole / "checkpoints").iterdir()} == {"best.pt", "last.pt"}
    plots = {path.name for path in (whole / "plots").iterdir()}
    assert {"loss.png", "accuracy.png", "roc-best.png", "roc-last.png", "distances.png", "hard-triplets.png"} <= plots
    assert {"preprocessing-train.png", "preprocessing-test.png", "pairs30.csv", "pairs30.png", "layers"} <= plots
    assert (whole / "plots" / "layers" / "fc.txt").read_text().split()
    assert (whole / "plots" / "layers" / "conv1.png").exists()
    train, valid = read_rows(whole, "train"), read_rows(whole, "valid")
    assert [row["epoch"] for row in train] == ["0", "1", "2"] == [row["epoch"] for row in valid]
    assert [row["stage"] for row in train] == ["fc", "features", "features"]
    for row in train:  # the thesis' column: the sum of the batches' means over the number of triplets
        assert float(row["loss_thesis"]) == pytest.approx(float(row["loss"]) * int(row["batches"]) / 24)
        assert int(row["views"]) == 72
    report = (whole / "report.md").read_text()
    for words in ("0.779", "0.823", "0.921", "0.97", "Nothing: the recipe was run as it stands", "pictures/s", "torch"):
        assert words in report


def test_frozen_layers_dont_learn(whole: Path, faces: Path, tmp_path: Path) -> None:
    """In the first stage only the head moves (and the statistics before it), in the second all but the head."""
    one = go(recipe(stage("fc", 1, train="fc")), faces, tmp_path / "one")
    two = go(recipe(stage("fc", 1, train="fc"), stage("features", 1, train="all-but-fc")), faces, tmp_path / "two")
    start = go(recipe(stage("fc", 1, train="fc", lr=1e-30)), faces, tmp_path / "start")
    a, b, zero = weights(one), weights(two), weights(start)
    assert not torch.equal(a["head.weight"], zero["head.weight"])
    assert torch.equal(a["trunk.0.weight"], zero["trunk.0.weight"])
    assert torch.equal(a["head.weight"], b["head.weight"])
    assert not torch.equal(a["trunk.0.weight"], b["trunk.0.weight"])


@pytest.mark.parametrize("stages", [(stage("fc", 1, train="fc"), stage("features", 2, train="all-but-fc")), MIXED])
def test_a_run_that_broke_in_the_middle_of_an_epoch_goes_on_as_if_it_hadnt(
    stages: tuple[dict[str, object], ...], tmp_path: Path
) -> None:
    """A picture that is damaged for a while breaks the run between two checkpoints."""
    data = people(tmp_path / "faces")
    base = recipe(*stages, compute={"ema_decay": 0.9, "checkpoint_every_batches": 2})
    alone = go(base, data, tmp_path / "alone")
    training = split_identities(read_folder(data), 0.25, base.seed)[0]
    number = epoch_triplets(training, 24, base.seed, 1, TRAINING)[15, 0]  # of the second epoch's third batch
    damaged = training.path(int(number))
    before = damaged.read_bytes()
    out = tmp_path / "broken"
    damaged.write_bytes(before[:50])
    with pytest.raises(BadPicture, match=damaged.name):
        go(base, data, out)
    damaged.write_bytes(before)
    kept = out / "checkpoints" / "last.pt"
    resumed = go(base, data, out, **({"resume": "last"} if kept.exists() else {}))
    assert_equal(alone, resumed)


def test_a_run_that_got_ctrl_c_saves_says_how_to_go_on_and_ends_as_one_left_alone(whole: Path, tmp_path: Path) -> None:
    data, out = people(tmp_path / "faces"), tmp_path / "run"
    file = tmp_path / "tiny.toml"
    base = recipe(stage("train", 40), compute={"checkpoint_every_batches": 1, "ema_decay": 0.9})
    file.write_text(recipe_file.to_toml(base))
    command = [sys.executable, "-m", "deploy.cli", "train", "run", str(file), "--data", str(data), "--out", str(out)]
    with (tmp_path / "said").open("w") as said:
        child = subprocess.Popen(command, stderr=said, env=os.environ | {"ATTENDANCE_HOME": str(tmp_path)})
    waited = time.monotonic() + 120
    while not (out / "checkpoints" / "last.pt").exists() and time.monotonic() < waited:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 130
    words = (tmp_path / "said").read_text()
    assert "stopped: saved" in words
    assert f"attendance train run {file} --data {data} --out {out} --resume last" in words
    position = torch.load(out / "checkpoints" / "last.pt", weights_only=True)["position"]
    epochs = position["epoch"] + 1
    assert epochs < 40
    shorter = recipe(stage("train", epochs), compute={"checkpoint_every_batches": 1, "ema_decay": 0.9})
    assert_equal(go(shorter, data, tmp_path / "alone"), go(shorter, data, out, resume="last"))


def test_the_schedule_goes_on_or_begins_anew(faces: Path, tmp_path: Path) -> None:
    falls = stage("train", 1, schedule={"kind": "step", "step_epochs": 1})
    longer = recipe(falls | {"epochs": 2})
    for name, goes_on, rate in (("on", True, 1e-4), ("anew", False, 1e-3)):
        out = go(recipe(falls), faces, tmp_path / name)
        go(longer, faces, out, resume="last", continue_step=goes_on)
        assert float(read_rows(out, "train")[-1]["lr"]) == pytest.approx(rate)


def test_resuming_the_best_writes_its_later_epochs_anew(faces: Path, tmp_path: Path) -> None:
    out = go(recipe(stage(epochs=3)), faces, tmp_path / "run")
    best = torch.load(out / "checkpoints" / "best.pt", weights_only=True)["position"]["epoch"]
    before = read_rows(out, "train")
    go(recipe(stage(epochs=3)), faces, out, resume="best")
    again = read_rows(out, "train")
    assert [row["epoch"] for row in again] == ["0", "1", "2"]
    assert again[:best] == before[:best]


def test_a_loss_that_is_no_number_stops_with_the_batch_named(faces: Path, tmp_path: Path) -> None:
    bad = recipe(stage("wild", 1), stage("wilder", 1, lr=100), network=_network(), compute={"ema_decay": 0.9})
    out = tmp_path / "run"
    source = weights(go(recipe(stage(epochs=1)), faces, tmp_path / "good"))
    source = {k: v for k, v in source.items() if not k.startswith("ema.")}
    source["head.weight"] = source["head.weight"] * 1e38  # finite, and its products aren't
    torch.save(source, tmp_path / "huge.pt")
    with pytest.raises(BadLoss, match=r"loss is (nan|inf) in stage wild, epoch 1, batch 1 of 4: person\d\d/\d\.jpg"):
        go(bad, faces, out, init=str(tmp_path / "huge.pt"))
    assert not (out / "checkpoints" / "last.pt").exists()


def _network() -> dict[str, object]:
    return {"architecture": "resnet18", "head": "pooled", "input_px": 32, "embedding_size": 16}


def test_a_full_disk_leaves_the_checkpoint_before(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    body = checkpoint.load(whole / "checkpoints" / "last.pt")
    checkpoint.save(path, body)
    before = path.read_bytes()
    script = """
import resource, signal, sys
from pathlib import Path
from training import checkpoint
body = checkpoint.load(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing beyond the limit fails as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    checkpoint.save(Path(sys.argv[1]), body)
except checkpoint.NotSaved as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=100)
    assert "couldn't be written" in done.stdout, done.stderr
    assert "the checkpoint before it is whole; free some space, then add --resume last" in done.stdout
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_a_folder_that_cant_be_written(whole: Path, tmp_path: Path) -> None:
    body = checkpoint.load(whole / "checkpoints" / "last.pt")
    with pytest.raises(NotSaved, match="there is none before it"):
        checkpoint.save(tmp_path / "no" / "last.pt", body)


def test_checkpoints_that_cant_be_resumed(whole: Path, faces: Path, tmp_path: Path) -> None:
    base = recipe(stage("fc", 1, train="fc"), stage("features", 2, train="all-but-fc"), compute={"ema_decay": 0.9})
    other = recipe(*[s.model_dump() for s in base.stages], network=_network() | {"architecture": "resnet34"})
    with pytest.raises(BadCheckpoint, match="architecture is resnet18 there and resnet34 in the recipe"):
        go(other, faces, whole, resume="last")
    with pytest.raises(BadRun, match="its stages are fc, features"):
        go(recipe(), faces, whole, resume="last")
    with pytest.raises(BadRun, match="holds a run already; go on with --resume last"):
        go(base, faces, whole)
    with pytest.raises(BadCheckpoint, match="no such checkpoint"):
        go(base, faces, tmp_path / "new", resume="last")
    cut, strange = tmp_path / "cut.pt", tmp_path / "strange.pt"
    cut.write_bytes((whole / "checkpoints" / "last.pt").read_bytes()[:10_000])
    torch.save({"state_dict": {}}, strange)
    for path, said in ((cut, "can't be read"), (strange, "no checkpoint of this command")):
        with pytest.raises(BadCheckpoint, match=said):
            checkpoint.load(path)


def test_a_resume_on_other_pictures_is_refused(tmp_path: Path) -> None:
    data = people(tmp_path / "faces")
    out = go(recipe(stage(epochs=1)), data, tmp_path / "run")
    drawn_folder(data, {"person99": 3})
    with pytest.raises(BadData, match="aren't those that it began with"):
        go(recipe(stage(epochs=2)), data, out, resume="last")


def test_people_on_both_sides_are_refused(faces: Path, tmp_path: Path) -> None:
    valid = drawn_folder(tmp_path / "valid", {"somebody": 3, "person01": 3})
    with pytest.raises(BadData, match=r"training and validation: person01"):
        go(recipe(), faces, tmp_path / "run", valid=valid)
    (valid / "person01").rename(valid / "another")
    write(valid / "another" / "9.jpg", __import__("tests.training.faces", fromlist=["drawn"]).drawn(5))
    with pytest.raises(BadData, match=r"pictures are in more than one part"):
        go(recipe(), faces, tmp_path / "run", valid=valid)


def test_what_was_overridden_is_written_down(faces: Path, tmp_path: Path) -> None:
    out = go(recipe(), faces, tmp_path / "run", triplets=12, epochs=1, settings=("network.alpha=8",), report=True)
    changes = json.loads((out / "overrides.json").read_text())
    assert changes["stages.train.sampling.count"] == {"recipe": 24, "run": 12}
    assert changes["network.alpha"] == {"recipe": 10.0, "run": 8.0}
    assert "| `network.alpha` | `10.0` | `8.0` |" in (out / "report.md").read_text()
    kept = recipe_file.check(recipe_file.read_toml(out / "recipe.toml"), "kept")
    assert (kept.network.alpha, kept.epochs, kept.validation.triplets) == (8.0, 1, 12)
