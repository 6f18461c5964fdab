"""Runs that take seconds: ResNet-18 at 32 px, drawn pictures of a dozen people, a few batches an epoch."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.faces import drawn_folder
from training import recipe_file, train
from training.recipe import Recipe
from training.train import TrainOptions

TRIPLETS = {"kind": "triplets", "count": 24, "batch": 6}
PK = {"kind": "pk", "people": 4, "pictures": 2, "batches": 4}
PICTURES = {"kind": "pictures", "batch": 8, "batches": 4}


def people(root: Path) -> Path:
    """Twelve people with four pictures each, of whom three will be held out."""
    return drawn_folder(root, {f"person{i:02d}": 4 for i in range(12)})


def stage(name: str = "train", epochs: int = 2, **values: Any) -> dict[str, Any]:
    return {"name": name, "epochs": epochs, "sampling": TRIPLETS, "lr": 1e-3, **values}


def recipe(*stages: dict[str, Any], compute: dict[str, Any] | None = None, **values: Any) -> Recipe:
    body: dict[str, Any] = {
        "name": "tiny",
        "seed": 7,
        "data": {"held_out_share": 0.25, "loader_processes": 0},
        "network": {"architecture": "resnet18", "head": "pooled", "input_px": 32, "embedding_size": 16},
        "validation": {"triplets": 24, "batch": 8},
        "compute": {"device": "cpu", "threads": 1, **(compute or {})},
        "stages": list(stages) or [stage()],
        **values,
    }
    return recipe_file.check(body, "tiny")


def go(base: Recipe, data: Path, out: Path, **options: Any) -> Path:
    """Train; plots and report only where they are asked for, since they take longer than the training."""
    given = {"quiet": True, "report": False, "cache": out.parent / "cache"} | options
    return train.run(TrainOptions("tiny", data, out, **given), base=base)


def weights(run: Path, which: str = "last") -> dict[str, torch.Tensor]:
    body = torch.load(run / "checkpoints" / f"{which}.pt", weights_only=True)
    found: dict[str, torch.Tensor] = body["network"] | {f"ema.{k}": v for k, v in (body["ema"] or {}).items()}
    return found


def assert_equal(one: Path, other: Path) -> None:
    """Bit for bit the same network, average and figures; times aside."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    for name in ("train", "valid"):
        rows = [_without_times(run, name) for run in (one, other)]
        assert rows[0] == rows[1]


def _without_times(run: Path, name: str) -> list[dict[str, str]]:
    from training.runlog import read_rows

    timed = {"seconds", "pictures_per_s", "waiting_share"}
    return [{k: v for k, v in row.items() if k not in timed} for row in read_rows(run, name)]


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return people(tmp_path / "faces")
