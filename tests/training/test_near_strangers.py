"""Batches without identities: who is a near stranger, what a batch is made of, and that triplets and anchor both pull."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.tiny_run import go, people, recipe, stage
from training import losses, near_strangers
from training.dataset import BadData
from training.near_strangers import NearStrangerBatches
from training.recipe import TripletLoss
from training.recipe_file import BadRecipe

NEAR = {"kind": "near-strangers", "groups": 2, "size": 2, "views": 2, "batches": 2, "nearest": 4, "ceiling": 0.9}
ANCHORED = {"kind": "triplet", "mining": "batch-hard", "margin": 1.0, "anchor": 1.0}


def towards(*degrees: float) -> np.ndarray:
    turns = np.deg2rad(degrees)
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32) * 10


def test_the_likest_come_first_and_who_may_be_the_same_person_last() -> None:
    found = near_strangers.near_strangers(towards(0, 5, 40, 60, 170), ceiling=0.9, count=3)
    assert found[0].tolist() == [2, 3, 4]
    assert found[3].tolist() == [1, 0, 4]


def test_parts_of_the_table_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    templates = np.random.default_rng(1).normal(size=(50, 16)).astype(np.float32)
    whole = near_strangers.near_strangers(templates, 0.45, 6)
    monkeypatch.setattr(near_strangers, "ROWS", 7)
    assert np.array_equal(near_strangers.near_strangers(templates, 0.45, 6), whole)
    assert all(own not in row for own, row in enumerate(whole))


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(BadData, match="3 pictures: batches of near strangers need more than 3"):
        near_strangers.near_strangers(towards(0, 90, 180), 0.5, 3)


def test_a_batch_holds_groups_of_near_strangers_each_picture_some_times() -> None:
    strangers = near_strangers.near_strangers(np.random.default_rng(2).normal(size=(40, 8)).astype(np.float32), 0.9, 5)
    made = {"groups": 4, "size": 3, "views": 2, "batches": 3, "seed": 1}
    batch = NearStrangerBatches(strangers, **made).batch(1)
    assert len(batch) == 24
    assert batch[::2] == batch[1::2]
    for group in np.array(batch[::2]).reshape(4, 3):
        assert set(group[1:]) <= set(strangers[group[0]])
        assert len(set(group)) == 3
    shares = [NearStrangerBatches(strangers, **{**made, "groups": 2}, rank=r, world=2).batch(1) for r in (0, 1)]
    assert shares[0] + shares[1] == batch
    assert NearStrangerBatches(strangers, **made).batch(2) != batch


def test_the_anchor_adds_how_far_the_student_left_its_teacher() -> None:
    embeddings = torch.randn(8, 16, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(4).repeat_interleave(2)
    alone = losses.make(TripletLoss(mining="batch-hard", margin=1.0), 0, 16)(embeddings, labels)
    anchored = losses.make(TripletLoss(mining="batch-hard", margin=1.0, anchor=2.0), 0, 16)
    same = anchored(embeddings, (labels, embeddings * 3))
    assert float(same.total) == pytest.approx(float(alone.total), rel=1e-4)
    opposite = anchored(embeddings, (labels, -embeddings))
    assert float(opposite.total - alone.total) == pytest.approx(2.0 * 4 * 8, rel=1e-4)


def test_a_run_trains_on_them(tmp_path: Path) -> None:
    form = {"architecture": "resnet18", "head": "pooled", "input_px": 32}
    base = recipe(stage("triplets", 1, sampling=NEAR, loss=ANCHORED), network=form)
    run = go(base, people(tmp_path / "faces"), tmp_path / "run")
    from training.runlog import read_rows

    (row,) = read_rows(run, "train")
    assert int(row["views"]) == 16
    assert float(row["loss"]) > 0


@pytest.mark.parametrize(
    ("sampling", "loss", "said"),
    [
        (NEAR, {"kind": "softmax"}, "goes with loss.kind=triplet"),
        (NEAR, {"kind": "triplet"}, "loss.mining"),
        ({"kind": "pk"}, ANCHORED, "loss.anchor needs a teacher"),
        ({**NEAR, "size": 8}, ANCHORED, "nearest 4 is less than the 7"),
    ],
)
def test_what_doesnt_fit_is_refused(sampling, loss, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadRecipe, match=said):
        recipe(stage(sampling=sampling, loss=loss))
