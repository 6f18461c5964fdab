"""The weights that a run starts from: random, ImageNet's, or a file's (torchvision's layout, a checkpoint, a bundle)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from safetensors.torch import load_file
from torch import Tensor

from training.networks import RESNET_LAYERS, FaceNetwork

IMAGENET_FILES = {"resnet50": "ResNet50_Weights", "resnet34": "ResNet34_Weights", "resnet18": "ResNet18_Weights"}
"""Architecture → torchvision's enum of weights; IMAGENET1K_V1 are those of the thesis' time."""


class BadWeights(ValueError):
    """Weights that can't be used; the message names the file, what is wrong, and the way out."""


def initialise(network: FaceNetwork, architecture: str, source: str) -> str:
    """Give the network its first weights and say in words what they are; raises BadWeights.

    `random` leaves what `build` made. `imagenet` downloads torchvision's (ResNets) or timm's (Inception-ResNet-v2) weights.
    A file with torchvision's or timm's layout gives the trunk; a checkpoint of a run or a bundle gives all, or its trunk
    alone where its head is of another form.
    """
    if source == "random":
        return "random weights"
    if source == "imagenet":
        weights, words = _imagenet(architecture), "ImageNet weights"
    else:
        path = Path(source)
        weights, words = read_weights(path), f"weights of {path.name}"
        if _heads_differ(network, weights):
            weights = {name: tensor for name, tensor in weights.items() if not name.startswith("head.")}
            words += " without its head, which is of another form"
    _put(network, weights, words, architecture)
    return words


def read_weights(path: Path) -> dict[str, Tensor]:
    """Name → tensor of a .safetensors file, a bundle's folder, a state dict or a run's checkpoint; raises BadWeights."""
    if path.is_dir():
        path = path / "model.safetensors"
    if not path.is_file():
        raise BadWeights(
            f"{path}: there is no such file; --init takes random, imagenet, a file of weights or a bundle's folder"
        )
    try:
        body: Any = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except Exception as error:  # of a damaged or hostile file torch's reader raises whatever it trips over
        raise BadWeights(f"{path}: no weights can be read from it ({' '.join(str(error).split())[:120]})") from None
    if isinstance(body, Mapping):  # a run's checkpoint; its average over steps is the better start
        body = body.get("ema") or body.get("network") or body.get("state_dict") or body
    if not isinstance(body, Mapping) or not all(isinstance(value, Tensor) for value in body.values()) or not body:
        raise BadWeights(f"{path}: holds no table of weights (name → tensor)")
    return {str(name).removeprefix("module."): value for name, value in body.items()}


def _heads_differ(network: FaceNetwork, weights: Mapping[str, Tensor]) -> bool:
    """Whether they are a network's of ours with the other kind of head, pooled or flatten."""
    head = weights.get("head.weight")
    return head is not None and head.dim() == 2 and head.shape[1] != network.head.weight.shape[1]


def _put(network: FaceNetwork, weights: Mapping[str, Tensor], words: str, architecture: str) -> None:
    own = network.state_dict()
    whole = any(name.startswith("trunk.") for name in weights)
    given = dict(weights) if whole else _as_trunk(network, weights)
    with_head = any(name.startswith("head.") for name in given)
    wanted = {name for name in own if not name.startswith("classifier.") and (with_head or name.startswith("trunk."))}
    wrong = [n for n in wanted & set(given) if given[n].shape != own[n].shape]
    missing = [n for n in wanted - set(given) if not n.endswith("num_batches_tracked")]
    strange = [n for n in given if n not in own and not n.startswith("classifier.")]
    if missing or wrong or (strange and whole):
        example = next(iter(sorted(missing) or sorted(wrong) or sorted(strange)))
        raise BadWeights(
            f"{words} are of another architecture than {architecture}: {len(missing)} tensors are missing, {len(wrong)} have "
            f"another shape, {len(strange)} have no place (such as {example}); set network.architecture to theirs"
        )
    chosen = {name: given[name].to(own[name].dtype) for name in wanted & set(given)}
    if bad := [name for name, tensor in chosen.items() if not torch.isfinite(tensor).all()]:
        raise BadWeights(f"{words}: {sorted(bad)[0]} holds NaN or infinity; the run that made them failed")
    network.load_state_dict(chosen, strict=False)


def _as_trunk(network: FaceNetwork, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's names (`layer1.0.conv1.weight`, `conv1.weight`) or timm's as names of our trunk; their heads are left out."""
    children = [name for name, _ in network.trunk.named_children()]
    numbered = children == [str(i) for i in range(len(RESNET_LAYERS))]
    place = dict(zip(RESNET_LAYERS, children, strict=True)) if numbered else {name: name for name in children}
    found = {}
    for name, tensor in weights.items():
        first, _, rest = name.partition(".")
        if first in place:
            found[f"trunk.{place[first]}.{rest}"] = tensor
    return found


def _imagenet(architecture: str) -> dict[str, Tensor]:
    try:
        if architecture in IMAGENET_FILES:
            import torchvision

            enum = getattr(torchvision.models, IMAGENET_FILES[architecture])
            return dict(enum.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True))
        if architecture == "inception-resnet-v2":
            import timm

            return timm.create_model("inception_resnet_v2", pretrained=True).state_dict()
    except (URLError, OSError, RuntimeError) as error:
        raise BadWeights(
            f"ImageNet weights of {architecture} couldn't be fetched ({' '.join(str(error).split())[:120]}); on a machine "
            "without internet give the file that torchvision downloads elsewhere: --init FILE, or start with --init random"
        ) from None
    raise BadWeights(f"{architecture} has no ImageNet weights; take --init random, or a file of weights")
