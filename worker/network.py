"""The network of the thesis (Hairul Imam, 2019): ResNet-50, flattened, one linear layer to 128, on a sphere of radius α.

One definition for training and serving. The trunk is torchvision's ResNet-50 without its pooling and classifier; a
224×224 picture leaves it as 2048×7×7 = 100,352 numbers. 36,353,216 parameters in all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet50

INPUT_PX = 224
ALPHA = 10.0
EMBEDDING_SIZE = 128
PARAMETERS = 36_353_216
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ResNet50Triplet(nn.Module):
    """(batch, 3, 224, 224) ImageNet-normalised RGB in, (batch, 128) of length α out."""

    def __init__(self, alpha: float = ALPHA) -> None:
        super().__init__()
        whole = resnet50(weights=None)
        self.trunk = nn.Sequential(
            whole.conv1, whole.bn1, whole.relu, whole.maxpool, whole.layer1, whole.layer2, whole.layer3, whole.layer4
        )
        self.head = nn.Linear(2048 * 7 * 7, EMBEDDING_SIZE)
        self.alpha = alpha

    def forward(self, pictures: Tensor) -> Tensor:
        features = torch.flatten(self.trunk(pictures), 1)
        return functional.normalize(self.head(features), dim=1) * self.alpha


def build(architecture: str = "resnet50-triplet", alpha: float = ALPHA) -> ResNet50Triplet:
    """The network with fresh random weights, which are for training and benchmarks only; raises ValueError for others."""
    if architecture != "resnet50-triplet":
        raise ValueError(f"architecture {architecture!r} is unknown here; this version builds 'resnet50-triplet'")
    return ResNet50Triplet(alpha)


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
