"""What kiosks kept while Redis was away becomes late decisions, one picture at a time and only when nobody waits.

An entry's decisions, its acknowledgement and its deletion are one transaction of the ledger; and their event ids follow
from the presence, so an entry that is delivered again, or sent twice by its kiosk, is no second record.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis

from worker.decode import BadPicture, decode_jpeg
from worker.engine import Sight
from worker.late import LatePerson, LatePicture, event_id, judge
from worker.pipeline import Pipeline
from worker.protocol import keys
from worker.protocol.backlog import BacklogEntry, unpack
from worker.protocol.connection import Client, keep_trying
from worker.protocol.entries import BadEntry, Decision, as_any
from worker.protocol.sealing import BadSeal, key_id, public_of, unseal
from worker.protocol.telemetry import Counters
from worker.serving_models import Model
from worker.settings import WorkerSettings
from worker.wire import face_crop, finite

log = logging.getLogger(__name__)

Fields = Mapping[bytes, bytes]
NOTHING = Sight([], None, False, None)
QUIET_S = 0.25
"""Without live frames for this long, nobody waits."""
BUSY_REST = 9
"""While live frames come, a late picture is followed by nine times its own cost for them alone."""
LOOK_S = 0.05
IDLE_S = 0.5
CLAIM_EVERY_S = 5.0
CLAIM_IDLE_MS = 60_000
"""An entry that another worker took and left for so long is taken over: event ids make it harmless if it still lives."""


class Turns:
    """Whether a late picture may be looked at now. The live loop marks its batches, the backlog its pictures."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._live_now = False
        self._live_s = self._late_s = float("-inf")
        self._late_cost_s = 0.0

    @contextmanager
    def live(self) -> Iterator[None]:
        self._live_now = True
        try:
            yield
        finally:
            self._live_s, self._live_now = self._clock(), False

    def late_done(self, cost_s: float) -> None:
        self._late_s, self._late_cost_s = self._clock(), cost_s

    def may_look(self) -> bool:
        now_s = self._clock()
        quiet = now_s - self._live_s >= QUIET_S
        return not self._live_now and (quiet or now_s - self._late_s >= BUSY_REST * self._late_cost_s)


