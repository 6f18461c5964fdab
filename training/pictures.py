"""Pictures by number, from a folder or from a packed file: whoever trains needn't know which."""

import hashlib
import io
import mmap
import os
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.dataset import BadData, FaceFolder, read_folder
from training.packing import PackIndex, read_index
from worker.decode import BadPicture

MAX_PIXELS = 100_000_000
"""A larger picture is refused before it is decoded: it would take 300 MB and more."""
MIN_SIDE_PX = 8

__all__ = ["BadPicture", "FolderPictures", "PackedPictures", "Pictures", "decode", "open_faces", "pictures_of"]


class Pictures(Protocol):
    """(H, W, 3) uint8 RGB by number; sizes may differ. Safe in any number of processes and threads."""

    def __len__(self) -> int: ...

    def read(self, i: int) -> NDArray[np.uint8]:
        """Raises BadPicture, whose message begins with the picture's name."""
        ...


def decode(data: bytes, name: str) -> NDArray[np.uint8]:
    """JPEG, PNG, WebP, BMP or TIFF bytes as (H, W, 3) RGB, turned upright as the camera's EXIF says; raises BadPicture."""
    try:
        with Image.open(io.BytesIO(data)) as header:  # reads the header only
            width, height = header.size
            kind = header.format
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise BadPicture(f"{name}: not a picture ({len(data)} bytes beginning {data[:4].hex()})") from None
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE_PX:
        raise BadPicture(
            f"{name}: {width}×{height} pixels; from {MIN_SIDE_PX} a side to {MAX_PIXELS / 1e6:.0f} megapixels are looked at"
        )
    if kind == "JPEG" and b"\xff\xd9" not in data[-64:]:
        raise BadPicture(f"{name}: truncated JPEG: its end is missing")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise BadPicture(f"{name}: damaged: it can't be decoded")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


class FolderPictures:
    """The files of a folder."""

    def __init__(self, folder: FaceFolder) -> None:
        self.folder = folder

    def __len__(self) -> int:
        return len(self.folder)

    def read(self, i: int) -> NDArray[np.uint8]:
        path = self.folder.path(i)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadPicture(f"{path}: can't be read ({error.strerror})") from None
        return decode(data, str(path))


class PackedPictures:
    """The pictures of a packed file, or some of them. Each process maps the file into memory when it first reads."""

    def __init__(self, path: Path, part: FaceFolder | None = None) -> None:
        """Raises BadData for a damaged file, and for a part that names pictures which aren't in it."""
        self.path = path
        index = read_index(path)
        self.folder = index.folder if part is None else part
        self._offsets = _places(index, self.folder)
        self._map: mmap.mmap | None = None
        self._owner = 0

    def __len__(self) -> int:
        return len(self.folder)

    def data(self, i: int) -> bytes:
        """A picture's bytes as they were packed; raises BadPicture when they have changed since."""
        start, end = self._offsets[i]
        data = self._mapped()[start:end]
        assert self.folder.hashes is not None
        if hashlib.sha256(data).hexdigest() != self.folder.hashes[i]:
            raise BadPicture(f"{self.folder.files[i]}: damaged in {self.path}; pack it anew")
        return data

    def read(self, i: int) -> NDArray[np.uint8]:
        return decode(self.data(i), self.folder.files[i])

    def _mapped(self) -> mmap.mmap:
        if self._map is None or self._owner != os.getpid():
            try:
                with self.path.open("rb") as file:
                    self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError) as error:
                raise BadPicture(f"{self.path}: can't be read any more ({error})") from None
            self._owner = os.getpid()
        return self._map

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}


def _places(index: PackIndex, part: FaceFolder) -> NDArray[np.int64]:
    """(n, 2) first byte and end of each of the part's pictures."""
    every = np.stack([index.offsets[:-1], index.offsets[1:]], axis=1)
    if part is index.folder:
        return every
    numbers = {file: number for number, file in enumerate(index.folder.files)}
    try:
        return every[[numbers[file] for file in part.files]]
    except KeyError as error:
        raise BadData(f"{index.folder.root}: {error.args[0]} isn't in it") from None


def open_faces(path: Path) -> FaceFolder:
    """Who is in a folder (IDENTITY/picture.*) or in a packed file; raises BadData."""
    return read_index(path).folder if path.is_file() else read_folder(path)


def pictures_of(folder: FaceFolder) -> Pictures:
    """The pictures of what `open_faces` gave, or of a part of it."""
    return PackedPictures(folder.root, folder) if folder.root.is_file() else FolderPictures(folder)
