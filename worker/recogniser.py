"""Which recogniser is active, how it is loaded, and what may be said about it."""

from pathlib import Path
from typing import TypedDict

from worker.protocol.bundle import BadBundle, ModelInfo, read_info
from worker.settings import WorkerSettings


class Description(TypedDict):
    recogniser: str
    model_id: str
    words: str
    licence: str


def model_info(settings: WorkerSettings) -> ModelInfo:
    """Metadata of the model that the settings name, without loading its weights; raises BadBundle."""
    if settings.model == "sface":
        from worker import sface

        return sface.info()
    return read_info(_folder(settings) / "model.json")


def describe(settings: WorkerSettings) -> Description:
    """For doctor, README and log; raises BadBundle."""
    info = model_info(settings)
    words = {
        "sface": "SFace, a ready-made network that stands in until a trained ResNet-50 bundle is there",
        "resnet50-triplet": "the triplet-trained ResNet-50 from a model bundle",
        "resnet34-triplet": "a triplet-trained ResNet-34 from a model bundle",
        "resnet18-triplet": "a triplet-trained ResNet-18 from a model bundle",
    }[info.architecture]
    return {"recogniser": info.architecture, "model_id": info.id, "words": words, "licence": info.licence}


def device(settings: WorkerSettings) -> str:
    """cuda or cpu; asking for CUDA where there is none raises ValueError."""
    import torch

    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise ValueError("ATTENDANCE_WORKER_DEVICE is cuda, but torch finds no CUDA device; set it to auto or cpu")
    return "cuda" if available and settings.device != "cpu" else "cpu"


def load(settings: WorkerSettings):  # type: ignore[no-untyped-def]  # embedder imports torch and OpenVINO: only here
    """The Embedder that the settings name; raises BadBundle rather than serve anything that isn't a trained model."""
    from worker.embedder import BundleEmbedder, SFaceEmbedder

    if settings.model == "sface":
        return SFaceEmbedder(settings.cache, settings.thread_count)
    return BundleEmbedder(_folder(settings), device(settings), settings.cache, settings.thread_count)


def _folder(settings: WorkerSettings) -> Path:
    folder = Path(settings.model)
    if not folder.is_dir():
        raise BadBundle(f"ATTENDANCE_MODEL={settings.model}: neither 'sface' nor the folder of a model bundle")
    return folder
