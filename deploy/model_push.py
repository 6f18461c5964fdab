"""`attendance model push`: a bundle to every worker that doesn't hold it, through the live Redis (worker/protocol/transfer.py).

Workers pull: the window of chunks stands where the slowest of them is, and each checks what it wrote. A worker that ends
meanwhile is no longer waited for.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

from deploy.errors import Problem
from deploy.model_workers import WorkerModels, living
from deploy.operator import SiteClients, plain
from worker.protocol import keys
from worker.protocol.bundle import CARD, INFO, BadBundle, file_sha256, verify, weights_name
from worker.protocol.entries import BadEntry, new_id
from worker.protocol.transfer import (
    CHUNK_TTL_S,
    OFFER_TTL_S,
    WINDOW,
    Chunk,
    Offer,
    OfferedFile,
    Taken,
    read_taken,
)

ROUND_S = 0.02
LOOK_S = 0.5
PATIENCE_S = 60.0
"""Without any progress for so long the push has failed."""

Progress = Callable[[str, int, int], None]
"""Called with the shard, how many chunks the slowest worker has, and of how many."""


def make_offer(folder: Path) -> Offer:
    """What a bundle's folder offers; raises BadBundle."""
    info = verify(folder)
    paths = [folder / name for name in (INFO, weights_name(info), CARD) if name and (folder / name).is_file()]
    files = [OfferedFile(name=p.name, size=p.stat().st_size, sha256=file_sha256(p)) for p in paths]
    try:
        return Offer(transfer=new_id(), model_id=info.id, files=tuple(files))
    except ValueError as error:
        raise BadBundle(f"{folder}: {error}") from None


def push(sites: list[SiteClients], folder: Path, say: Callable[[str], None], progress: Progress) -> int:
    """Bring the bundle to the workers of all shards; how many took it. Raises Problem naming who didn't, and BadBundle."""
    offer = make_offer(folder)
    workers = living(sites)
    if not workers:
        raise Problem("no worker is running: a bundle is brought to living ones")
    failed: dict[str, str] = {}
    taken = 0
    for site in sites:
        lacking = [one for one in workers if one.shard == site.shard and offer.model_id not in one.held]
        if lacking:
            one = ShardPush(site, folder, offer, {worker.name for worker in lacking}, progress)
            one.run()
            taken += len(one.done)
            failed |= {f"{site.shard}/{name}": words for name, words in one.failed.items()}
    if failed:
        raise Problem("\n".join(f"worker {plain(name, 64)}: {plain(words)}" for name, words in failed.items()))
    say(f"{offer.model_id}: {taken} workers took it, {len(workers) - taken} had it")
    return taken


class ShardPush:
    """One shard. `done` and `failed` are filled by `run`, which leaves nothing in Redis."""

    def __init__(self, site: SiteClients, folder: Path, offer: Offer, waiting: set[str], progress: Progress) -> None:
        self.site, self.folder, self.offer, self.progress = site, folder, offer, progress
        self.waiting = waiting
        self.done: set[str] = set()
        self.failed: dict[str, str] = {}
        self._chunks = list(offer.chunks())
        self._there: dict[int, float] = {}
        """Chunks in Redis, and when they were put there."""
        self._offer_key = keys.bundle_offer(site.shard)
        self._taken_key = keys.bundle_taken(site.shard)

    def run(self) -> None:
        """Raises Problem when another push is under way."""
        body = self.offer.model_dump_json()
        if not self.site.live.set(self._offer_key, body, nx=True, ex=OFFER_TTL_S):
            raise Problem(
                f"shard {self.site.shard}: another push is under way; let it end (what was killed ends after {OFFER_TTL_S} s)"
            )
        try:
            self._serve(body)
        finally:
            self._clear()

    def _serve(self, body: str) -> None:
        renewed_s = looked_s = moved_s = time.monotonic()
        before: dict[str, int] = {}
        while self.waiting:
            wants = self._listen()
            now_s = time.monotonic()
            if wants != before:
                before, moved_s = wants, now_s
            if now_s - renewed_s > OFFER_TTL_S / 4:
                self.site.live.set(self._offer_key, body, ex=OFFER_TTL_S)
                renewed_s = now_s
            if now_s - looked_s > LOOK_S:
                self._forget_the_dead(living([self.site]))
                looked_s = now_s
            if now_s - moved_s > PATIENCE_S:
                self.failed |= dict.fromkeys(
                    self.waiting, f"took nothing for {PATIENCE_S:.0f} s; is its version older than this one?"
                )
                return
            if wants:
                self._provide(min(wants.values()))
                self.progress(self.site.shard, min(wants.values()), len(self._chunks))
            time.sleep(ROUND_S)
        self.progress(self.site.shard, len(self._chunks), len(self._chunks))

    def _listen(self) -> dict[str, int]:
        """Who wants which chunk next; those that are done or refuse are sorted out."""
        wants = {}
        for raw_name, raw in self.site.live.hgetall(self._taken_key).items():
            name = raw_name.decode(errors="replace")
            said = _said(raw)
            if name not in self.waiting or said is None or said.transfer != self.offer.transfer:
                continue
            if said.done:
                self.done.add(name)
            elif said.error is not None:
                self.failed[name] = said.error
            else:
                wants[name] = said.wants
                continue
            self.waiting.discard(name)
        return wants

    def _forget_the_dead(self, workers: list[WorkerModels]) -> None:
        names = {worker.name for worker in workers}
        for name in self.waiting - names:
            self.waiting.discard(name)
            self.failed[name] = "ended before it had everything"

    def _provide(self, low: int) -> None:
        """Have the chunks from `low` on in Redis, a window of them, and none before."""
        window = self._chunks[low : low + WINDOW]
        gone = [number for number in self._there if not low <= number < low + WINDOW]
        pipe = self.site.live.pipeline(transaction=False)
        for number in gone:
            pipe.delete(self._key(number))
            del self._there[number]
        now_s = time.monotonic()
        for chunk in window:
            if now_s - self._there.get(chunk.number, float("-inf")) > CHUNK_TTL_S / 2:
                pipe.set(self._key(chunk.number), self._read(chunk), ex=CHUNK_TTL_S)
                self._there[chunk.number] = now_s
        pipe.execute()

    def _read(self, chunk: Chunk) -> bytes:
        path = self.folder / chunk.file.name
        try:
            with path.open("rb") as file:
                file.seek(chunk.offset)
                return file.read(chunk.size)
        except OSError as error:
            raise Problem(f"{path}: can't be read any more ({error.strerror})") from None

    def _key(self, number: int) -> str:
        return keys.bundle_chunk(self.site.shard, self.offer.transfer, number)

    def _clear(self) -> None:
        for number in self._there:
            self.site.live.delete(self._key(number))
        if self._ours():
            self.site.live.delete(self._taken_key)  # one key a command: each has a selector of its own in the ACL
            self.site.live.delete(self._offer_key)

    def _ours(self) -> bool:
        try:
            raw = self.site.live.get(self._offer_key)
            return raw is not None and json.loads(raw).get("transfer") == self.offer.transfer
        except (ValueError, AttributeError):
            return False


def _said(raw: bytes) -> Taken | None:
    try:
        return read_taken(raw)
    except BadEntry:
        return None
