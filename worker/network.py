"""The network of the thesis (Hairul Imam, 2019): ResNet-50, flattened, one linear layer to 128, on a sphere of radius α.

One definition for training and serving. The trunk is torchvision's ResNet-50 without its pooling and classifier; a
224×224 picture leaves it as 2048×7×7 = 100,352 numbers. 36,353,216 parameters in all. ResNet-34 and ResNet-18 in the same
manner, for weak machines, leave 512×7×7 = 25,088.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import ResNet, resnet18, resnet34, resnet50

INPUT_PX = 224
ALPHA = 10.0
EMBEDDING_SIZE = 128
PARAMETERS = 36_353_216
"""Of the thesis network."""
TRUNKS: dict[str, tuple[Callable[..., ResNet], int]] = {
    "resnet50-triplet": (resnet50, 2048),
    "resnet34-triplet": (resnet34, 512),
    "resnet18-triplet": (resnet18, 512),
}
"""Architecture → torchvision's builder and the planes that leave the trunk."""
PARAMETERS_OF = {"resnet50-triplet": PARAMETERS, "resnet34-triplet": 24_496_064, "resnet18-triplet": 14_387_904}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ResNetTriplet(nn.Module):
    """(batch, 3, 224, 224) ImageNet-normalised RGB in, (batch, embedding_size) of length α out."""

    def __init__(self, architecture: str, alpha: float = ALPHA, embedding_size: int = EMBEDDING_SIZE) -> None:
        super().__init__()
        make, planes = TRUNKS[architecture]
        whole = make(weights=None)
        self.trunk = nn.Sequential(
            whole.conv1, whole.bn1, whole.relu, whole.maxpool, whole.layer1, whole.layer2, whole.layer3, whole.layer4
        )
        self.head = nn.Linear(planes * 7 * 7, embedding_size)
        self.alpha = alpha

    def forward(self, pictures: Tensor) -> Tensor:
        features = torch.flatten(self.trunk(pictures), 1)
        return functional.normalize(self.head(features), dim=1) * self.alpha


class ResNet50Triplet(ResNetTriplet):
    """The thesis network."""

    def __init__(self, alpha: float = ALPHA) -> None:
        super().__init__("resnet50-triplet", alpha)


def build(architecture: str = "resnet50-triplet", alpha: float = ALPHA) -> ResNetTriplet:
    """The network with fresh random weights, which are for training and benchmarks only; raises ValueError for others."""
    if architecture not in TRUNKS:
        built = ", ".join(repr(name) for name in TRUNKS)
        raise ValueError(f"architecture {architecture!r} is unknown here; this version builds {built}")
    return ResNet50Triplet(alpha) if architecture == "resnet50-triplet" else ResNetTriplet(architecture, alpha)


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
