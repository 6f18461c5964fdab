"""Learning what a teacher sees, stage by stage, and not only what it answers (Romero et al. 2015).

Each stage of a ResNet trunk is followed by a 1×1 convolution that foretells the teacher's map at the same places. At 224 px
the student's answer is the teacher's own last layer on the last foretold map: both are linear, so they fold into the thesis'
one linear layer (`settle`), exactly. At other sizes the network has a pooled head, which learns the answer, and the
teacher's maps are averaged to the student's size: a cheap way to begin, for a trunk that goes on at 224 px.

With `alone` one stage learns by itself, fed with the teacher's map before it through a 1×1 convolution (Li et al. 2020,
blockwise supervision): a short network with a clear task, several times faster than all at once. `stitch` then puts the stages
together: what one foretells is what the next was fed with, and the two 1×1 convolutions fold into the next one's first ones.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.feature_teacher import PLANES, FeatureTeacher, answer_layer
from training.losses import LossSum
from training.networks import FaceNetwork, PooledNetwork
from training.recipe import ImitateLoss

STAGES = 4
SIDE = 7
"""Positions a side that the last maps of student and teacher have at 224 px, and the linear layer is made for."""
LEAST_STD = 1e-3


class Imitation(nn.Module):
    """Sum over a batch of the answers' squared distance on the unit sphere and the maps' mean squared errors.

    The teacher's maps are standardised by plane, with the mean and deviation that they had in the first batch.
    """

    answer_weight: Tensor
    answer_bias: Tensor

    def __init__(self, recipe: ImitateLoss, planes: Sequence[int], cache: Path, threads: int) -> None:
        """`planes` leave the student's stages; `cache` and `threads` are the teacher's."""
        super().__init__()
        self.recipe = recipe
        self.teacher = FeatureTeacher(cache, threads)
        self.foretell = nn.ModuleList(nn.Conv2d(own, its, 1) for own, its in zip(planes, PLANES, strict=True))
        self.feed = nn.ModuleList(
            nn.Conv2d(its, own, 1, bias=False) for its, own in zip(PLANES, planes[:-1], strict=False)
        )
        answer = answer_layer(cache)
        self.register_buffer("answer_weight", answer.weight, persistent=False)
        self.register_buffer("answer_bias", answer.bias, persistent=False)
        for number, its in enumerate(PLANES):
            self.register_buffer(f"mean{number}", torch.zeros(its))
            self.register_buffer(f"std{number}", torch.zeros(its))

    def forward(self, network: FaceNetwork, pictures: Tensor, chips: Tensor) -> tuple[LossSum, Tensor]:
        """`pictures` (B, 3, px, px) for the student, `chips` (B, 3, 112, 112) uint8 for the teacher.

        Also returns the student's answers (B, 128), of any length.
        """
        if self.recipe.alone is not None:
            return self._alone(network, pictures, chips, self.recipe.alone - 1)
        maps = stage_maps(network, pictures)
        target, theirs = self._taught(chips, maps)
        foretold = [layer(own) for layer, own in zip(self.foretell, maps, strict=True)]
        count = len(chips)
        total = target.new_zeros(())
        for number, (own, its) in enumerate(zip(foretold, theirs, strict=True)):
            wanted = self._standard(its, number)
            total = total + self.recipe.maps * functional.mse_loss(own.float(), wanted) * count
        with torch.autocast(target.device.type, enabled=False):
            if isinstance(network, PooledNetwork):
                answers = network.head(maps[-1].float().mean(dim=(2, 3)))
            else:
                answers = self._answers(foretold[-1])
            apart = (functional.normalize(answers, dim=1) - target).square().sum()
        return LossSum(total + self.recipe.direction * apart, count), answers

    def _alone(self, network: FaceNetwork, pictures: Tensor, chips: Tensor, number: int) -> tuple[LossSum, Tensor]:
        """One stage's part; the answers are the teacher's own where this stage gives none."""
        target, theirs = self._taught(chips)
        parts = list(network.trunk.children())
        if number == 0:
            seen = pictures
            for part in parts[: len(parts) - STAGES]:
                seen = part(seen)
        else:
            before = self._standard(theirs[number - 1], number - 1)
            seen = self.feed[number - 1](before.contiguous(memory_format=torch.channels_last))
        own = self.foretell[number](parts[len(parts) - STAGES + number](seen))
        count = len(chips)
        total = self.recipe.maps * functional.mse_loss(own.float(), self._standard(theirs[number], number)) * count
        if number < STAGES - 1:
            return LossSum(total, count), target
        with torch.autocast(target.device.type, enabled=False):
            answers = self._answers(own)
            apart = (functional.normalize(answers, dim=1) - target).square().sum()
        return LossSum(total + self.recipe.direction * apart, count), answers

    @torch.no_grad()
    def stitch(self, network: FaceNetwork) -> None:
        """Feed each stage with what the one before foretells, instead of with the teacher's map.

        Both are standardised alike, so the two 1×1 convolutions between them fold into the next stage's first convolutions;
        their constant goes into the batch norms behind these.
        """
        stages = list(network.trunk.children())[-STAGES:]
        for number in range(1, STAGES):
            foretell, feed, block = self.foretell[number - 1], self.feed[number - 1], stages[number][0]  # type: ignore[index]
            weight = feed.weight.flatten(1) @ foretell.weight.flatten(1)  # type: ignore[operator]
            constant = feed.weight.flatten(1) @ foretell.bias  # type: ignore[operator]
            for conv, norm in ((block.conv1, block.bn1), (block.downsample[0], block.downsample[1])):
                first = conv.weight.flatten(1).clone()
                conv.weight.copy_((first @ weight)[:, :, None, None])
                norm.running_mean.sub_(first @ constant)

    @torch.no_grad()
    def settle(self, network: FaceNetwork) -> None:
        """Write the student's answer into its own linear layer: teacher's layer ∘ standardisation ∘ 1×1 convolution."""
        layer = self.foretell[-1]
        if isinstance(network, PooledNetwork) or not self._measured:
            return  # nothing was learnt yet, or the head learns by itself
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        mean, std = self._of_plane("mean", STAGES - 1), self._of_plane("std", STAGES - 1)
        its = self.answer_weight.reshape(len(self.answer_bias), -1, SIDE * SIDE)
        planes = layer.weight.flatten(1) * std[:, None]
        network.head.weight.copy_(torch.einsum("etp,ts->esp", its, planes).flatten(1))
        network.head.bias.copy_(torch.einsum("etp,t->e", its, layer.bias * std + mean) + self.answer_bias)

    @torch.no_grad()
    def _taught(self, chips: Tensor, maps: Sequence[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        """The teacher's directions, and its maps at the sizes of the student's `maps`, or at its own."""
        embeddings, theirs = self.teacher(chips.cpu().numpy())
        theirs = [its.to(chips.device) for its in theirs]
        if maps is not None:
            theirs = [functional.adaptive_avg_pool2d(i, o.shape[-1]) for i, o in zip(theirs, maps, strict=True)]
        if not self._measured:
            for number, its in enumerate(theirs):
                self._of_plane("mean", number).copy_(its.mean(dim=(0, 2, 3)))
                self._of_plane("std", number).copy_(its.std(dim=(0, 2, 3)).clamp(min=LEAST_STD))
        return functional.normalize(embeddings.to(chips.device), dim=1), theirs

    def _answers(self, foretold: Tensor) -> Tensor:
        """The teacher's last layer on the last map as foretold, standardised."""
        last = foretold.float() * self._plane("std", STAGES - 1) + self._plane("mean", STAGES - 1)
        return functional.linear(last.flatten(1), self.answer_weight, self.answer_bias)

    def _standard(self, its: Tensor, number: int) -> Tensor:
        return (its - self._plane("mean", number)) / self._plane("std", number)

    @property
    def _measured(self) -> bool:
        return bool(self._of_plane("std", 0).any())

    def _of_plane(self, what: str, number: int) -> Tensor:
        tensor: Tensor = getattr(self, f"{what}{number}")
        return tensor

    def _plane(self, what: str, number: int) -> Tensor:
        return self._of_plane(what, number)[None, :, None, None]


def stage_maps(network: FaceNetwork, pictures: Tensor) -> list[Tensor]:
    """What leaves layer1 … layer4."""
    parts = list(network.trunk.children())
    maps, seen = [], pictures
    for number, part in enumerate(parts):
        seen = part(seen)
        if number >= len(parts) - STAGES:
            maps.append(seen)
    return maps
