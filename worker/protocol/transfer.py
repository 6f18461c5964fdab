"""How a bundle travels from `attendance model push` to the workers' machines: in pieces, over the live Redis.

The pusher writes an offer (`bundle_offer:{shard}`: files with sizes and SHA-256) and a window of chunks from the one that the
slowest worker wants; each worker takes the chunks in their order and says in `bundle_taken:{shard}` which it wants next. So a
bundle of any size needs WINDOW megabytes of Redis at most. Everything has a TTL: what a killed pusher leaves goes by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from worker.protocol.bundle import FUSION, INFO, ONNX, WEIGHTS
from worker.protocol.entries import BadEntry, Id, Whole, first_fault
from worker.protocol.serving import ModelId

CHUNK_BYTES = 1_000_000
"""Below the server's proto-max-bulk-len of 2 MB."""
WINDOW = 8
"""Chunks that are in Redis at a time."""
OFFER_TTL_S = 20
CHUNK_TTL_S = 30
TAKEN_TTL_S = 60
MAX_BYTES = 1_000_000_000
"""Of a whole bundle: a larger offer is refused before anything is written."""


class OfferedFile(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: Literal["model.safetensors", "model.onnx", "model.json", "MODEL_CARD.md"]
    size: Annotated[Whole, Field(ge=0, le=MAX_BYTES)]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Chunk:
    """Which bytes of which file a chunk's number stands for."""

    number: int
    file: OfferedFile
    offset: int
    size: int


class Offer(BaseModel):
    """`transfer` is new with every push, so that chunks of an earlier one are never mixed in."""

    model_config = ConfigDict(frozen=True)

    transfer: Id
    model_id: ModelId
    files: tuple[OfferedFile, ...] = Field(min_length=1, max_length=3)

    @model_validator(mode="after")
    def _is_a_bundle(self) -> "Offer":
        names = [file.name for file in self.files]
        weights = [] if self.model_id.startswith(f"{FUSION}-") else [WEIGHTS, ONNX]
        held = [name for name in names if name in (WEIGHTS, ONNX)]
        if len(set(names)) != len(names) or INFO not in names or len(held) != min(1, len(weights)):
            wanted = f"one of {WEIGHTS} and {ONNX}" if weights else "no weights"
            raise ValueError(f"files {', '.join(names)}: this bundle has {INFO} and {wanted}, each once")
        if self.size > MAX_BYTES:
            raise ValueError(f"{self.size} bytes, at most {MAX_BYTES} are taken")
        return self

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def chunks(self) -> Iterator[Chunk]:
        """All of them, numbered from 0, file after file."""
        number = 0
        for file in self.files:
            for offset in range(0, file.size, CHUNK_BYTES):
                yield Chunk(number, file, offset, min(CHUNK_BYTES, file.size - offset))
                number += 1


class Taken(BaseModel):
    """What one worker says about a transfer: the chunk it wants next, that it has the bundle, or why it refuses it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    transfer: Id
    wants: Annotated[Whole, Field(ge=0)] = 0
    done: bool = False
    error: str | None = Field(default=None, max_length=500)


def read_offer(raw: bytes) -> Offer:
    """Raises BadEntry."""
    try:
        return Offer.model_validate_json(raw)
    except ValidationError as error:
        raise BadEntry(first_fault(error, "entry")) from None


def read_taken(raw: bytes) -> Taken:
    """Raises BadEntry."""
    try:
        return Taken.model_validate_json(raw)
    except ValidationError as error:
        raise BadEntry(first_fault(error, "entry")) from None
