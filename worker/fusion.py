"""Two recognisers as one: their unit vectors side by side, weighted so that distance means the mean of both opinions.

With the weights √w and √(1 − w) the concatenation is a unit vector again, and the cosine of two such vectors is
w · cos₁ + (1 − w) · cos₂. So on the sphere of radius α everything else stays as it is: d² = 2·α²·(1 − mean cosine).
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.embedder import Chips, Embedder, Input
from worker.named_models import name_of_part
from worker.protocol.bundle import FUSION, INFO, BadBundle, ModelInfo, verify


def read_fusion(folder: Path) -> tuple[ModelInfo, tuple[str, str]]:
    """Metadata and the names of both parts, which must be the very models it was made of; raises BadBundle."""
    info = verify(folder)
    if info.architecture != FUSION or info.parts is None:
        raise BadBundle(f"{folder / INFO}: architecture {info.architecture!r} is no fusion")
    try:
        first, second = (name_of_part(part) for part in info.parts)
    except BadBundle as error:
        raise BadBundle(f"{folder / INFO}: {error}") from None
    return info, (first, second)


def side_by_side(
    first: NDArray[np.float32], second: NDArray[np.float32], weight: float, alpha: float
) -> NDArray[np.float32]:
    """(n, a + b) templates of length `alpha` from unit vectors (n, a) and (n, b), the first with `weight`."""
    shares = math.sqrt(weight) * alpha, math.sqrt(1 - weight) * alpha
    return np.concatenate([first * shares[0], second * shares[1]], axis=1).astype(np.float32)


class FusionEmbedder(Embedder):
    """`open_part` opens a model by its name."""

    def __init__(self, folder: Path, open_part: Callable[[str], Embedder]) -> None:
        self.info, names = read_fusion(folder)
        self._first, self._second = (open_part(name) for name in names)
        sizes = [part.info.embedding_size for part in (self._first, self._second)]
        if sum(sizes) != self.info.embedding_size:
            raise BadBundle(
                f"{folder / INFO}: embedding_size {self.info.embedding_size}, but its parts give "
                f"{sizes[0]} + {sizes[1]} numbers; correct it, or take the fusion that comes with this version"
            )

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self._first.inputs + self._second.inputs

    def embed(self, faces: Sequence[Chips]) -> NDArray[np.float32]:
        """(n, numbers of both) float32 of length α."""
        border = len(self._first.inputs)
        seen = [[face[:border] for face in faces], [face[border:] for face in faces]]
        assert self.info.weight is not None
        parts = zip((self._first, self._second), seen, strict=True)
        first, second = (part.embed(chips) / part.info.alpha for part, chips in parts)
        return side_by_side(first, second, self.info.weight, self.info.alpha)
