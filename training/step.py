"""One batch's way through network and loss."""

import torch
from torch import Tensor, nn

from training.imitation import Imitation
from training.networks import FaceNetwork


class Step(nn.Module):
    """Network and loss as one module, so that whatever wraps it (processes, compilation) sees the whole step.

    Its forward takes triplets (B, 3, 3, px, px), or pictures (B, 3, px, px) with what their loss wants to know (feeds.Target).
    It returns the loss, how many samples count, and the embeddings (float32, without a gradient).
    """

    def __init__(self, network: FaceNetwork, loss: nn.Module, separate: bool) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.separate = separate

    def forward(self, pictures: Tensor, target: Tensor | None) -> tuple[Tensor, int, Tensor]:
        if pictures.dim() == 5:
            faces = [pictures[:, i] for i in range(3)]
            one_by_one = self.separate
            parts = [self.network(face) for face in faces] if one_by_one else self.network(torch.cat(faces)).chunk(3)
            embeddings = torch.stack(parts, dim=1).float()
            with torch.autocast(pictures.device.type, enabled=False):
                total, count = self.loss(*embeddings.unbind(dim=1))
        elif isinstance(self.loss, Imitation):
            (total, count), embeddings = self.loss(self.network, pictures, target)
        else:
            embeddings = self.network(pictures).float()
            with torch.autocast(pictures.device.type, enabled=False):
                total, count = self.loss(embeddings, target)
        return total, count, embeddings.detach()
