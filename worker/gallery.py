"""The enrolled: a search index in memory, and the follower that keeps it equal to what the dashboard published."""

import itertools
import logging
import threading
import time
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from worker.decision import Match
from worker.protocol import keys
from worker.protocol.bundle import ModelInfo
from worker.protocol.connection import Client, keep_trying
from worker.protocol.entries import (
    GALLERY_VERSION_FIELD,
    NUMBER_BYTES,
    BadEntry,
    GalleryChange,
    GalleryPerson,
    entry_time_ms,
)

log = logging.getLogger(__name__)

FRESH_S = 2.0
"""Without word from the ledger for this long nobody is judged: a person deactivated meanwhile must not be accepted."""
FOLLOW_BLOCK_MS = 500
PROBES_A_PRODUCT = 16
"""More at once would need more memory: 4 bytes for each probe and template."""
ROUNDING_PER_NUMBER = 2 * 2.0**-23
"""Times a template's numbers: twice the bound on the difference of two float32 products' errors, as a share of α²."""


class GalleryIndex:
    """Immutable exact 1:N search over all templates.

    One float32 product gives every similarity; what rounding could confuse with the best is compared again in float64,
    so the answer doesn't depend on how many probes are asked at once. FAISS's exact index does the same product.
    """

    def __init__(self, people: Iterable[GalleryPerson], alpha: float) -> None:
        self.people = {person.employee_id: person for person in sorted(people, key=lambda p: p.employee_id)}
        self.alpha = alpha
        self._ids = list(self.people)
        templates = list(itertools.chain.from_iterable(person.templates for person in self.people.values()))
        sizes = sorted({len(template) // NUMBER_BYTES for template in templates})
        if len(sizes) > 1:
            raise ValueError(f"templates of {' and '.join(map(str, sizes))} numbers can't be compared with each other")
        size = sizes[0] if sizes else 1
        self.matrix = np.frombuffer(b"".join(templates), "<f4").reshape(-1, size)
        self._rounding = size * ROUNDING_PER_NUMBER * alpha**2
        lengths = [len(person.templates) for person in self.people.values()]
        self._bounds = np.array([0, *itertools.accumulate(lengths)], dtype=np.intp)
        self._numbers = {employee_id: number for number, employee_id in enumerate(self._ids)}

    def __len__(self) -> int:
        """Templates, that is comparisons per probe: the N of the FPIR rule."""
        return len(self.matrix)

    def search(self, probes: NDArray[np.float32], leave_out: str | None = None) -> list[Match]:
        """Nearest and second nearest employee of each probe (n, numbers); `leave_out` is an employee not to be compared."""
        if not self._ids or len(probes) == 0:
            return [Match(None, float("inf"), float("inf")) for _ in probes]
        probes = np.asarray(probes, np.float32)
        left_out = self._numbers.get(leave_out) if leave_out is not None else None
        matches = []
        for start in range(0, len(probes), PROBES_A_PRODUCT):
            some = probes[start : start + PROBES_A_PRODUCT]
            # One probe alone is a matrix-vector product, which reads the templates as fast as memory gives them.
            products = (self.matrix @ some[0])[None] if len(some) == 1 else some @ self.matrix.T
            matches += [self._match(probe, row, left_out) for probe, row in zip(some, products, strict=True)]
        return matches

    def _match(self, probe: NDArray[np.float32], similarities: NDArray[np.float32], left_out: int | None) -> Match:
        """The two nearest employees by a probe's similarities, which are overwritten on the way."""
        if left_out is not None:
            self._hide(similarities, left_out)
        first, distance = self._nearest(probe, similarities)
        if first is None:
            return Match(None, float("inf"), float("inf"))
        self._hide(similarities, first)
        return Match(self._ids[first], distance, self._nearest(probe, similarities)[1])

    def _hide(self, similarities: NDArray[np.float32], number: int) -> None:
        similarities[self._bounds[number] : self._bounds[number + 1]] = -np.inf

    def _nearest(self, probe: NDArray[np.float32], similarities: NDArray[np.float32]) -> tuple[int | None, float]:
        """Number of the employee with the nearest template, and its distance."""
        best = similarities[similarities.argmax()]
        if not best > -np.inf:  # everybody hidden; or a probe that is not a number, which is nobody
            return None, float("inf")
        rows = np.flatnonzero(similarities >= best - self._rounding)
        distances = np.linalg.norm(self.matrix[rows].astype(np.float64) - probe, axis=1)
        nearest = distances.argmin()
        return int(np.searchsorted(self._bounds, rows[nearest], "right")) - 1, float(distances[nearest])


class GalleryFollower(threading.Thread):
    """Loads the gallery of one model from the ledger, then follows its log; `ready` says whether it may be used."""

    def __init__(self, ledger: Client, shard: str, info: ModelInfo) -> None:
        super().__init__(name="gallery", daemon=True)
        self.ledger, self.shard, self.model_id, self.alpha = ledger, shard, info.id, info.alpha
        self.template_size = info.embedding_size
        self.index = GalleryIndex([], info.alpha)
        self.version = 0
        self.complete = False
        self._people: dict[str, GalleryPerson] = {}
        self._hash_version = 0
        self._synced_s = float("-inf")
        self._stop_asked = threading.Event()

    @property
    def ready(self) -> bool:
        return self.complete and time.monotonic() - self._synced_s < FRESH_S

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "gallery", cap_s=0.5)

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)

    def step(self) -> None:
        """One round: load when incomplete, else wait up to half a second for changes."""
        if not self.complete:
            if not self.load():
                self._stop_asked.wait(0.1)
            return
        log_key = keys.gallery_log(self.shard)
        answer = self.ledger.xread({log_key: f"{self.version}-0"}, count=500, block=FOLLOW_BLOCK_MS)
        entries = answer[0][1] if answer else []
        if not entries and not self._still_there():
            log.warning(
                "gallery of %s: gone from the ledger or set back; not ready until it is published again", self.model_id
            )
            self.complete = False
            return
        self.follow(entries)
        self._synced_s = time.monotonic()

    def load(self) -> bool:
        """Read the whole gallery; False when it isn't complete yet."""
        pipe = self.ledger.pipeline(transaction=True)
        pipe.xrevrange(keys.gallery_log(self.shard), count=1)
        pipe.hgetall(keys.gallery(self.shard, self.model_id))
        newest, fields = pipe.execute()
        version = _version(fields.get(GALLERY_VERSION_FIELD))
        if version is None:
            return False
        log_version = entry_time_ms(newest[0][0]) if newest else 0
        self._hash_version = version
        self.version = max(self._hash_version, log_version)
        self._people = self._read_people(fields)
        self._rebuild()
        self.complete = True
        self._synced_s = time.monotonic()
        log.info("gallery: version %d, %d people, %d templates", self.version, len(self._people), len(self.index))
        return True

    def follow(self, entries: list[tuple[bytes, Mapping[bytes, bytes]]]) -> None:
        """Apply log entries in order; a gap, a reset or an unreadable entry leads to a fresh load."""
        changed = False
        for entry_id, fields in entries:
            version = entry_time_ms(entry_id)
            try:
                change = GalleryChange.from_fields(fields)
            except BadEntry as error:
                log.warning("gallery log %d: %s; reading the whole gallery again", version, error)
                self.complete = False
                return
            if version != self.version + 1 or (change.op == "reset" and change.model_id == self.model_id):
                self.complete = False
                return
            self.version = version
            if change.model_id == self.model_id and change.employee_id is not None:
                self._apply(change.employee_id)
                changed = True
        if changed:
            self._rebuild()

    def _apply(self, employee_id: str) -> None:
        raw = self.ledger.hget(keys.gallery(self.shard, self.model_id), employee_id)
        person = self._read_person(employee_id.encode(), raw) if raw is not None else None
        if person is None:
            self._people.pop(employee_id, None)
        else:
            self._people[employee_id] = person

    def _still_there(self) -> bool:
        """Whether the gallery is where it was or further on; a ledger that lost it, or an older copy, set it back."""
        version = _version(self.ledger.hget(keys.gallery(self.shard, self.model_id), GALLERY_VERSION_FIELD))
        if version is None or version < self._hash_version:
            return False
        self._hash_version = version
        return True

    def _rebuild(self) -> None:
        self.index = GalleryIndex(self._people.values(), self.alpha)

    def _read_people(self, fields: Mapping[bytes, bytes]) -> dict[str, GalleryPerson]:
        people = (self._read_person(name, raw) for name, raw in fields.items() if name != GALLERY_VERSION_FIELD)
        return {person.employee_id: person for person in people if person is not None}

    def _read_person(self, name: bytes, raw: bytes) -> GalleryPerson | None:
        """One field of the hash, or None (logged) when it can't be used: one bad entry must not close the door to all."""
        try:
            person = GalleryPerson.model_validate_json(raw)
        except ValidationError as error:
            log.error(
                "gallery field %r is unreadable and left out: %s", name, error.errors(include_input=False)[0]["msg"]
            )
            return None
        lengths = [float(np.linalg.norm(np.frombuffer(t, "<f4"))) for t in person.templates]
        if person.employee_id.encode() != name or not all(abs(n - self.alpha) < 0.01 * self.alpha for n in lengths):
            log.error(
                "gallery field %r holds another id, or templates that are not of length %g; left out", name, self.alpha
            )
            return None
        size = len(person.templates[0]) // NUMBER_BYTES
        if size != self.template_size:
            log.error(
                "gallery field %r holds templates of %d numbers, %s gives %d; left out: embed the pictures again",
                name,
                size,
                self.model_id,
                self.template_size,
            )
            return None
        return person


def _version(raw: bytes | None) -> int | None:
    """The gallery's version, or None while there is none that can be read: then the gallery isn't complete."""
    return int(raw) if raw is not None and raw.isdigit() else None
