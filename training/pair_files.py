"""Files that list pairs: LFW's own format, CSV with paths, and CSV with distances. Whatever is wrong is named by its line."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.dataset import BadData, FaceFolder
from training.verification import BadPairs, Floats

LABELS = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "true": 1, "false": 0}
NUMBERED = re.compile(r"(.+)_(\d+)\.\w+$")
"""`Abel_Pacheco_0004.jpg`: LFW's names of pictures."""


@dataclass(frozen=True)
class PairList:
    """Pairs of pictures, in the file's order, which decides the folds."""

    files: list[Path]
    """Each picture once."""
    pairs: NDArray[np.int64]
    """(n, 2) numbers of `files`."""
    labels: NDArray[np.int64]
    """(n,) 1 for one person, 0 for two."""
    people: NDArray[np.int64]
    """(files,) whose picture each is."""
    folds: int | None = None
    """As LFW's first line has them."""


def read_pairs(path: Path, root: Path) -> PairList:
    """CSV (a, b, label; paths below `root`) by the suffix .csv, else LFW's format; raises BadPairs naming the line."""
    return read_csv_pairs(path, root) if path.suffix.lower() == ".csv" else read_lfw_pairs(path, root)


def lfw_images(data: Path) -> Path:
    """The folder with a folder per person: `data` itself, or images/, lfw/ or lfw-deepfunneled/ in it; raises BadData."""
    for folder in (data / "images", data / "lfw", data / "lfw_funneled", data / "lfw-deepfunneled", data):
        if folder.is_dir() and any(entry.is_dir() for entry in folder.iterdir()):
            return folder
    raise BadData(f"{data}: no pictures there; LFW is a folder per person, in images/, lfw/ or right below it")


def read_lfw_pairs(path: Path, root: Path) -> PairList:
    """`Name 1 4` (one person) and `Name 1 Other 3` (two), by tabs; a first line of one or two numbers counts the pairs.

    Pictures are Name/Name_0001.* below `root`. Raises BadPairs for a line that isn't such a pair, and where the pairs aren't
    as many as the first line says.
    """
    lines = [line for line in _lines(path) if line[1].strip()]
    announced = [int(field) for field in lines[0][1].split()] if lines and _is_header(lines[0][1]) else []
    builder = _Builder(path, root)
    for number, line in lines[1 if announced else 0 :]:
        fields = line.split("\t") if "\t" in line else line.split()
        fields = [field.strip() for field in fields]
        if len(fields) == 3 and fields[1].isdecimal() and fields[2].isdecimal():
            name, one, two = fields
            builder.add_numbered(number, name, int(one), name, int(two))
        elif len(fields) == 4 and fields[1].isdecimal() and fields[3].isdecimal():
            builder.add_numbered(number, fields[0], int(fields[1]), fields[2], int(fields[3]))
        else:
            raise BadPairs(
                f"{path}, line {number}: {line.strip()[:80]!r}: write `Name 1 4` or `Name 1 Other 3`, by tabs"
            )
    pairs = builder.done()
    folds = announced[0] if len(announced) == 2 else None
    if announced and len(pairs.labels) != 2 * int(np.prod(announced)):
        raise BadPairs(
            f"{path}: its first line announces {2 * int(np.prod(announced))} pairs, but there are {len(pairs.labels)}; "
            "get the file again"
        )
    return PairList(pairs.files, pairs.pairs, pairs.labels, pairs.people, folds)


def read_csv_pairs(path: Path, root: Path) -> PairList:
    """Rows of two paths below `root` and a label, 1 (same) or 0, with or without a heading; raises BadPairs.

    Where the folders that the paths begin with agree with the labels, they are the people; else each picture stands for
    itself.
    """
    builder = _Builder(path, root)
    for number, row in _rows(path):
        if len(row) != 3:
            raise BadPairs(f"{path}, line {number}: {len(row)} fields; a pair is first picture, second picture, label")
        label = LABELS.get(row[2].strip().lower())
        if label is None:
            raise BadPairs(f"{path}, line {number}: label {row[2]!r}; labels are 1 (same person) and 0 (different)")
        builder.add(number, row[0].strip(), row[1].strip(), label)
    return builder.done()


