"""Losses against the formulas, written out slowly, and the schedule against torch's."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from training import losses, recipe_file, schedule
from training.recipe import ClassifierLoss, ContrastiveLoss, DistillLoss, Stage, TripletLoss


def embeddings(n: int, seed: int = 0, size: int = 16) -> torch.Tensor:
    torch.manual_seed(seed)
    return (functional.normalize(torch.randn(n, size), dim=1) * 10).requires_grad_()


@pytest.mark.parametrize("distance", ["plain", "squared"])
@pytest.mark.parametrize("keep", ["margin", "hard", "all"])
def test_the_thesis_loss_is_its_formula(distance: str, keep: str) -> None:
    faces = [embeddings(40, seed) for seed in range(3)]
    loss = losses.ThesisTriplets(TripletLoss(margin=0.5, distance=distance, keep=keep))  # type: ignore[arg-type]
    total, kept = loss(*faces)
    hinges = []
    for a, p, n in zip(*(face.detach().double().numpy() for face in faces), strict=True):
        power = 1 if distance == "plain" else 2
        genuine, impostor = np.linalg.norm(a - p) ** power, np.linalg.norm(a - n) ** power
        counts = {"margin": impostor - genuine < 0.5, "hard": impostor < genuine, "all": True}[keep]
        if counts:
            hinges.append(max(0.0, 0.5 + genuine - impostor))
    assert kept == len(hinges)
    assert total.item() == pytest.approx(sum(hinges), rel=1e-4)


def test_triplets_that_are_all_easy_teach_nothing() -> None:
    anchor = embeddings(3)
    total, kept = losses.ThesisTriplets(TripletLoss())(anchor, anchor * 1.0, -anchor)
    assert (total.item(), kept) == (0.0, 0)
    total.backward()
    assert anchor.grad is not None
    assert not anchor.grad.any()


@pytest.mark.parametrize("mining", ["batch-hard", "semi-hard", "distance-weighted"])
def test_miners_pull_people_together(mining: str) -> None:
    labels = torch.arange(6).repeat_interleave(3)
    points = torch.nn.Parameter(embeddings(18).detach())
    loss = losses.MinedTriplets(TripletLoss(mining=mining, margin=2.0))  # type: ignore[arg-type]
    optimizer = torch.optim.Adam([points], lr=0.1)

    def gap() -> float:
        unit = functional.normalize(points.detach(), dim=1) * 10
        apart = torch.cdist(unit, unit)
        same = labels[:, None] == labels[None, :]
        return float(apart[~same].mean() - apart[same].mean())

    before = gap()
    for _ in range(60):
        optimizer.zero_grad()
        total, kept = loss(functional.normalize(points, dim=1) * 10, labels)
        assert kept in (0, 18)
        total.backward()
        optimizer.step()
    assert gap() > before + 1


def test_batch_hard_is_the_hardest_of_the_batch() -> None:
    labels, points = torch.arange(5).repeat_interleave(3), embeddings(15)
    total, kept = losses.MinedTriplets(TripletLoss(mining="batch-hard", margin=0.5))(points, labels)
    apart, same = torch.cdist(points, points), labels[:, None] == labels[None, :]
    positive = torch.where(same, apart, -1.0).max(dim=1).values
    negative = torch.where(same, 1e9, apart).min(dim=1).values
    hinge = (0.5 + positive - negative).clamp(min=0)
    assert total.item() / kept == pytest.approx(hinge[hinge > 0].mean().item(), rel=1e-4)


def test_a_batch_without_triplets_counts_nothing() -> None:
    total, kept = losses.MinedTriplets(TripletLoss(mining="semi-hard"))(embeddings(4), torch.arange(4))
    assert (total.item(), kept) == (0.0, 0)
    total.backward()


def test_contrastive() -> None:
    labels, points = torch.tensor([0, 0, 1, 1]), embeddings(4)
    total, kept = losses.make(ContrastiveLoss(negative_margin=12.0), 2, 16)(points, labels)
    apart, same = torch.cdist(points, points), labels[:, None] == labels[None, :]
    upper = ~torch.eye(4, dtype=torch.bool)
    pull, push = apart[same & upper], (12 - apart[~same]).clamp(min=0)
    expected = pull[pull > 0].mean() + (push[push > 0].mean() if (push > 0).any() else 0)
    assert total.item() / kept == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.parametrize("kind", ["softmax", "arcface", "cosface"])
def test_classifiers_learn_who_is_who(kind: str) -> None:
    torch.manual_seed(0)
    loss = losses.make(ClassifierLoss(kind=kind, scale=16), 4, 16)  # type: ignore[arg-type]
    points, labels = embeddings(32).detach(), torch.arange(4).repeat(8)
    points = functional.normalize(points + 30 * functional.one_hot(labels, 16), dim=1) * 10
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    first = None
    for _ in range(50):
        optimizer.zero_grad()
        total, kept = loss(points, labels)
        assert kept == 32
        first = first or total.item()
        total.backward()
        optimizer.step()
    assert total.item() < 0.5 * first


def test_distillation() -> None:
    teacher = embeddings(6, 1).detach()
    loss = losses.make(DistillLoss(direction=1.0, distances=1.0), 0, 16)
    assert loss(teacher * 0.3, teacher).total.item() == pytest.approx(0, abs=1e-5)  # length says nothing
    total, kept = losses.make(DistillLoss(), 0, 16)(-teacher, teacher)
    assert total.item() / kept == pytest.approx(4.0)


def stage(**values: object) -> Stage:
    return Stage.model_validate({"name": "s", "epochs": 10, "lr": 0.1, **values})


def test_step_is_torchs_step_lr() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    reference = torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.1)
    ours = stage(schedule={"kind": "step", "step_epochs": 3, "gamma": 0.1})
    for epoch in range(10):
        assert schedule.rate(ours, epoch, 1.0) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step()


def test_cosine_rises_and_falls() -> None:
    ours = stage(schedule={"kind": "cosine", "warmup_epochs": 2, "final_share": 0.1})
    rates = [schedule.rate(ours, epoch, share) for epoch in range(10) for share in (0.0, 0.5)]
    assert rates[:4] == sorted(rates[:4])
    assert max(rates) == pytest.approx(0.1)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert schedule.rate(ours, 9, 1.0) == pytest.approx(0.01)
    assert schedule.rate(stage(schedule={"kind": "constant"}), 9, 1.0) == 0.1


def test_the_thesis_recipe_falls_where_its_tables_say() -> None:
    fc = recipe_file.load("thesis").stages[0]
    assert [schedule.rate(fc, epoch, 1.0) for epoch in (0, 49)] == [1e-3, 1e-3]
    assert schedule.rate(fc, 50, 0.0) == pytest.approx(1e-4)
