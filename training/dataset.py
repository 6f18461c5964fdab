"""Folders of faces: who is in them, parts by identity, and the proof that parts have nobody in common."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
NAMED_AT_MOST = 5
"""Names that an error's message lists before it says how many more there are."""


class BadData(ValueError):
    """Data that can't be trained or evaluated on; the message names the place, what is wrong, and the way out."""


@dataclass(frozen=True)
class FaceFolder:
    """Pictures by identity. A picture's number is its place in `files`; pictures of one identity stand together."""

    root: Path
    """The folder, or the packed file that the pictures came from."""
    files: list[str]
    """Relative to root, with `/`: identity first. Sorted by identity, then by name."""
    labels: NDArray[np.int64]
    """(n,): the number, in `identities`, of each picture's person."""
    identities: list[str]
    """Sorted; each has at least one picture."""
    hashes: list[str] | None = None
    """SHA-256 of each file where they are known already (a packed file holds them), else None."""

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(identities,): pictures of each."""
        return np.bincount(self.labels, minlength=len(self.identities)).astype(np.int64)

    def path(self, number: int) -> Path:
        return self.root / self.files[number]

    def part(self, numbers: Iterable[int]) -> "FaceFolder":
        """The pictures of these numbers alone, with labels counted anew; identities without a picture are left out."""
        chosen = np.unique(np.fromiter(numbers, np.int64))
        kept, labels = np.unique(self.labels[chosen], return_inverse=True)
        return FaceFolder(
            self.root,
            [self.files[i] for i in chosen],
            labels.astype(np.int64).reshape(-1),
            [self.identities[i] for i in kept],
            None if self.hashes is None else [self.hashes[i] for i in chosen],
        )


def read_folder(root: Path) -> FaceFolder:
    """Pictures as IDENTITY/picture.*, or deeper (IDENTITY/take/picture.*); what is hidden or no picture by name is left out.

    Only names are read. Raises BadData when the folder isn't there, can't be read or holds no picture of anybody.
    """
    if not root.exists():
        raise BadData(f"{root}: there is no such folder")
    if not root.is_dir():
        raise BadData(f"{root}: a folder is needed, with a folder per person in it; this is a file")
    try:
        folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
        files, labels, identities = [], [], []
        for identity in folders:
            found = sorted(_pictures_below(root / identity, f"{identity}/"))
            if found:
                files += found
                labels += [len(identities)] * len(found)
                identities.append(identity)
    except OSError as error:
        raise BadData(f"{error.filename or root}: can't be read ({error.strerror})") from None
    if not files:
        raise BadData(
            f"{root}: no pictures in it; a folder per person is needed, with pictures in it (IDENTITY/picture.jpg)"
        )
    return FaceFolder(root, files, np.array(labels, np.int64), identities)


def _pictures_below(folder: Path, prefix: str) -> Iterator[str]:
    """Names below a folder; links to folders are not followed, so that a circle of them can't trap us."""
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _pictures_below(folder / entry.name, f"{prefix}{entry.name}/")
        elif os.path.splitext(entry.name)[1].lower() in PICTURE_SUFFIXES:
            yield prefix + entry.name


def split_identities(folder: FaceFolder, held_out_share: float, seed: int) -> tuple[FaceFolder, FaceFolder]:
    """(for training, held out): people drawn at random by seed, each with all pictures on one side.

    Raises BadData when either side would be empty.
    """
    people = len(folder.identities)
    held_out = round(people * held_out_share)
    if not 1 <= held_out < people:
        raise BadData(
            f"{folder.root}: {held_out_share:g} of {people} people makes {held_out} to hold out; "
            "both sides need at least one: change the share or add people"
        )
    drawn = np.random.default_rng(seed).permutation(people)[:held_out]
    outside = np.isin(folder.labels, drawn)
    return folder.part(np.flatnonzero(~outside)), folder.part(np.flatnonzero(outside))


def check_disjoint(parts: Mapping[str, FaceFolder]) -> None:
    """Raise BadData, naming them, if two parts share a person's name or a picture's bytes. Reads every file once."""
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for part, folder in parts.items():
        for identity in folder.identities:
            names[_plain(identity)][part] = identity
    shared = [f"{' and '.join(where)}: {next(iter(where.values()))}" for where in names.values() if len(where) > 1]
    if shared:
        raise BadData(
            f"{len(shared)} people are in more than one part ({_listed(shared)}); take them out of one, "
            "or rename the folder if it is another person of that name"
        )
    pictures: dict[str, dict[str, str]] = defaultdict(dict)
    for part, folder in parts.items():
        for file, digest in zip(folder.files, hashes_of(folder), strict=True):
            pictures[digest].setdefault(part, file)
    shared = [" = ".join(f"{part} {file}" for part, file in w.items()) for w in pictures.values() if len(w) > 1]
    if shared:
        raise BadData(f"{len(shared)} pictures are in more than one part ({_listed(shared)}); take them out of one")


def hashes_of(folder: FaceFolder) -> list[str]:
    """SHA-256 of each file, in order; raises BadData for one that can't be read."""
    if folder.hashes is not None:
        return folder.hashes
    with ThreadPoolExecutor() as pool:  # hashing lets go of the interpreter's lock
        return list(pool.map(_hash, (folder.path(i) for i in range(len(folder)))))


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadData(f"{path}: can't be read ({error.strerror})") from None


@dataclass(frozen=True)
class Duplicates:
    """Files with the same bytes, in groups; each group is sorted by name."""

    within: list[list[str]]
    """Groups inside one identity: copies."""
    across: list[list[str]]
    """Groups of several identities: at least one of them has somebody else's picture."""


def find_duplicates(files: Sequence[str], hashes: Sequence[str]) -> Duplicates:
    """Groups of files with equal hashes; the identity is the first part of a file's name."""
    groups: dict[str, list[str]] = defaultdict(list)
    for file, digest in zip(files, hashes, strict=True):
        groups[digest].append(file)
    several = [sorted(group) for group in groups.values() if len(group) > 1]
    across = [group for group in several if len({file.split("/")[0] for file in group}) > 1]
    return Duplicates(sorted(group for group in several if group not in across), sorted(across))


def _plain(identity: str) -> str:
    """`Anne_Hathaway`, `anne hathaway` and `Anne-Hathaway` are one name."""
    return re.sub(r"[\W_]+", " ", identity).strip().casefold()


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return "; ".join(names[:NAMED_AT_MOST]) + (f"; and {more} more" if more > 0 else "")
