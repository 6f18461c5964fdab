"""The packed store: all pictures of a data set in one file, so that a disk reads ahead and nobody opens a million files.

A file is MAGIC, then the pictures' bytes one after the other, then the index (an .npz without pickle), then the footer:
where the index begins, how long it is, and its SHA-256. The index holds each picture's place, label and SHA-256.
"""

import hashlib
import io
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.dataset import BadData, FaceFolder

MAGIC = b"FACEPAK1"
FOOTER = struct.Struct("<QQ32s")
SUFFIX = ".pack"
MAX_INDEX_BYTES = 4_000_000_000


@dataclass(frozen=True)
class PackIndex:
    folder: FaceFolder
    """As it was packed, with hashes; its root is the packed file."""
    offsets: NDArray[np.int64]
    """(n + 1,): picture i is the file's bytes from offsets[i] to offsets[i + 1]."""


def write_pack(folder: FaceFolder, path: Path, on_progress: Callable[[int], object] = lambda done: None) -> int:
    """Pack the folder's files as they are, in order; returns the packed file's size in bytes.

    The file appears under its name when it is whole and on disk. Raises BadData when a picture can't be read or the
    file can't be written; whatever was there under that name is then as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("xb") as out:
            out.write(MAGIC)
            offsets, hashes = [len(MAGIC)], []
            for number in range(len(folder)):
                data = _bytes_of(folder, number)
                out.write(data)
                hashes.append(hashlib.sha256(data).digest())
                offsets.append(offsets[-1] + len(data))
                on_progress(number + 1)
            index = _index_bytes(folder, np.array(offsets, np.int64), hashes)
            out.write(index)
            out.write(FOOTER.pack(offsets[-1], len(index), hashlib.sha256(index).digest()))
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        os.replace(draft, path)
    except OSError as error:
        raise BadData(f"{path}: can't be written ({error.strerror})") from None
    finally:
        draft.unlink(missing_ok=True)
    return size


def _bytes_of(folder: FaceFolder, number: int) -> bytes:
    try:
        return folder.path(number).read_bytes()
    except OSError as error:
        raise BadData(f"{folder.path(number)}: can't be read ({error.strerror})") from None


def _index_bytes(folder: FaceFolder, offsets: NDArray[np.int64], hashes: list[bytes]) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        offsets=offsets,
        labels=folder.labels,
        sha256=np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32),
        files=_text(folder.files),
        identities=_text(folder.identities),
    )
    return buffer.getvalue()


def read_index(path: Path) -> PackIndex:
    """Check and read a packed file's index; raises BadData for a file that is cut short, changed or none of ours."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(MAGIC)) != MAGIC or size < len(MAGIC) + FOOTER.size:
                raise BadData(f"{path}: not a packed file of pictures (`attendance train prepare … --pack` makes one)")
            file.seek(size - FOOTER.size)
            start, length, digest = FOOTER.unpack(file.read(FOOTER.size))
            if start + length + FOOTER.size != size or length > MAX_INDEX_BYTES:
                raise BadData(f"{path}: damaged or cut short (its last bytes don't fit its size); pack it anew")
            file.seek(start)
            index = file.read(length)
    except OSError as error:
        raise BadData(f"{path}: can't be read ({error.strerror})") from None
    if hashlib.sha256(index).digest() != digest:
        raise BadData(f"{path}: damaged (its index has changed since it was written); pack it anew")
    return _parsed(path, index, start)


def _parsed(path: Path, index: bytes, start: int) -> PackIndex:
    try:
        with np.load(io.BytesIO(index), allow_pickle=False) as arrays:
            offsets, labels = arrays["offsets"].astype(np.int64), arrays["labels"].astype(np.int64)
            files, identities = _names(arrays["files"]), _names(arrays["identities"])
            hashes = [row.tobytes().hex() for row in arrays["sha256"]]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise BadData(f"{path}: its index can't be read ({error}); pack it anew") from None
    fits = len(labels) == len(files) == len(hashes) == len(offsets) - 1
    if not fits or offsets[0] != len(MAGIC) or offsets[-1] != start or (np.diff(offsets) < 0).any():
        raise BadData(f"{path}: its index contradicts itself; pack it anew")
    return PackIndex(FaceFolder(path, files, labels, identities, hashes), offsets)


def _text(names: list[str]) -> NDArray[np.uint8]:
    """Names with a zero byte between: no file's name holds one."""
    return np.frombuffer("\0".join(names).encode("utf-8", "surrogateescape"), np.uint8)


def _names(text: NDArray[np.uint8]) -> list[str]:
    return text.tobytes().decode("utf-8", "surrogateescape").split("\0")
