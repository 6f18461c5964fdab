"""Leaving out of a training set who must not be in it: people of the test set, by name and by likeness, and copies.

Likeness is SFace's cosine. Between strangers of one group it passes 0.55 about once in 10,000 pairs, so against a whole test
set some strangers go too: better some faces fewer than one person on both sides.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.dataset import BadData, FaceFolder, read_folder
from training.embedding import embed_files, open_model
from training.teacher import teacher_embeddings

TEACHER = "sface"
ROWS = 2_000
"""Of the table of likeness that are in memory together."""


@dataclass(frozen=True)
class LeftOut:
    file: str
    because_of: str
    """The identity of that name, the test picture, or the kept copy."""
    cosine: float | None = None


@dataclass(frozen=True)
class Cleaned:
    kept: FaceFolder
    by_name: list[LeftOut]
    by_likeness: list[LeftOut]
    copies: list[LeftOut]

    def words(self) -> list[str]:
        return [
            f"{len(self.kept)} of {len(self.kept) + self.left_out} pictures are left",
            f"  {len(self.by_name)} left out by name: the person is in the other set",
            f"  {len(self.by_likeness)} left out by likeness to a face of the other set",
            f"  {len(self.copies)} left out as copies of another picture",
        ]

    @property
    def left_out(self) -> int:
        return len(self.by_name) + len(self.by_likeness) + len(self.copies)

    def write(self, path: Path) -> None:
        """Who went, and why, as JSON; raises BadData."""
        parts = {name: getattr(self, name) for name in ("by_name", "by_likeness", "copies")}
        body = {"kept": len(self.kept)} | {name: [asdict(one) for one in part] for name, part in parts.items()}
        try:
            path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise BadData(f"{path}: can't be written ({error.strerror})") from None


def clean(
    folder: FaceFolder,
    crop: str,
    others: Sequence[Path],
    *,
    cosine: float,
    copy_cosine: float,
    cache: Path,
    on_progress: Callable[[str, int, int], object] = lambda what, done, of: None,
) -> Cleaned:
    """The prepared faces without people of `others` (folders of photographs, a folder per person) and without copies.

    Raises BadData, BadPicture, BadBundle.
    """
    own = unit(teacher_embeddings(TEACHER, folder, crop, cache, lambda done, of: on_progress("faces", done, of)))
    by_name: list[LeftOut] = []
    by_likeness: list[LeftOut] = []
    gone: set[int] = set()
    for other in others:
        test = read_folder(other)
        named = {plain(name): name for name in test.identities}
        for number in range(len(folder)):
            name = named.get(plain(folder.identities[folder.labels[number]]))
            if name is not None and number not in gone:
                gone.add(number)
                by_name.append(LeftOut(folder.files[number], f"{other.name}/{name}"))
        model, done = open_model(TEACHER, cache=cache), 0

        def step(more: int, of: int = len(test)) -> None:
            nonlocal done
            done += more
            on_progress("others", done, of)

        theirs = unit(
            embed_files(model, [test.path(i) for i in range(len(test))], cache=cache, on_progress=step).templates
        )
        best, where = nearest(own, theirs)
        for at in np.flatnonzero(best >= cosine).tolist():
            if at not in gone:
                gone.add(at)
                likest = f"{other.name}/{test.files[where[at]]}"
                by_likeness.append(LeftOut(folder.files[at], likest, float(best[at])))
    copies = []
    for first, second, how in pairs_from(own, copy_cosine):
        if first not in gone and second not in gone:
            gone.add(second)
            copies.append(LeftOut(folder.files[second], folder.files[first], how))
    kept = np.setdiff1d(np.arange(len(folder)), list(gone))
    if not len(kept):
        raise BadData(f"{folder.root}: nothing is left of its {len(folder)} pictures; is it the test set itself?")
    return Cleaned(folder.part(kept), by_name, by_likeness, copies)


def plain(name: str) -> str:
    """A person's name as sets spell it differently: case, spaces, underscores and hyphens don't count."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def unit(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(templates / np.linalg.norm(templates, axis=1, keepdims=True), np.float32)


def nearest(own: NDArray[np.float32], theirs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n,) largest cosine of each own face with any of theirs, and with which."""
    best, where = np.empty(len(own), np.float32), np.empty(len(own), np.int64)
    for start in range(0, len(own), ROWS):
        table = own[start : start + ROWS] @ theirs.T
        where[start : start + ROWS] = table.argmax(axis=1)
        best[start : start + ROWS] = table.max(axis=1)
    return best, where


def pairs_from(own: NDArray[np.float32], cosine: float) -> list[tuple[int, int, float]]:
    """(first, second, cosine) of all pairs from that cosine on, first < second, in order."""
    found = []
    for start in range(0, len(own), ROWS):
        table = own[start : start + ROWS] @ own[start:].T
        rows, columns = np.nonzero(np.triu(table >= cosine, 1))
        found += [(int(start + r), int(start + c), float(table[r, c])) for r, c in zip(rows, columns, strict=True)]
    return found
