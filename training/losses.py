"""What a stage minimises. Each loss is a module that gives the sum over the samples that count and how many count.

Sums, not means, since processes that train together must weigh their samples alike, however many each of them keeps.
"""

from typing import NamedTuple

import torch
from pytorch_metric_learning import distances, losses, miners, reducers
from torch import Tensor, nn
from torch.nn import functional

from training.recipe import ClassifierLoss, ContrastiveLoss, DistillLoss, TripletLoss

EPSILON = 1e-6
"""Added to each difference before the distance, as torch's PairwiseDistance does: the thesis used it."""
ARCFACE_MARGIN_DEGREES = 28.6
COSFACE_MARGIN = 0.35


class LossSum(NamedTuple):
    total: Tensor
    """Sum over the samples that count, with its gradient."""
    kept: int
    """How many count; 0 means that this batch teaches nothing."""


def distance(one: Tensor, other: Tensor, kind: str = "plain") -> Tensor:
    """(n,) Euclidean distances of rows, or their squares."""
    plain = functional.pairwise_distance(one, other, eps=EPSILON)
    return plain if kind == "plain" else plain.square()


class ThesisTriplets(nn.Module):
    """Hinge over given triplets; only those that the recipe keeps count. With none kept the thesis' code skips the batch."""

    def __init__(self, recipe: TripletLoss) -> None:
        super().__init__()
        self.recipe = recipe

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> LossSum:
        genuine = distance(anchor, positive, self.recipe.distance)
        impostor = distance(anchor, negative, self.recipe.distance)
        hinge = (self.recipe.margin + genuine - impostor).clamp(min=0)
        gap = (impostor - genuine).detach()
        kept = {
            "margin": gap < self.recipe.margin,
            "hard": gap < 0,
            "all": torch.ones_like(gap, dtype=torch.bool),
        }[self.recipe.keep]
        return LossSum((hinge * kept).sum(), int(kept.sum()))


class MinedTriplets(nn.Module):
    """Triplets that a miner of pytorch-metric-learning finds in a batch with several pictures of a person, or several views of
    a picture; the mean is over those that cost something."""

    def __init__(self, recipe: TripletLoss) -> None:
        super().__init__()
        self.recipe = recipe
        by = distances.LpDistance(normalize_embeddings=False, power=1 if recipe.distance == "plain" else 2)
        self.loss = losses.TripletMarginLoss(margin=recipe.margin, distance=by, reducer=reducers.AvgNonZeroReducer())
        self.unit = recipe.mining == "distance-weighted"
        self.miner = {
            "batch-hard": lambda: miners.BatchHardMiner(distance=by),
            "semi-hard": lambda: miners.TripletMarginMiner(recipe.margin, type_of_triplets="semihard", distance=by),
            # its formula is for the unit sphere; cutoffs are those of Wu et al. 2017
            "distance-weighted": lambda: miners.DistanceWeightedMiner(cutoff=0.5, nonzero_loss_cutoff=1.4),
        }[recipe.mining or ""]()

    def forward(self, embeddings: Tensor, target: Tensor | tuple[Tensor, Tensor]) -> LossSum:
        """`target` is the labels (B,), or they and the teacher's rows (B, size)."""
        labels, taught = (target, None) if isinstance(target, Tensor) else target
        found = self._triplets(embeddings, labels)
        if taught is None or not self.recipe.anchor:
            return found
        apart = functional.normalize(embeddings, dim=1) - functional.normalize(taught.to(embeddings.dtype), dim=1)
        return LossSum(found.total + self.recipe.anchor * apart.square().sum(), len(labels))

    def _triplets(self, embeddings: Tensor, labels: Tensor) -> LossSum:
        with torch.no_grad():
            seen = functional.normalize(embeddings, dim=1) if self.unit else embeddings
            found = self.miner(seen, labels)
        triplets = len(found[0])
        if not triplets:
            return LossSum(embeddings.sum() * 0, 0)
        return LossSum(self.loss(embeddings, labels, found) * len(labels), len(labels))


class Contrastive(nn.Module):
    """All pairs of a PK batch: those of a person drawn together, those of strangers pushed beyond a margin."""

    def __init__(self, recipe: ContrastiveLoss) -> None:
        super().__init__()
        self.loss = losses.ContrastiveLoss(
            pos_margin=recipe.positive_margin,
            neg_margin=recipe.negative_margin,
            distance=distances.LpDistance(normalize_embeddings=False),
        )

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossSum:
        return LossSum(self.loss(embeddings, labels) * len(labels), len(labels))


class Softmax(nn.Module):
    """Cross-entropy of a linear classifier on embeddings of length α (L2-constrained softmax, as the thesis' classifier)."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(size, classes)

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossSum:
        return LossSum(functional.cross_entropy(self.classifier(embeddings), labels, reduction="sum"), len(labels))


class MarginSoftmax(nn.Module):
    """ArcFace or CosFace of pytorch-metric-learning."""

    def __init__(self, recipe: ClassifierLoss, classes: int, size: int) -> None:
        super().__init__()
        if recipe.kind == "arcface":
            margin = ARCFACE_MARGIN_DEGREES if recipe.margin is None else recipe.margin
            self.loss: nn.Module = losses.ArcFaceLoss(classes, size, margin=margin, scale=recipe.scale)
        else:
            margin = COSFACE_MARGIN if recipe.margin is None else recipe.margin
            self.loss = losses.CosFaceLoss(classes, size, margin=margin, scale=recipe.scale)

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossSum:
        return LossSum(self.loss(embeddings, labels) * len(labels), len(labels))


class Distillation(nn.Module):
    """A teacher's directions and, inside the batch, its distances, on the unit sphere (Park et al. 2019)."""

    def __init__(self, recipe: DistillLoss) -> None:
        super().__init__()
        self.recipe = recipe

    def forward(self, embeddings: Tensor, teacher: Tensor) -> LossSum:
        student = functional.normalize(embeddings, dim=1)
        teacher = functional.normalize(teacher.to(student.dtype), dim=1)
        total = embeddings.new_zeros(())
        if self.recipe.direction:
            total = total + self.recipe.direction * (student - teacher).square().sum()
        if self.recipe.distances and len(student) > 1:
            apart = functional.smooth_l1_loss(functional.pdist(student), functional.pdist(teacher))
            total = total + self.recipe.distances * apart * len(student)
        return LossSum(total, len(student))


def make(
    recipe: TripletLoss | ContrastiveLoss | ClassifierLoss | DistillLoss, classes: int, embedding_size: int
) -> nn.Module:
    """The module of a stage's loss; `classes` is the number of training identities."""
    if isinstance(recipe, TripletLoss):
        return ThesisTriplets(recipe) if recipe.mining is None else MinedTriplets(recipe)
    if isinstance(recipe, ContrastiveLoss):
        return Contrastive(recipe)
    if isinstance(recipe, DistillLoss):
        return Distillation(recipe)
    return (
        Softmax(classes, embedding_size) if recipe.kind == "softmax" else MarginSoftmax(recipe, classes, embedding_size)
    )
