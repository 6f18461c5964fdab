"""Templates of photographs that were made worse first; kept by model and degradation, as good ones are."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from training.degradations import Degradation, Rgb, degraded
from training.embedding import BATCH, Embedded, New, cache_file, chips_of, embed_new
from training.pictures import decode
from training.template_cache import Known, TemplateCache
from worker.detector import Face
from worker.embedder import Chips, Embedder


def embed_degraded(
    model: Embedder,
    paths: Sequence[Path],
    faces: Sequence[Face | None],
    how: Degradation,
    *,
    cache: Path | None,
    on_progress: Callable[[int], None] = lambda more: None,
) -> Embedded:
    """Templates in the order of `paths`, whose good photographs have `faces`; raises BadPicture, BadBundle, BadCache."""
    rows: list[Known] = []
    with closing(TemplateCache(cache_file(model, cache, how.key), model.info.embedding_size)) as known:
        for start in range(0, len(paths), BATCH):
            part = slice(start, start + BATCH)
            rows += _embed_batch(model, paths[part], faces[part], how, known)
            on_progress(len(paths[part]))
    templates = np.stack([row.template for row in rows]) if rows else model.embed([])
    return Embedded(templates, np.array([row.found for row in rows], np.bool_))


def _embed_batch(
    model: Embedder, paths: Sequence[Path], faces: Sequence[Face | None], how: Degradation, known: TemplateCache
) -> list[Known]:
    def cut(new: Sequence[New]) -> list[tuple[Chips, bool]]:
        chips = []
        for one in new:
            picture, face = decode(one.data, str(paths[one.place])), faces[one.place]
            dice = np.random.default_rng(int.from_bytes(one.key[:8], "big"))  # a picture's noise is always the same
            changed, place = degraded(picture, face or stand_in(picture), how, dice)
            chips.append(chips_of(model, changed, [place] if face else []))
        return chips

    return embed_new(model, paths, known, cut)


def stand_in(picture: Rgb) -> Face:
    """Half of the centred square: how large a face counts as that nobody found, since its picture's centre is taken."""
    height, width = picture.shape[:2]
    quarter = min(height, width) / 4
    box = np.array([width / 2, height / 2] * 2) + np.array([-quarter, -quarter, quarter, quarter])
    return Face(box.astype(np.float32), np.zeros((5, 2), np.float32), 0.0)