class Backlog(threading.Thread):
    """`kiosks` are those whose leases we hold; set by the main loop. Counts `backlog_entries`, `_bad` and `_decisions`."""

    def __init__(
        self,
        settings: WorkerSettings,
        pipeline: Pipeline,
        ledger: Client,
        private_key: str,
        counters: Counters,
        turns: Turns,
    ) -> None:
        super().__init__(name="backlog", daemon=True)
        self.settings, self.pipeline, self.ledger, self.counters = settings, pipeline, ledger, counters
        self.kiosks: frozenset[str] = frozenset()
        self.turns = turns
        self._private_key = private_key
        self.key_id = key_id(public_of(private_key))
        self._own_after: dict[str, bytes | None] = {}
        """How far the entries that we took earlier were looked through, by kiosk; None: to the end."""
        self._claimed_s: dict[str, float] = {}
        self._claim_from: dict[str, bytes] = {}
        self._other_keys: set[str] = set()
        self._stop_asked = threading.Event()

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "backlog")

    def stop(self) -> None:
        """An entry in hand stays in the ledger and is taken again."""
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)

    def step(self) -> None:
        """One entry of each kiosk that has one; a short pause when none has."""
        kiosks = self.kiosks
        for kiosk in set(self._own_after) - kiosks:
            del self._own_after[kiosk]
        done = [self._one_of(kiosk) for kiosk in sorted(kiosks) if not self._stop_asked.is_set()]
        if not any(done):
            self._stop_asked.wait(IDLE_S)

    def _one_of(self, kiosk: str) -> bool:
        try:
            taken = self._take(kiosk)
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group(keys.backlog(self.settings.shard, kiosk))
            return False
        if taken is None:
            return False
        try:
            return self._handle(kiosk, *taken)
        except (redis.exceptions.RedisError, OSError):
            self._own_after.pop(kiosk, None)  # it is still ours: look there again
            raise
        except Exception:
            log.exception("an entry of the backlog of %s failed and stays in the ledger", kiosk)
            self.counters.add("backlog_failed")
            return False

    def _make_group(self, key: str) -> None:
        try:
            self.ledger.xgroup_create(key, keys.WORKERS_GROUP, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _take(self, kiosk: str) -> tuple[bytes, Fields] | None:
        """Ours from before, then what a dead worker left, then a new one."""
        key = keys.backlog(self.settings.shard, kiosk)
        after = self._own_after.get(kiosk, b"0")
        if after is not None:
            found = self._read(key, after)
            self._own_after[kiosk] = found[0] if found else None
            if found is not None:
                return found
        now_s = time.monotonic()
        if now_s - self._claimed_s.get(kiosk, float("-inf")) >= CLAIM_EVERY_S:
            start = self._claim_from.get(kiosk, b"0-0")
            answer: Any = self.ledger.xautoclaim(
                key, keys.WORKERS_GROUP, self.settings.name, CLAIM_IDLE_MS, start_id=start, count=1
            )
            self._claim_from[kiosk] = answer[0]
            self._claimed_s[kiosk] = now_s
            if answer[1]:
                return answer[1][0]  # type: ignore[no-any-return]
        return self._read(key, b">")

    def _read(self, key: str, after: bytes) -> tuple[bytes, Fields] | None:
        answer: Any = self.ledger.xreadgroup(keys.WORKERS_GROUP, self.settings.name, {key: after}, count=1)
        return answer[0][1][0] if answer and answer[0][1] else None

    def _handle(self, kiosk: str, entry_id: bytes, fields: Fields) -> bool:
        """One entry to its end. False when it must wait: it needs another key, or we are told to stop."""
        try:
            entry = BacklogEntry.from_fields(fields or {})  # none: it was trimmed from the stream meanwhile
            if entry.key_id != self.key_id:
                self._tell_of_key(kiosk, entry.key_id)
                return False
            pictures = unpack(unseal(entry.sealed, self._private_key), kiosk, entry)
        except (BadEntry, BadSeal) as error:
            log.warning("backlog of %s: entry %s dropped: %s", kiosk, entry_id.decode(), error)
            self.counters.add("backlog_bad")
            self._finish(kiosk, entry_id, [])
            return True
        model = None
        while model is not self.pipeline.model:  # another model serves meanwhile: its templates are needed
            model = self.pipeline.model
            seen, frames = [], []
            for picture in pictures:
                if not self._wait_until(self.turns.may_look):
                    return False
                frame, sight = self._look(model, picture.jpeg)
                frames.append(frame)
                seen.append(LatePicture(entry.captured_ms + picture.offset_ms, sight))
            if not self._wait_until(lambda: self.pipeline.ready):
                return False
            rules = self.pipeline.rules()
        index, limit = model.gallery.index, model.other_person
        decisions = []
        for person in judge(seen, entry.presence, rules, limit, lambda t: index.search(t[None])[0], entry.more):
            snapshot = None
            if self.settings.keep_snapshots and person.picture is not None:
                snapshot = face_crop(frames[person.picture], seen[person.picture].sight.faces[0].box)
            decisions.append(self._decision(model, kiosk, entry, person, rules.threshold, snapshot))
        self._finish(kiosk, entry_id, decisions)
        self.counters.add("backlog_entries")
        return True

    def _tell_of_key(self, kiosk: str, other: str) -> None:
        if other not in self._other_keys:
            self._other_keys.add(other)
            log.error(
                "backlog of %s is sealed to key %s, ours is %s: it waits for a worker with that ATTENDANCE_SITE_PRIVATE_KEY",
                *(kiosk, other, self.key_id),
            )

    def _wait_until(self, true: Callable[[], bool]) -> bool:
        while not true():
            if self._stop_asked.wait(LOOK_S):
                return False
        return not self._stop_asked.is_set()

    def _look(self, model: Model, jpeg: bytes):  # type: ignore[no-untyped-def]
        """The decoded picture and what is in it; nothing where it can't be decoded or the engine fails on it."""
        began_s = time.monotonic()
        try:
            frame = decode_jpeg(jpeg)
            (sight,), _ = model.engine.look([frame])
        except BadPicture as error:
            log.warning("a picture of a backlog is skipped: %s", error)
            self.counters.add("backlog_pictures_bad")
            frame, sight = None, NOTHING
        except Exception:
            log.exception("the engine failed on a picture of a backlog")
            self.counters.add("backlog_pictures_bad")
            frame, sight = None, NOTHING
        finally:
            self.turns.late_done(time.monotonic() - began_s)
        return frame, sight

    def _decision(
        self,
        model: Model,
        kiosk: str,
        entry: BacklogEntry,
        person: LatePerson,
        threshold: float,
        snapshot: bytes | None,
    ) -> Decision:
        return Decision(
            event_id=event_id(kiosk, entry.presence, person.employee_id),
            kiosk=kiosk,
            presence=entry.presence,
            outcome=person.outcome,
            employee_id=person.employee_id,
            captured_ms=person.captured_ms,
            distance=finite(person.verdict.distance),
            threshold=threshold,
            runner_up_distance=finite(person.verdict.runner_up_distance),
            good_frames=person.good_frames,
            model_id=model.id,
            late=True,
            time_uncertain=entry.time_uncertain,
            worker=self.settings.name,
            snapshot=snapshot,
        )

    def _finish(self, kiosk: str, entry_id: bytes, decisions: list[Decision]) -> None:
        shard = self.settings.shard
        key = keys.backlog(shard, kiosk)
        with self.ledger.pipeline(transaction=True) as pipe:
            for decision in decisions:
                pipe.xadd(keys.decisions(shard), as_any(decision.to_fields()))
            pipe.xack(key, keys.WORKERS_GROUP, entry_id)
            pipe.xdel(key, entry_id)
            pipe.execute()
        for decision in decisions:
            self.counters.add("backlog_decisions")
            log.info("late decision %s kiosk=%s outcome=%s", decision.event_id, kiosk, decision.outcome)