def read_distances(path: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Rows of distance and label, with or without a heading; raises BadPairs naming the line."""
    distances, labels = [], []
    for number, row in _rows(path):
        if len(row) != 2:
            raise BadPairs(f"{path}, line {number}: {len(row)} fields; a row is distance,label")
        try:
            distance = float(row[0])
        except ValueError:
            raise BadPairs(f"{path}, line {number}: distance {row[0]!r} is no number") from None
        if not (np.isfinite(distance) and distance >= 0):
            raise BadPairs(f"{path}, line {number}: distance {row[0].strip()}; distances are numbers from 0 upwards")
        label = LABELS.get(row[1].strip().lower())
        if label is None:
            raise BadPairs(f"{path}, line {number}: label {row[1]!r}; labels are 1 (same person) and 0 (different)")
        distances.append(distance)
        labels.append(label)
    return np.array(distances, np.float64), np.array(labels, np.int64)


def drawn_pairs(folder: FaceFolder, count: int, seed: int) -> PairList:
    """`count` pairs of a folder's pictures by seed, half of them of one person, same and different in turn; raises BadData."""
    rng = np.random.default_rng(seed)
    able = np.flatnonzero(folder.counts >= 2)
    if not len(able) or len(folder.identities) < 2:
        raise BadData(f"{folder.root}: pairs need a person with two pictures, and another person")
    starts = np.searchsorted(folder.labels, np.arange(len(folder.identities)))
    pairs = np.zeros((count, 2), np.int64)
    for i in range(count):
        if i % 2 == 0:
            person = rng.choice(able)
            pairs[i] = starts[person] + rng.choice(folder.counts[person], 2, replace=False)
        else:
            two = rng.choice(len(folder.identities), 2, replace=False)
            pairs[i] = starts[two] + rng.integers(folder.counts[two])
    used, numbers = np.unique(pairs, return_inverse=True)
    files = [folder.path(int(i)) for i in used]
    return PairList(files, numbers.reshape(-1, 2), (np.arange(count) + 1) % 2, folder.labels[used])


class _Builder:
    """Collects pairs line by line and finds their files."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path, self.root = path, root
        self._files: dict[Path, int] = {}
        self._owners: dict[str, int] = {}
        self._people: list[int] = []
        self._pairs: list[tuple[int, int]] = []
        self._labels: list[int] = []
        self._numbered: dict[str, dict[int, Path]] = {}

    def add_numbered(self, line: int, a: str, i: int, b: str, j: int) -> None:
        pair = (self._number(self._picture(line, a, i), a), self._number(self._picture(line, b, j), b))
        if pair[0] == pair[1]:
            raise BadPairs(f"{self.path}, line {line}: {a} {i} paired with itself")
        self._pairs.append(pair)
        self._labels.append(int(a == b))

    def add(self, line: int, a: str, b: str, label: int) -> None:
        files = [self.root / name for name in (a, b)]
        for name, file in zip((a, b), files, strict=True):
            if not name or not file.is_file():
                raise BadPairs(f"{self.path}, line {line}: {name!r} is no file in {self.root}")
        self._pairs.append((self._number(files[0], _owner(a)), self._number(files[1], _owner(b))))
        self._labels.append(label)

    def done(self) -> PairList:
        if not self._pairs:
            raise BadPairs(f"{self.path}: no pairs in it")
        pairs, labels, people = (np.array(part, np.int64) for part in (self._pairs, self._labels, self._people))
        if ((people[pairs[:, 0]] == people[pairs[:, 1]]) != labels).any():
            people = np.arange(len(people))
        return PairList(list(self._files), pairs, labels, people)

    def _number(self, file: Path, owner: str) -> int:
        if file not in self._files:
            self._files[file] = len(self._files)
            self._people.append(self._owners.setdefault(owner, len(self._owners)))
        return self._files[file]

    def _picture(self, line: int, name: str, number: int) -> Path:
        if name not in self._numbered:
            folder = self.root / name
            if "/" in name or "\\" in name or name in ("", ".", "..") or not folder.is_dir():
                raise BadPairs(f"{self.path}, line {line}: {name!r} isn't among the people in {self.root}")
            found = ((NUMBERED.match(file.name), file) for file in sorted(folder.iterdir()))
            self._numbered[name] = {int(m[2]): file for m, file in found if m and m[1] == name}
        if number not in self._numbered[name]:
            raise BadPairs(
                f"{self.path}, line {line}: {self.root / name} has no picture {name}_{number:04d}.* "
                f"({len(self._numbered[name])} are there)"
            )
        return self._numbered[name][number]


def _owner(name: str) -> str:
    """Whose picture a path shows: the folder that it begins with, or the picture itself where there is none."""
    return Path(name).parts[0]


def _is_header(line: str) -> bool:
    fields = line.split()
    return len(fields) <= 2 and all(field.isdecimal() for field in fields)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise BadPairs(f"{path}: can't be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise BadPairs(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    if not text.strip():
        raise BadPairs(f"{path}: empty; it should list pairs, one a line")
    yield from enumerate(text.splitlines(), 1)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file without blank ones and a heading; raises BadPairs when none is left."""
    reader = csv.reader(line for _, line in _lines(path))
    first, rows = True, 0
    try:
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            if not (first and _is_heading(row)):
                rows += 1
                yield reader.line_num, row
            first = False
    except csv.Error as error:
        raise BadPairs(f"{path}, line {reader.line_num}: {error}") from None
    if rows == 0:
        raise BadPairs(f"{path}: no rows in it")


def _is_heading(row: list[str]) -> bool:
    """Words only: a mistyped first label stands beside a number or a file's name."""
    return all(re.fullmatch(r"\s*[A-Za-z][A-Za-z_ ]*\d?\s*", field) and field.strip() != "nan" for field in row)
