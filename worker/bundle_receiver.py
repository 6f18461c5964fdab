"""Takes a bundle that `attendance model push` brings: chunk by chunk from the live Redis into the worker's models folder.

Nothing of an offer is trusted: names, sizes and the room on the disk are checked before a byte is written, every file's
SHA-256 is taken again from the disk, and the bundle must be the model that it says it is. What fails any of it never gets
a place among the models, and the pusher is told why.
"""

import logging
import os
import shutil
import threading
import time
from pathlib import Path

from worker.model_store import ModelStore
from worker.protocol import keys
from worker.protocol.bundle import BadBundle, file_sha256
from worker.protocol.connection import Client, keep_trying
from worker.protocol.entries import BadEntry
from worker.protocol.transfer import TAKEN_TTL_S, Offer, Taken, read_offer

log = logging.getLogger(__name__)

POLL_S = 0.7
CHUNK_POLL_S = 0.02
PATIENCE_S = 15.0
"""A chunk that doesn't come for so long, or an offer that is gone, ends the taking."""
SPARE_BYTES = 100_000_000
"""What stays free on the disk."""


class Refused(Exception):
    """This bundle is not taken; the message is for the one who pushes it."""


class GaveUp(Exception):
    """The pusher is gone, or began anew."""


class BundleReceiver(threading.Thread):
    def __init__(self, live: Client, shard: str, worker: str, store: ModelStore) -> None:
        super().__init__(name="bundles", daemon=True)
        self.live, self.shard, self.worker, self.store = live, shard, worker, store
        self._answered: Taken | None = None
        """The last word on the transfer that was dealt with."""
        self._bad_offer: bytes | None = None
        self._stop_asked = threading.Event()

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "bundles")

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)

    def step(self) -> None:
        """Look for an offer and deal with it; a short wait when there is none."""
        offer = self._offer()
        if offer is None:
            self._stop_asked.wait(POLL_S)
        elif self._answered is not None and self._answered.transfer == offer.transfer:
            self._tell(self._answered)  # again: the hash has a TTL
            self._stop_asked.wait(POLL_S)
        else:
            self._deal_with(offer)

    def _offer(self) -> Offer | None:
        raw = self.live.get(keys.bundle_offer(self.shard))
        if raw is None:
            return None
        try:
            return read_offer(raw)
        except BadEntry as error:
            if raw != self._bad_offer:
                log.error("a bundle's offer is unreadable and ignored: %s", error)
                self._bad_offer = raw
            return None

    def _deal_with(self, offer: Offer) -> None:
        draft = None
        try:
            if self.store.where(offer.model_id) is None:
                log.info("taking model %s, %.1f MB", offer.model_id, offer.size / 1e6)
                draft = self._make_draft(offer)
                self._take(offer, draft)
                log.info("model %s is here", offer.model_id)
            self._answered = Taken(transfer=offer.transfer, done=True)
        except GaveUp as error:
            log.warning("model %s was not taken: %s", offer.model_id, error)
            return
        except (Refused, BadBundle) as error:
            log.error("model %s is refused: %s", offer.model_id, error)
            self._answered = Taken(transfer=offer.transfer, error=str(error)[:500])
        finally:
            if draft is not None:
                self.store.discard(draft)
        self._tell(self._answered)

    def _make_draft(self, offer: Offer) -> Path:
        try:
            draft = self.store.draft(f"{self.worker}-{offer.transfer}")
            free = shutil.disk_usage(draft).free
        except OSError as error:
            raise Refused(f"{self.store.folder}: {error.strerror}") from None
        if free < offer.size + SPARE_BYTES:
            self.store.discard(draft)
            words = f"{free / 1e6:.0f} MB free, {(offer.size + SPARE_BYTES) / 1e6:.0f} MB are needed"
            raise Refused(f"{self.store.folder}: {words}")
        return draft

    def _take(self, offer: Offer, draft: Path) -> None:
        try:
            for file in offer.files:
                (draft / file.name).touch()
            for chunk in offer.chunks():
                self._tell(Taken(transfer=offer.transfer, wants=chunk.number))
                data = self._wait_for(offer, chunk.number)
                if data is None:
                    return  # another worker of this machine was faster
                if len(data) != chunk.size:
                    raise Refused(f"chunk {chunk.number}: {len(data)} bytes, {chunk.size} were announced")
                with (draft / chunk.file.name).open("ab") as out:
                    out.write(data)
            for file in offer.files:
                path = draft / file.name
                with path.open("rb+") as written:
                    os.fsync(written.fileno())
                digest = file_sha256(path)
                if digest != file.sha256:
                    raise Refused(
                        f"{file.name}: SHA-256 {digest[:12]}… after writing, {file.sha256[:12]}… was announced"
                    )
            self.store.put(draft, offer.model_id)
        except OSError as error:
            raise Refused(f"{self.store.folder}: {error.strerror or error}") from None

    def _wait_for(self, offer: Offer, number: int) -> bytes | None:
        """The chunk; None when the model got here by another way. Raises GaveUp."""
        key = keys.bundle_chunk(self.shard, offer.transfer, number)
        end_s, looked_s = time.monotonic() + PATIENCE_S, time.monotonic()
        while not self._stop_asked.is_set():
            data: bytes | None = self.live.get(key)
            if data is not None:
                return data
            if time.monotonic() - looked_s > 0.5:
                looked_s = time.monotonic()
                if self.store.where(offer.model_id) is not None:
                    return None
                now = self._offer()
                if now is None or now.transfer != offer.transfer:
                    raise GaveUp("the push ended before its end")
                self._tell(Taken(transfer=offer.transfer, wants=number))
            if time.monotonic() > end_s:
                raise GaveUp(f"chunk {number} didn't come within {PATIENCE_S:.0f} s")
            self._stop_asked.wait(CHUNK_POLL_S)
        raise GaveUp("the worker stops")

    def _tell(self, taken: Taken) -> None:
        key = keys.bundle_taken(self.shard)
        pipe = self.live.pipeline(transaction=True)
        pipe.hset(key, self.worker, taken.model_dump_json(exclude_none=True))
        pipe.expire(key, TAKEN_TTL_S)
        pipe.execute()
