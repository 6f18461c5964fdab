"""The spool: a folder of sealed entries that wait for Redis. A file is whole or not there.

A file is one line of JSON (when, which presence, length and digest) and the sealed bytes. It is written beside, synced,
renamed and the folder synced, so that a power cut loses at most the entry being written. The spool is bounded in age and
size: what is too old goes, and the oldest goes to make room for a new one; each is logged and counted.

Beside the entries lie copies of what waits in memory for an answer (`hold`, `let_go`): after a crash they become entries.
"""

import contextlib
import hashlib
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kiosk.true_time import Clocks, Moment, age_ms
from worker.protocol.backlog import MAX_SEALED_BYTES
from worker.protocol.entries import Id, first_fault
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

FORMAT = 1
ENDING, DRAFT, HELD = ".sealed", ".draft", ".held"
MAX_HEAD_BYTES = 2_000


class Head(BaseModel):
    """The line before the sealed bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = Field(default=FORMAT, ge=FORMAT, le=FORMAT)
    presence: Id
    part: int = Field(ge=0, le=100_000)
    more: bool
    wall_ms: int
    steady_ms: int
    boot_id: str = Field(max_length=64)
    key_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    size: int = Field(ge=1, le=MAX_SEALED_BYTES)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def taken(self) -> Moment:
        return Moment(self.wall_ms, self.steady_ms, self.boot_id)


@dataclass(frozen=True)
class Spooled:
    path: Path
    head: Head
    sealed: bytes


class Spool:
    """Used by one thread. Counts `spool_written`, `spool_failed`, `spool_held`, `spool_damaged`, `spool_expired`,
    `spool_pushed_out`.
    """

    def __init__(
        self, folder: Path, max_bytes: int, max_age_ms: int, counters: Counters, now: Callable[[], Moment] | None = None
    ) -> None:
        self.folder, self.max_bytes, self.max_age_ms, self.counters = folder, max_bytes, max_age_ms, counters
        self._now = now or Clocks().now
        self._number = itertools.count()
        self.broken = False
        """The last write failed: who comes now can't be kept."""

    def open(self) -> None:
        """Make the folder, readable by this user alone, remove what a power cut left half written, and make entries of
        what was held when this kiosk died. Raises OSError.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in self.folder.glob(f"*{DRAFT}"):
            log.warning("spool: %s was cut off while it was written", draft.name)
            draft.unlink(missing_ok=True)
        for held in sorted(self.folder.glob(f"*{HELD}")):
            log.warning("spool: %s was waiting for an answer when the kiosk ended", held.name)
            held.rename(self.folder / f"{self._name(held.stem)}{ENDING}")

    def __len__(self) -> int:
        return len(self._files())

    def _files(self) -> list[Path]:
        """Oldest first: names begin with the time of writing."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == ENDING)
        except OSError:
            return []

    def write(self, head: Head, sealed: bytes) -> bool:
        """Keep an entry; False, logged once per trouble, when the disk refuses. Nothing else is touched then."""
        data = head.model_dump_json().encode() + b"\n" + sealed
        if not self._make_room(len(data)):
            return False
        try:
            self._put(self._name(f"{head.presence}-{head.part}"), ENDING, data)
        except OSError as error:
            if not self.broken:
                log.error("spool %s: can't write (%s); who comes now is not kept", self.folder, error)
            self.broken = True
            self.counters.add("spool_failed")
            return False
        if self.broken:
            log.info("spool: can be written again")
        self.broken = False
        self.counters.add("spool_written")
        return True

    def _name(self, about: str) -> str:
        return f"{self._now().wall_ms:013d}-{next(self._number):06d}-{about}"

    def _put(self, name: str, ending: str, data: bytes) -> None:
        """A file that is whole or not there, in the place of one with that name; raises OSError."""
        draft = self.folder / (name + DRAFT)
        draft.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / (name + ending))
            self._sync_folder()
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise

    def hold(self, head: Head, sealed: bytes) -> bool:
        """Keep or renew the copy of what a presence waits for; False when the disk refuses."""
        try:
            self._put(head.presence, HELD, head.model_dump_json().encode() + b"\n" + sealed)
        except OSError as error:
            log.debug("spool: no copy of what waits (%s)", error)
            return False
        self.counters.add("spool_held")
        return True

    def let_go(self, presence: str) -> None:
        """The presence has its answer, or its entry."""
        self.remove(self.folder / (presence + HELD))

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _make_room(self, size: int) -> bool:
        files = [(path, _size(path)) for path in self._files()]
        total = sum(bytes_ for _, bytes_ in files) + size
        for path, bytes_ in files:
            if total <= self.max_bytes:
                break
            log.warning("spool: full (%d MB), its oldest entry is dropped", self.max_bytes // 1_000_000)
            self.counters.add("spool_pushed_out")
            self.remove(path)
            total -= bytes_
        return total <= self.max_bytes

    def remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.error("spool: %s can't be deleted (%s)", path.name, error)

    def entries(self) -> Iterator[Spooled]:
        """What waits, oldest first. Damaged and too old ones are deleted on the way; one that can't be read is passed over."""
        for path in self._files():
            try:
                entry = _read(path)
            except OSError as error:
                log.warning("spool: %s can't be read now (%s)", path.name, error)
                continue
            except ValueError as error:
                log.warning("spool: %s dropped: %s", path.name, error)
                self.counters.add("spool_damaged")
                self.remove(path)
                continue
            age = age_ms(entry.head.taken, self._now())
            if age is not None and age > self.max_age_ms:
                log.warning("spool: %s dropped: %d h old", path.name, age // 3_600_000)
                self.counters.add("spool_expired")
                self.remove(path)
                continue
            yield entry


def head_for(sealed: bytes, taken: Moment, *, presence: str, part: int, more: bool, key_id: str) -> Head:
    return Head(
        presence=presence,
        part=part,
        more=more,
        wall_ms=taken.wall_ms,
        steady_ms=taken.steady_ms,
        boot_id=taken.boot_id,
        key_id=key_id,
        size=len(sealed),
        sha256=hashlib.sha256(sealed).hexdigest(),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path) -> Spooled:
    """Raises ValueError for a file that isn't what was written, OSError when the disk fails."""
    with path.open("rb") as file:
        data = file.read(MAX_HEAD_BYTES + MAX_SEALED_BYTES + 1)
    line, _, sealed = data.partition(b"\n")
    if len(line) > MAX_HEAD_BYTES:
        raise ValueError("its first line is no head")
    try:
        head = Head.model_validate_json(line)
    except ValidationError as error:
        raise ValueError(f"head: {first_fault(error, 'line')}") from None
    if len(sealed) != head.size or hashlib.sha256(sealed).hexdigest() != head.sha256:
        raise ValueError(f"{len(sealed)} of {head.size} bytes, or changed since it was written")
    return Spooled(path, head, sealed)
