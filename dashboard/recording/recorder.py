"""The recorder: decisions from the ledger into the database, each exactly once. The gallery's publisher runs beside it.

An entry is acknowledged only after its record is committed, so a recorder that is killed anywhere leaves either the entry
or the record; and the record's event id is unique, so an entry that comes again finds it. The database being away holds
the entries back, in order; an entry that can never be recorded is parked in the dead-letter stream with its reason.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import redis
from pydantic import ValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from dashboard.background import Parts, heed_signals, wait, wait_for_schema
from dashboard.database import SessionFactory, engine_for, session_factory
from dashboard.gallery.publisher import POLL_S, ModelsInUse, Publisher
from dashboard.log import event_pictures
from dashboard.recording.metrics import figures
from dashboard.recording.notices import Notices
from dashboard.recording.records import Result, arrival_for, record, recorded_for
from dashboard.settings import DashboardSettings
from worker.protocol import keys
from worker.protocol.connection import Backoff, connect
from worker.protocol.entries import BadEntry, Decision, entry_time_ms
from worker.protocol.heartbeats import Heart, product_version
from worker.protocol.metrics import serve
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

Fields = Mapping[bytes, bytes]
BLOCK_MS = 500
BATCH = 32
CLAIM_IDLE_MS = 3_000
"""Entries that a recorder took and left untouched for so long are taken over: it is dead, or will find them recorded."""
CLAIM_EVERY_S = 1.0
FORGET_CONSUMER_MS = 3_600_000
DEAD_KEPT = 1_000
CONFLICTS_TRIED = 5
"""Two recorders may insert the same key at once; the loser tries again and finds it."""


class Recorder:
    """Call `step` in a loop (background.keep_going). Errors of Redis are raised; those of the database are waited out inside."""

    def __init__(
        self,
        settings: DashboardSettings,
        factory: SessionFactory,
        live: redis.Redis,
        ledger: redis.Redis,
        name: str,
        stop: threading.Event | None = None,
    ) -> None:
        self.settings, self.factory, self.ledger, self.name = settings, factory, ledger, name
        self.stop = stop or threading.Event()
        self.notices = Notices(live)
        self.counters = Counters()
        self.stream = keys.decisions(settings.shard)
        self._own_first = True
        self._next_claim = 0.0
        self._claim_from = b"0-0"

    def step(self) -> int:
        """Handle what is there, waiting at most BLOCK_MS for it; returns how many entries were done with."""
        try:
            entries = self._own_pending() or self._abandoned() or self._new()
            for entry_id, fields in entries:
                if self.stop.is_set():
                    return 0
                self._handle(entry_id, fields)
        except Exception as error:
            self._own_first = True  # what was taken and not done (or whose answer got lost) comes first afterwards
            if isinstance(error, redis.exceptions.ResponseError) and str(error).startswith("NOGROUP"):
                self._create_group()
                return 0
            raise
        self.notices.send()
        return len(entries)

    def _create_group(self) -> None:
        try:
            self.ledger.xgroup_create(self.stream, keys.RECORDERS_GROUP, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        for consumer in self.ledger.xinfo_consumers(self.stream, keys.RECORDERS_GROUP):
            if not consumer["pending"] and consumer["idle"] > FORGET_CONSUMER_MS:
                self.ledger.xgroup_delconsumer(self.stream, keys.RECORDERS_GROUP, consumer["name"])

    def _own_pending(self) -> list[tuple[bytes, Fields]]:
        if not self._own_first:
            return []
        entries = self._read("0", block_ms=None)
        self._own_first = bool(entries)
        return entries

    def _abandoned(self) -> list[tuple[bytes, Fields]]:
        if time.monotonic() < self._next_claim:
            return []
        answer: Any = self.ledger.xautoclaim(
            self.stream, keys.RECORDERS_GROUP, self.name, CLAIM_IDLE_MS, start_id=self._claim_from, count=BATCH
        )
        self._claim_from = answer[0]
        entries: list[tuple[bytes, Fields]] = answer[1]
        if self._claim_from == b"0-0":
            self._next_claim = time.monotonic() + CLAIM_EVERY_S
        return entries

    def _new(self) -> list[tuple[bytes, Fields]]:
        return self._read(">", block_ms=BLOCK_MS)

    def _read(self, after: str, block_ms: int | None) -> list[tuple[bytes, Fields]]:
        answer: Any = self.ledger.xreadgroup(
            keys.RECORDERS_GROUP, self.name, {self.stream: after}, count=BATCH, block=block_ms
        )
        entries: list[tuple[bytes, Fields]] = answer[0][1] if answer else []
        return entries

    def _handle(self, entry_id: bytes, fields: Fields) -> None:
        """One entry to its end: recorded or parked, then acknowledged. Leaves early, unacknowledged, only when stopping."""
        if not fields:  # deleted from the stream while it was pending
            self.ledger.xack(self.stream, keys.RECORDERS_GROUP, entry_id)
            return
        try:
            decision = Decision.from_fields(fields)
            result = self._commit(decision, entry_time_ms(entry_id))
        except BadEntry as error:
            self._park(entry_id, fields, str(error))
        except Exception as error:
            log.exception("entry %s of %s failed unexpectedly", entry_id.decode(), self.stream)
            self._park(entry_id, fields, f"unexpected {type(error).__name__}: {error}")
        else:
            if result is None:
                return
            if decision.repeats is None or result.status != "duplicate":  # who only stays is no news
                self._announce(result)
            self._acknowledge(entry_id)
            self.counters.add("redelivered" if result.redelivered else result.status)
            about = {"kiosk": result.record.kiosk, "event_id": result.record.event_id}
            log.info("decision %s %s", result.record.event_id, result.status, extra=about)

    def _commit(self, decision: Decision, received_ms: int) -> Result | None:
        """Record and commit, waiting for the database as long as it takes; None when stopped meanwhile."""
        backoff, conflicts, down = Backoff(), 0, False
        while not self.stop.is_set():
            try:
                with self.factory.begin() as session:
                    result = record(session, decision, received_ms, self.settings)
            except SQLAlchemyError as error:
                if not is_database_trouble(error):
                    raise
                if isinstance(error, IntegrityError):
                    conflicts += 1
                    if conflicts >= CONFLICTS_TRIED:
                        raise BadEntry(f"the database refuses it: {error.orig}") from error
                elif not down:
                    down = True
                    self.counters.add("database_outages")
                    log.warning("the database is away, entries wait: %s", error)
                self.stop.wait(backoff.next_s())
            else:
                if down:
                    log.info("the database is back")
                return result
        return None

    def _announce(self, result: Result) -> None:
        shard = self.settings.shard
        try:
            recorded = recorded_for(result)
            if recorded is not None:
                self.notices.add(keys.feedback(shard, result.record.kiosk), recorded, keys.FEEDBACK_KEPT)
            self.notices.add(keys.events(shard), arrival_for(result), keys.EVENTS_KEPT)
        except ValidationError as error:  # such as a row that was edited by hand; the record is safe all the same
            first = error.errors(include_url=False, include_input=False)[0]
            log.error("event %s can't be announced: %s: %s", result.record.event_id, first["loc"], first["msg"])
        self.notices.send()

    def _acknowledge(self, entry_id: bytes) -> None:
        with self.ledger.pipeline(transaction=True) as pipe:
            pipe.xack(self.stream, keys.RECORDERS_GROUP, entry_id)
            pipe.xdel(self.stream, entry_id)
            pipe.execute()

    def _park(self, entry_id: bytes, fields: Fields, reason: str) -> None:
        """Move an entry to the dead-letter stream, with its fields as they came, its id and the reason."""
        parked: dict[Any, Any] = {
            **fields,
            b"dead_id": entry_id,
            b"dead_reason": reason[:1_000].encode(errors="replace"),
        }
        with self.ledger.pipeline(transaction=True) as pipe:
            pipe.xadd(keys.dead(self.settings.shard), parked, maxlen=DEAD_KEPT)
            pipe.xack(self.stream, keys.RECORDERS_GROUP, entry_id)
            pipe.xdel(self.stream, entry_id)
            pipe.execute()
        self.counters.add("parked")
        log.error("entry %s of %s parked: %s", entry_id.decode(), self.stream, reason[:300])


def is_database_trouble(error: BaseException) -> bool:
    """Whether an error is the database's (away, locked, full, wrong schema), and not the fault of the values it was given."""
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return False
    return isinstance(error, SQLAlchemyError) and not isinstance(error, DataError)


