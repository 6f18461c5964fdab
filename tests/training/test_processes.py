"""Two processes under torchrun (gloo) train as one does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.tiny_run import go, people, recipe, stage, weights
from training import recipe_file
from training.dataset import BadData, read_folder
from training.feeds import EndlessBatches, Feed, shared
from training.processes import Processes
from training.runlog import read_rows


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people(tmp_path_factory.mktemp("people") / "faces")


@pytest.mark.long
def test_two_processes_end_where_one_does(faces: Path, tmp_path: Path) -> None:
    """With statistics of batch norm held still, since each process has its own otherwise."""
    base = recipe(stage("fc", 2, train="fc", frozen_batch_norm="fixed"), compute={"ema_decay": 0.5})
    alone = go(base, faces, tmp_path / "alone")
    file, out = tmp_path / "tiny.toml", tmp_path / "together"
    file.write_text(recipe_file.to_toml(base))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    command += ["-m", "deploy.cli", "train", "run", str(file), "--data", str(faces), "--out", str(out), "--quiet"]
    env = os.environ | {"ATTENDANCE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("report.md") == 1
    one, two = weights(alone), weights(out)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5, msg=name)
    for name, columns in (("train", ("loss", "kept_share", "accuracy_text", "views")), ("valid", ("loss", "auc"))):
        for row, other in zip(read_rows(alone, name), read_rows(out, name), strict=True):
            assert [float(other[c]) for c in columns] == pytest.approx([float(row[c]) for c in columns], rel=1e-4)


def feed(
    faces: Path, sampling: dict[str, object], loss: dict[str, object], rank: int, world: int, first: int = 0
) -> Feed:
    base = recipe(stage(sampling=sampling, loss=loss))
    return Feed(base, base.stages[0], read_folder(faces), 3, first, Processes(rank, world))


CASES = [
    ({"kind": "triplets", "count": 24, "batch": 6}, {"kind": "triplet"}),
    ({"kind": "pk", "people": 4, "pictures": 2, "batches": 4}, {"kind": "contrastive"}),
    ({"kind": "pictures", "batch": 8, "batches": 4}, {"kind": "softmax"}),
]


@pytest.mark.parametrize(("sampling", "loss"), CASES)
def test_equal_seeds_give_equal_batches_and_an_epoch_can_be_taken_up(
    faces: Path, sampling: dict[str, object], loss: dict[str, object]
) -> None:
    whole = list(feed(faces, sampling, loss, 0, 1))
    again = list(feed(faces, sampling, loss, 0, 1, first=2))
    assert len(whole) == feed(faces, sampling, loss, 0, 1, first=2).batches == 4
    for (pictures, target), (others, other) in zip(whole[2:], again, strict=True):
        assert torch.equal(pictures, others)
        assert (target is None and other is None) or torch.equal(target, other)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sampling", "loss"), CASES)
def test_processes_share_the_batches_out(faces: Path, sampling: dict[str, object], loss: dict[str, object]) -> None:
    parts = [list(feed(faces, sampling, loss, rank, 2)) for rank in (0, 1)]
    assert [len(part) for part in parts] == [4, 4]
    sizes = {len(pictures) for part in parts for pictures, _ in part}
    assert sizes == {len(next(iter(feed(faces, sampling, loss, 0, 1)))[0]) // 2}
    assert not torch.equal(parts[0][0][0], parts[1][0][0])


def test_everybodys_turn_comes_before_anybodys_second() -> None:
    batches = EndlessBatches(10, 2, 3, seed=1, rank=0, world=1)  # epochs of 3 batches over rounds of 5
    seen = []
    for epoch in range(5):
        batches.set_epoch(epoch)
        seen += [number for batch in batches for number in batch]
    for start in (0, 10, 20):
        assert sorted(seen[start : start + 10]) == list(range(10))


def test_a_batch_that_cant_be_shared_out() -> None:
    with pytest.raises(BadData, match=r"sampling\.batch 7 can't be shared out evenly to 2 processes"):
        shared(7, 2, "sampling.batch")
