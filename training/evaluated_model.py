"""What `attendance evaluate` can judge: every recogniser that serves, and two that are there for comparison alone."""

import os
from pathlib import Path

from training import dlib_model, random_model
from training.embedding import open_model
from worker.embedder import Embedder


def open_evaluated(
    name: str, *, cache: Path, threads: int = 0, device: str = "auto", bf16: bool | None = None
) -> Embedder:
    """`dlib`, `resnet50-random`, or what training/embedding.py opens; raises BadBundle.

    On a CPU it computes as it would serve, unless `bf16` says in which precision.
    """
    if name == dlib_model.NAME:
        return dlib_model.DlibEmbedder()
    if name == random_model.NAME:
        return random_model.RandomEmbedder(cache, threads or os.cpu_count() or 1, bf16=bf16 is not False)
    return open_model(name, cache=cache, threads=threads, device=device, bf16=bf16)
