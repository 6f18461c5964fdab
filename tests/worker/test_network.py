import pytest
import torch

from worker import network


def test_the_thesis_network() -> None:
    built = network.build("resnet50-triplet").eval()
    assert network.count_parameters(built) == network.PARAMETERS == 36_353_216
    with torch.inference_mode():
        out = built(torch.randn(2, 3, network.INPUT_PX, network.INPUT_PX))
    assert out.shape == (2, 128)
    assert torch.allclose(out.norm(dim=1), torch.full((2,), 10.0), atol=1e-4)


@pytest.mark.parametrize("name", ["", "resnet18", "sface", "ResNet50-Triplet"])
def test_an_unknown_architecture_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown here; this version builds 'resnet50-triplet'"):
        network.build(name)
