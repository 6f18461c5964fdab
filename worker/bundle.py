"""Loading the weights of a model bundle. Everything is checked before anything serves."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from worker.network import INPUT_PX, PARAMETERS_OF, ResNetTriplet, build, count_parameters
from worker.protocol.bundle import INFO, WEIGHTS, BadBundle, ModelInfo, read_info, verify


def load(folder: Path) -> tuple[ModelInfo, ResNetTriplet]:
    """Metadata and network (float32, evaluation mode) of a ResNet bundle; raises BadBundle saying what is wrong."""
    info = read_info(folder / INFO)
    path = folder / WEIGHTS
    if info.architecture not in PARAMETERS_OF:
        raise BadBundle(
            f"{folder / INFO}: architecture {info.architecture!r} can't be loaded from a bundle; "
            f"expected {', '.join(PARAMETERS_OF)}"
        )
    if info.input_px != INPUT_PX:
        raise BadBundle(f"{folder / INFO}: input_px {info.input_px}, but the network's flatten layer needs {INPUT_PX}")
    expected_parameters = PARAMETERS_OF[info.architecture]
    if info.parameters != expected_parameters:
        raise BadBundle(
            f"{folder / INFO}: parameters {info.parameters}, but {info.architecture} has {expected_parameters}"
        )
    verify(folder)
    network = build(info.architecture, info.alpha)
    assert count_parameters(network) == expected_parameters
    try:
        weights = load_file(path)
        network.load_state_dict({name: tensor.to(torch.float32) for name, tensor in weights.items()})
    except (SafetensorError, RuntimeError, OSError) as error:
        raise BadBundle(f"{path}: {' '.join(str(error).split())[:200]}; export the bundle again") from None
    if not all(torch.isfinite(values).all() for values in network.state_dict().values()):
        raise BadBundle(f"{path}: holds NaN or infinite weights; the training run behind it failed")
    return info, network.eval()