def run(settings: DashboardSettings, stop: threading.Event | None = None) -> int:
    """Recorder and gallery publisher until `stop`, SIGTERM or SIGINT; 0 then, 1 when one of them failed for good."""
    stop = stop or threading.Event()
    heed_signals(stop)
    name = f"{socket.gethostname().lower()[:40]}-{os.getpid()}"
    live = connect(settings.url("live"), name=f"recorder-{name}")
    ledger = connect(settings.url("ledger"), name=f"recorder-{name}")
    engine = engine_for(settings.database)
    factory = session_factory(engine)
    models = ModelsInUse(live, settings.shard, stop)
    publisher = Publisher(factory, ledger, settings.shard, models)
    recorder = Recorder(settings, factory, live, ledger, name, stop)

    def report() -> dict[str, object]:
        return {"version": product_version(), **recorder.counters.to_dict(), **publisher.counters.to_dict()}

    heart = Heart(live, settings.shard, "recorder", name, report)
    stop_metrics = serve(settings.metrics_port, settings.metrics_host, lambda: figures(recorder, publisher))
    parts = Parts(stop)
    parts.add(recorder.step, "recorder", 0.0)
    parts.add(publisher.step, "gallery publisher", POLL_S)
    parts.add(lambda: event_pictures.prune(factory, settings), "pictures of records", event_pictures.PRUNE_EVERY_S)
    try:
        wait_for_schema(settings.database, stop)
        models.start()
        heart.start()
        parts.start()
        log.info("recorder %s is ready", name)
        wait(stop)
    finally:
        stop.set()
        for thread in parts.threads:
            if thread.is_alive():
                thread.join()
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            publisher.release()
        heart.stop()
        stop_metrics()
        engine.dispose()
    return 1 if parts.failures else 0
