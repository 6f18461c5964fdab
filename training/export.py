"""Writing a model bundle: the only thing that passes from training to the worker."""

from pathlib import Path

from safetensors.torch import save_file

from worker.network import INPUT_PX, ResNetTriplet, count_parameters
from worker.protocol.bundle import CARD, INFO, WEIGHTS, ModelInfo, Threshold, file_sha256, model_id


def write_bundle(
    network: ResNetTriplet,
    folder: Path,
    *,
    thresholds: list[Threshold],
    threshold_source: str,
    licence: str,
    card: str,
    crop: str = "mtcnn-margin",
    architecture: str = "resnet50-triplet",
) -> ModelInfo:
    """Write fp16 weights, model.json and MODEL_CARD.md into `folder` (made if missing) and return the metadata.

    model.json goes last, so that a half-written bundle is refused rather than served.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INFO).unlink(missing_ok=True)
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in network.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors leaves it to its owner alone, and a service runs as somebody else
    digest = file_sha256(folder / WEIGHTS)
    info = ModelInfo.model_validate(
        {
            "id": model_id(architecture, digest, INPUT_PX, crop, network.alpha),
            "architecture": architecture,
            "parameters": count_parameters(network),
            "input_px": INPUT_PX,
            "crop": crop,
            "alpha": network.alpha,
            "weights_sha256": digest,
            "licence": licence,
            "thresholds": thresholds,
            "threshold_source": threshold_source,
        }
    )
    (folder / CARD).write_text(card)
    (folder / INFO).write_text(info.model_dump_json(indent=2, exclude_none=True))
    return info
