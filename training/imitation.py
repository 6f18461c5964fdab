"""Learning what a teacher sees, stage by stage, and not only what it answers (Romero et al. 2015).

Each stage of a ResNet trunk is followed by a 1×1 convolution that foretells the teacher's map at the same places. At 224 px
the student's answer is the teacher's own last layer on the last foretold map: both are linear, so they fold into the thesis'
one linear layer (`settle`), exactly. At other sizes the network has a pooled head, which learns the answer, and the
teacher's maps are averaged to the student's size: a cheap way to begin, for a trunk that goes on at 224 px.
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
        maps = stage_maps(network, pictures)
        target, theirs = self._taught(chips, maps)
        foretold = [layer(own) for layer, own in zip(self.foretell, maps, strict=True)]
        count = len(chips)
        total = target.new_zeros(())
        for number, (own, its) in enumerate(zip(foretold, theirs, strict=True)):
            wanted = (its - self._plane("mean", number)) / self._plane("std", number)
            total = total + self.recipe.maps * functional.mse_loss(own.float(), wanted) * count
        with torch.autocast(target.device.type, enabled=False):
            if isinstance(network, PooledNetwork):
                answers = network.head(maps[-1].float().mean(dim=(2, 3)))
            else:
                last = foretold[-1].float() * self._plane("std", STAGES - 1) + self._plane("mean", STAGES - 1)
                answers = functional.linear(last.flatten(1), self.answer_weight, self.answer_bias)
            apart = (functional.normalize(answers, dim=1) - target).square().sum()
        return LossSum(total + self.recipe.direction * apart, count), answers

    @torch.no_grad()
    def settle(self, network: FaceNetwork) -> None:
        """Write the student's answer into its own linear layer: teacher's layer ∘ standardisation ∘ 1×1 convolution."""
        layer = self.foretell[-1]
        if isinstance(network, PooledNetwork) or not self._measured:
            return
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        mean, std = self._of_plane("mean", STAGES - 1), self._of_plane("std", STAGES - 1)
        its = self.answer_weight.reshape(len(self.answer_bias), -1, SIDE * SIDE)
        planes = layer.weight.flatten(1) * std[:, None]
        network.head.weight.copy_(torch.einsum("etp,ts->esp", its, planes).flatten(1))
        network.head.bias.copy_(torch.einsum("etp,t->e", its, layer.bias * std + mean) + self.answer_bias)

    @torch.no_grad()
    def _taught(self, chips: Tensor, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The teacher's directions, and its maps at the sizes of the student's."""
        embeddings, theirs = self.teacher(chips.cpu().numpy())
        device = maps[0].device
        sized = [
            functional.adaptive_avg_pool2d(its.to(device), own.shape[-1]) for its, own in zip(theirs, maps, strict=True)
        ]
        if not self._measured:
            for number, its in enumerate(sized):
                self._of_plane("mean", number).copy_(its.mean(dim=(0, 2, 3)))
                self._of_plane("std", number).copy_(its.std(dim=(0, 2, 3)).clamp(min=LEAST_STD))
        return functional.normalize(embeddings.to(device), dim=1), sized

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
