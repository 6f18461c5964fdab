"""The networks that can be trained: the worker's ResNets, and others for comparison, each with a head on a sphere of radius α.

Layers have the thesis' names (conv1, bn1, relu, maxpool, layer1 … layer4, fc); those of the Inceptions keep their authors'.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.recipe import NetworkRecipe
from worker.network import TRUNKS, ResNet50Triplet, ResNetTriplet, count_parameters

ARCHITECTURES = ("resnet50", "resnet34", "resnet18", "inception-resnet-v2", "inception-resnet-v1")
RESNET_LAYERS = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
"""Names of the eight parts of a ResNet's trunk, in order."""
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class PooledNetwork(nn.Module):
    """A trunk, its features averaged over the picture, one linear layer: any input size, and no bundle."""

    def __init__(self, trunk: nn.Sequential, planes: int, embedding_size: int, alpha: float) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(planes, embedding_size)
        self.alpha = alpha

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.trunk(pictures).mean(dim=(2, 3))
        return functional.normalize(self.head(features), dim=1) * self.alpha


FaceNetwork = ResNetTriplet | PooledNetwork
"""Both have `trunk` (a Sequential), `head` and `alpha`."""


def build(
    architecture: str,
    *,
    head: Literal["flatten", "pooled"] = "flatten",
    embedding_size: int = 128,
    alpha: float = 10.0,
    classes: int = 0,
) -> FaceNetwork:
    """A network with random weights from torch's generator; raises ValueError for what doesn't exist.

    (batch, 3, px, px) in, (batch, embedding_size) of length α out. With `classes` it has the thesis' `classifier` on top,
    which its forward pass leaves alone: `network.classifier(network(pictures))` names people.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r} is unknown; there are {', '.join(ARCHITECTURES)}")
    network: FaceNetwork
    if head == "flatten":
        name = f"{architecture}-triplet"
        if name not in TRUNKS:
            raise ValueError(f"{architecture} has no flatten head here; take the pooled one")
        thesis = name == "resnet50-triplet" and embedding_size == 128
        network = ResNet50Triplet(alpha) if thesis else ResNetTriplet(name, alpha, embedding_size)
    else:
        network = PooledNetwork(*_trunk(architecture), embedding_size, alpha)
    if classes:
        network.add_module("classifier", nn.Linear(embedding_size, classes))
    return network


def of_recipe(form: NetworkRecipe) -> FaceNetwork:
    """What a recipe's network section describes, with random weights."""
    return build(form.architecture, head=form.head, embedding_size=form.embedding_size, alpha=form.alpha)


def parameters_of(form: NetworkRecipe) -> int:
    """How many parameters it has; no weights are made for it."""
    with torch.device("meta"):
        return count_parameters(of_recipe(form))


def _trunk(architecture: str) -> tuple[nn.Sequential, int]:
    """Everything before the pooling, and how many planes leave it."""
    if architecture.startswith("resnet"):
        make, planes = TRUNKS[f"{architecture}-triplet"]
        whole: nn.Module = make(weights=None)
        return nn.Sequential(*(getattr(whole, name) for name in RESNET_LAYERS)), planes
    if architecture == "inception-resnet-v2":
        import timm

        whole = timm.create_model("inception_resnet_v2", pretrained=False)
        end, planes = "global_pool", 1536
    else:
        from facenet_pytorch import InceptionResnetV1

        whole = InceptionResnetV1(pretrained=None)
        end, planes = "avgpool_1a", 1792
    trunk = nn.Sequential()
    for name, child in whole.named_children():
        if name == end:
            break
        trunk.add_module(name, child)
    return trunk, planes


def stage_planes(architecture: str) -> tuple[int, ...]:
    """Planes that leave layer1 … layer4 of a ResNet."""
    last = TRUNKS[f"{architecture}-triplet"][1]
    return last // 8, last // 4, last // 2, last


def bundle_architecture(architecture: str, head: str, embedding_size: int) -> str | None:
    """What model.json calls it, or None where the worker can't serve it."""
    return f"{architecture}-triplet" if head == "flatten" and embedding_size == 128 else None


def layers(network: FaceNetwork) -> dict[str, nn.Module]:
    """Name → layer, from the picture to the embedding, then `classifier` where there is one."""
    parts = dict(network.trunk.named_children())
    if list(parts) == [str(i) for i in range(len(RESNET_LAYERS))]:
        parts = dict(zip(RESNET_LAYERS, parts.values(), strict=True))
    parts["fc"] = network.head
    classifier = getattr(network, "classifier", None)
    return parts | ({"classifier": classifier} if isinstance(classifier, nn.Module) else {})


def freeze(
    network: FaceNetwork,
    train: Literal["fc", "all-but-fc", "all", "named"],
    unfreeze: Sequence[str] = (),
    freeze: Sequence[str] = (),
) -> list[str]:
    """Let the meant layers learn and no others; their names. Raises ValueError for a layer that isn't there."""
    parts = layers(network)
    heads = {"fc", "classifier"}
    if unknown := [name for name in (*unfreeze, *freeze) if name not in parts]:
        raise ValueError(f"no layer {', '.join(unknown)}; there are {', '.join(parts)}")
    learns = {
        "all": set(parts),
        "fc": heads,
        "all-but-fc": set(parts) - heads,
        "named": set(unfreeze) if unfreeze else set(parts) - set(freeze),
    }[train]
    for name, part in parts.items():
        part.requires_grad_(name in learns)
    return [name for name, part in parts.items() if name in learns and any(True for _ in part.parameters())]


def set_training(network: nn.Module, frozen_batch_norm: Literal["moves", "fixed"]) -> None:
    """Training mode; with `fixed`, batch norm of frozen layers keeps its statistics and uses them."""
    network.train()
    if frozen_batch_norm == "fixed":
        for part in network.modules():
            if isinstance(part, BATCH_NORMS) and not _learns(part.parameters()):
                part.eval()


def _learns(parameters: Iterable[nn.Parameter]) -> bool:
    return any(parameter.requires_grad for parameter in parameters)


def embed(network: nn.Module, pictures: Tensor) -> Tensor:
    """(n, size) float32 embeddings without a gradient."""
    with torch.inference_mode():
        answer: Tensor = network(pictures).float()
        return answer
