"""Networks, freezing, and the weights they start from."""

from pathlib import Path

import pytest
import torch
from torchvision.models import resnet18, resnet50

from training import networks
from training.initial import BadWeights, initialise, read_weights
from worker import network as served


def test_the_thesis_network_is_the_workers_own() -> None:
    network = networks.build("resnet50", classes=10)
    assert isinstance(network, served.ResNet50Triplet)
    assert networks.count_parameters(network) - 128 * 10 - 10 == 36_353_216
    assert list(networks.layers(network)) == [*networks.RESNET_LAYERS, "fc", "classifier"]
    assert network.get_submodule("classifier")(torch.zeros(2, 128)).shape == (2, 10)


@pytest.mark.parametrize(
    ("architecture", "head", "px"),
    [("resnet18", "flatten", 224), ("resnet18", "pooled", 40), ("resnet34", "pooled", 40), ("resnet50", "pooled", 40)],
)
def test_embeddings_lie_on_the_sphere(architecture: str, head: str, px: int) -> None:
    network = networks.build(architecture, head=head, alpha=5.0).eval()  # type: ignore[arg-type]
    found = networks.embed(network, torch.randn(2, 3, px, px))
    assert found.shape == (2, 128)
    assert torch.allclose(found.norm(dim=1), torch.full((2,), 5.0), atol=1e-4)


@pytest.mark.parametrize("architecture", ["inception-resnet-v1", "inception-resnet-v2"])
def test_inceptions(architecture: str) -> None:
    network = networks.build(architecture, head="pooled").eval()
    assert networks.embed(network, torch.randn(1, 3, 80, 80)).shape == (1, 128)
    assert "fc" in networks.layers(network)
    assert networks.bundle_architecture(architecture, "pooled", 128) is None


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(ValueError, match="'vgg' is unknown; there are resnet50"):
        networks.build("vgg")
    with pytest.raises(ValueError, match="no flatten head"):
        networks.build("inception-resnet-v1", head="flatten")


def test_freezing() -> None:
    network = networks.build("resnet18", head="pooled", classes=3)
    assert networks.freeze(network, "fc") == ["fc", "classifier"]
    assert not any(p.requires_grad for p in network.trunk.parameters())
    assert networks.freeze(network, "all-but-fc") == ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    assert not any(p.requires_grad for p in network.head.parameters())
    assert networks.freeze(network, "named", unfreeze=["layer4", "fc"]) == ["layer4", "fc"]
    assert "layer4" not in networks.freeze(network, "named", freeze=["layer4"])
    assert all(p.requires_grad for p in network.parameters()) is False
    networks.freeze(network, "all")
    assert all(p.requires_grad for p in network.parameters())
    with pytest.raises(ValueError, match="no layer layer5; there are conv1"):
        networks.freeze(network, "named", unfreeze=["layer5"])


@pytest.mark.parametrize(("how", "moves"), [("moves", True), ("fixed", False)])
def test_statistics_of_frozen_layers_move_as_in_the_thesis_or_stay(how: str, moves: bool) -> None:
    network = networks.build("resnet18", head="pooled")
    networks.freeze(network, "fc")
    before = network.trunk[1].running_mean.clone()
    networks.set_training(network, how)  # type: ignore[arg-type]
    network(torch.randn(4, 3, 32, 32))
    assert torch.equal(network.trunk[1].running_mean, before) is not moves


def test_a_file_of_torchvisions_layout_gives_the_trunk(tmp_path: Path) -> None:
    whole = resnet50(weights=None)
    path = tmp_path / "resnet50-made-here.pth"
    torch.save(whole.state_dict(), path)
    network = networks.build("resnet50")
    head = network.head.weight.detach().clone()
    assert initialise(network, "resnet50", str(path)) == "weights of resnet50-made-here.pth"
    assert torch.equal(network.trunk[0].weight, whole.conv1.weight)
    assert torch.equal(network.trunk[7][2].bn3.running_var, whole.layer4[2].bn3.running_var)
    assert torch.equal(network.head.weight, head)


def test_weights_that_dont_fit_are_refused_in_words(tmp_path: Path) -> None:
    network = networks.build("resnet18", head="pooled")
    other, broken, empty, text = (tmp_path / name for name in ("other.pth", "nan.pth", "empty.pth", "text.pth"))
    torch.save(resnet50(weights=None).state_dict(), other)
    with pytest.raises(BadWeights, match="of another architecture than resnet18"):
        initialise(network, "resnet18", str(other))
    bad = resnet18(weights=None).state_dict()
    bad["conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(bad, broken)
    with pytest.raises(BadWeights, match="NaN"):
        initialise(network, "resnet18", str(broken))
    torch.save({}, empty)
    text.write_text("hello")
    for path, said in (
        (empty, "no table of weights"),
        (text, "no weights can be read"),
        (tmp_path / "no", "no such file"),
    ):
        with pytest.raises(BadWeights, match=said):
            read_weights(path)
    with pytest.raises(BadWeights, match="no ImageNet weights"):
        initialise(networks.build("inception-resnet-v1", head="pooled"), "inception-resnet-v1", "imagenet")


def test_a_file_that_would_run_code_doesnt(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str, ...]]:
            return (Path.touch, (str(tmp_path / "ran"),))

    path = tmp_path / "evil.pth"
    torch.save({"conv1.weight": Evil()}, path)
    with pytest.raises(BadWeights, match="no weights can be read"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()
