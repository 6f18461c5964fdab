"""A recogniser in a precision of one's choice, to see what it gains and loses: float32, bfloat16 or int8.

int8 is OpenVINO's post-training quantisation of weights and activations by NNCF, which finds their ranges on faces. It is
there to be measured, no worker serves it, and NNCF is no dependency (Apache-2.0, but it brings a dozen packages along).
"""

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import read_folder
from training.embedding import chips_of, open_detector, read_bytes
from training.evaluated_model import open_evaluated
from training.pictures import decode
from worker.embedder import Chips, Embedder, PictureEmbedder
from worker.openvino_cpu import CpuNetwork, has_bf16, shaped
from worker.protocol.bundle import BadBundle

F32, BF16, INT8 = "f32", "bf16", "int8"
FACES = 300
"""By which int8 finds its ranges; as many as NNCF takes by itself."""
AT_ONCE = 16


def open_in(precision: str, name: str, *, cache: Path, threads: int, faces: Path | None = None) -> Embedder:
    """On the CPU; its id ends in the precision, so that templates of several aren't mixed. `faces` is for int8; 0 threads
    takes every core.

    Raises BadBundle where this processor or this model can't, BadData and BadPicture for the faces.
    """
    if precision == BF16 and not has_bf16():
        raise BadBundle("this processor has no bfloat16 (AVX-512 BF16 or AMX): OpenVINO would only imitate it")
    threads = threads or os.cpu_count() or 1
    model = open_evaluated(name, cache=cache, threads=threads, device="cpu", bf16=precision == BF16)
    if not isinstance(model, PictureEmbedder):
        raise BadBundle(
            f"{name} has no other precision than its own; choose sface, resnet50-triplet or a bundle's folder"
        )
    if precision == INT8:
        assert faces is not None
        quantise(model, chips_below(faces, model, cache, threads, FACES), threads)
    model.info = model.info.model_copy(update={"id": f"{model.info.id}-{precision}"})
    return model


def chips_below(folder: Path, model: Embedder, cache: Path, threads: int, number: int) -> list[Chips]:
    """Of as many pictures, spread evenly over a folder of people; raises BadData, BadPicture."""
    data = read_folder(folder)
    numbers = np.unique(np.linspace(0, len(data) - 1, number).round().astype(int))
    detector = open_detector(cache, threads=threads, device="cpu")
    chips: list[Chips] = []
    for start in range(0, len(numbers), AT_ONCE):
        pictures = [decode(read_bytes(data.path(i)), data.files[i]) for i in numbers[start : start + AT_ONCE]]
        found = detector.find(pictures)
        chips += [chips_of(model, picture, faces)[0] for picture, faces in zip(pictures, found, strict=True)]
    return chips


def quantise(model: PictureEmbedder, chips: Sequence[Chips], threads: int) -> None:
    """Put an int8 network in place of the model's, with ranges found on these faces. Raises BadBundle."""
    nncf = import_nncf()
    network = model.network
    if network.file is None:
        raise BadBundle(f"{model.info.id} isn't in a file that could be quantised")
    pictures: list[NDArray[np.float32]] = [model.prepare(chip[None]) for (chip,) in chips]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # it draws bars, where our answer goes
            found = nncf.quantize(
                shaped(network.file, network.input_shape),
                nncf.Dataset([np.ascontiguousarray(picture, np.float32) for picture in pictures]),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(pictures),
            )
    except Exception as error:  # whatever a graph that it doesn't know makes it raise
        raise BadBundle(f"NNCF can't quantise {model.info.id}: {type(error).__name__}: {error}") from error
    model.network = CpuNetwork(found, network.input_shape, threads, bf16=has_bf16())


def import_nncf() -> Any:
    """Raises BadBundle with the way out where it isn't installed."""
    try:
        nncf = importlib.import_module("nncf")
    except ImportError as error:
        raise BadBundle(f"int8 needs NNCF, which isn't installed: pip install nncf ({error})") from None
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf
