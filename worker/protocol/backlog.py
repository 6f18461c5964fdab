"""What a kiosk kept while Redis was away: one entry for a few seconds of a presence, its pictures sealed.

Outside stands only what a worker needs to choose an entry: when, which presence, which key. The pictures and whose they
are lie in the seal, so that an entry can't be passed off as another door's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.protocol.entries import MAX_JPEG_BYTES, BadEntry, Entry, EpochMs, Id, Whole
from worker.protocol.settings import KioskName

MAX_PICTURES = 12
MAX_PICTURE_BYTES = 150_000
MAX_SEALED_BYTES = MAX_PICTURES * MAX_PICTURE_BYTES + 20_000
"""Stays below the servers' `proto-max-bulk-len` of 2 MB."""
OVERLAP_MS = 2_000
"""A part that isn't the last shares its end with the next one, so that nobody's visit is cut in two."""
ENTRIES_WAITING = 4
"""A kiosk adds no more while so many wait: the ledger's memory is for decisions, the kiosk's disk holds the rest."""


class BacklogEntry(Entry):
    """Some seconds of a presence. The kiosk's name is the key's; the seal repeats it and must agree."""

    binaries: ClassVar[tuple[str, ...]] = ("sealed",)

    presence: Id
    part: Whole = Field(ge=0, le=100_000, description="number of the entry within its presence")
    more: bool = Field(description="the presence went on: the next part begins OVERLAP_MS before this one ends")
    captured_ms: EpochMs = Field(description="of the first picture, on the server's clock")
    time_uncertain: bool = False
    key_id: str = Field(pattern=r"^[0-9a-f]{16}$", description="of the site key that it is sealed to")
    sealed: bytes = Field(min_length=1, max_length=MAX_SEALED_BYTES)


@dataclass(frozen=True)
class Picture:
    """A JPEG and when it was taken: milliseconds after the part's first picture."""

    offset_ms: Whole
    jpeg: bytes


class _Head(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    kiosk: KioskName
    presence: Id
    part: Whole = Field(ge=0, le=100_000)
    pictures: list[tuple[Whole, Whole]] = Field(min_length=1, max_length=MAX_PICTURES)
    """Offset in ms and length in bytes of each."""


def pack(kiosk: str, presence: str, part: int, pictures: Sequence[Picture]) -> bytes:
    """What goes into the seal: one line of JSON, then the JPEGs one after the other."""
    sizes = [(picture.offset_ms, len(picture.jpeg)) for picture in pictures]
    head = _Head(kiosk=kiosk, presence=presence, part=part, pictures=sizes)
    return head.model_dump_json().encode() + b"\n" + b"".join(picture.jpeg for picture in pictures)


def unpack(data: bytes, kiosk: str, entry: BacklogEntry) -> list[Picture]:
    """The pictures, oldest first; raises BadEntry, never anything else, also when the seal belongs to another entry."""
    line, _, body = data.partition(b"\n")
    try:
        head = _Head.model_validate(json.loads(line))
    except (ValidationError, ValueError, RecursionError) as error:
        raise BadEntry(f"sealed: no list of pictures ({type(error).__name__})") from None
    if (head.kiosk, head.presence, head.part) != (kiosk, entry.presence, entry.part):
        raise BadEntry("sealed: belongs to another entry")
    pictures, start, last_ms = [], 0, 0
    for offset_ms, size in head.pictures:
        if not (last_ms <= offset_ms <= 600_000 and 0 < size <= MAX_JPEG_BYTES):
            raise BadEntry(f"sealed: a picture of {size} bytes at {offset_ms} ms")
        pictures.append(Picture(offset_ms, body[start : start + size]))
        start, last_ms = start + size, offset_ms
    if start != len(body):
        raise BadEntry(f"sealed: {len(body)} bytes of pictures, {start} are listed")
    return pictures
