"""A recogniser by its name or folder: the one place that chooses between the kinds, for worker, commands and training."""

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from worker.named_models import folder_of, info_of, name_of_part
from worker.protocol.bundle import FUSION, INFO, BadBundle, ModelInfo, read_info
from worker.settings import WorkerSettings

if TYPE_CHECKING:
    from worker.embedder import Embedder

WORDS = {
    "sface": "SFace, a ready-made network, more accurate so far than the product's own ResNet-50",
    "resnet50-triplet": "the triplet-trained ResNet-50 from a model bundle",
    "resnet34-triplet": "a triplet-trained ResNet-34 from a model bundle",
    "resnet18-triplet": "a triplet-trained ResNet-18 from a model bundle",
    "onnx": "a network of the site's own, in ONNX",
    "fusion": "two networks together, each a second opinion on the other",
}


class Description(TypedDict):
    recogniser: str
    model_id: str
    words: str
    licence: str


def describe(settings: WorkerSettings) -> Description:
    """For doctor, README and log; raises BadBundle."""
    info = info_of(settings.model)
    for part in info.parts or ():
        name_of_part(part)
    return {
        "recogniser": info.architecture,
        "model_id": info.id,
        "words": WORDS[info.architecture],
        "licence": info.licence,
    }


def device(wanted: str) -> str:
    """cuda or cpu for `auto`, `cpu` or `cuda`; asking for CUDA where there is none raises ValueError."""
    import torch

    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise ValueError("device cuda was asked for, but torch finds no CUDA device; use auto or cpu")
    return "cuda" if available and wanted != "cpu" else "cpu"


def load(settings: WorkerSettings) -> "Embedder":
    """The recogniser that the settings name; raises BadBundle rather than serve anything that isn't a trained model."""
    return open_embedder(settings.model, device(settings.device), settings.cache, settings.thread_count)


def open_embedder(name: str, on: str, cache: Path, threads: int, bf16: bool | None = None) -> "Embedder":
    """The recogniser that a name or a bundle's folder means, on `cuda` or `cpu`, ready to embed; raises BadBundle.

    ONNX networks and SFace run on the CPU whatever `on` says. On a CPU each computes in its usual precision unless `bf16`
    says in which; ONNX networks know float32 only.
    """
    # They import torch and OpenVINO: only where something is really loaded.
    from worker import onnx_bundle
    from worker.embedder import BundleEmbedder, OnnxEmbedder, SFaceEmbedder
    from worker.fusion import FusionEmbedder

    folder = folder_of(name)
    if folder is None:
        return SFaceEmbedder(cache, threads, bf16=bool(bf16))
    architecture = read_info(folder / INFO).architecture
    if architecture == FUSION:
        return FusionEmbedder(folder, lambda part: open_embedder(part, on, cache, threads, bf16))
    if architecture == "onnx":
        return OnnxEmbedder(*onnx_bundle.load(folder, threads))
    return BundleEmbedder(folder, on, cache, threads, bf16=bf16 is not False)


def check(name: str) -> ModelInfo:
    """Whether a model could serve: files, hashes, id, and that its networks take their weights. Raises BadBundle."""
    from worker import bundle, onnx_bundle, sface
    from worker.fusion import read_fusion

    folder = folder_of(name)
    if folder is None:
        sface.find_file()
        return sface.info()
    info = read_info(folder / INFO)
    if info.architecture == FUSION:
        info, parts = read_fusion(folder)
        for part in parts:
            check(part)
        return info
    if info.architecture == "onnx":
        return onnx_bundle.load(folder, threads=1)[0]
    return bundle.load(folder)[0]


def bundle_folder(name: str) -> Path:
    """The folder of a named or given bundle, to be brought to workers; raises BadBundle for SFace, which all have."""
    folder = folder_of(name)
    if folder is None:
        raise BadBundle(f"{name} is no bundle: every worker has it; `attendance model use {name}` swaps it in")
    return folder
