"""The gallery's one publisher: templates and names of those who may be recognised, from the database to the workers.

A change is queued in the transaction that makes it (outbox.py) and published within a fraction of a second, always as the
person's *current* state, so the order of changes doesn't matter and publishing twice does no harm. A lock in Redis
keeps publishers from working at the same time, but it is not what guards the gallery: every MULTI watches the log, so a
publisher that was suspended between reading the database and writing can't bring back somebody who was removed meanwhile.
Each shard has a publisher of its own; a change stays in the outbox until all have it (outbox.py).
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterable
from itertools import groupby
from typing import cast

import redis
from pydantic import ValidationError
from redis.client import Pipeline
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.database import SessionFactory, now_ms, reading
from dashboard.gallery import outbox, serving_key
from dashboard.models import Employee, EnrolmentPicture, GalleryOutbox, Template
from worker.protocol import heartbeats, keys
from worker.protocol.entries import (
    GALLERY_VERSION_FIELD,
    GalleryChange,
    GalleryPerson,
    as_any,
    entry_time_ms,
    new_id,
)
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

POLL_S = 0.2
LOCK_MS = 1_500
"""A publisher that died is replaced after this; a change must be out 2 s after its commit."""
MODELS_EVERY_S = 0.5
REGISTER_EVERY_S = 3_600.0
"""Known shards are those whose publisher said so lately; see outbox.py."""
BATCH = 100
DRAFT_TTL_S = 600
"""A half-written draft of a killed publisher goes away by itself."""


def people(session: Session, model_id: str, employee_id: str | None = None) -> dict[str, bytes]:
    """Who may be recognised under a model (or one of them): employee id → the JSON that workers read."""
    query = (
        select(Employee.id, Employee.name, Template.vector)
        .join(EnrolmentPicture, EnrolmentPicture.employee_id == Employee.id)
        .join(Template, Template.picture_id == EnrolmentPicture.id)
        .where(Template.model_id == model_id, Employee.deactivated_ms.is_(None), Employee.consent_ms.is_not(None))
        .order_by(Employee.id, Template.id)
    )
    if employee_id is not None:
        query = query.where(Employee.id == employee_id)
    found: dict[str, bytes] = {}
    for (who, name), rows in groupby(session.execute(query), key=lambda row: (row[0], row[1])):
        try:
            person = GalleryPerson(employee_id=who, name=name, templates=[row[2] for row in rows])
        except ValidationError as error:
            log.error("employee %s can't be in the gallery: %s", who, error.errors(include_input=False)[0]["msg"])
        else:
            found[who] = person.model_dump_json().encode()
    return found


class ModelsInUse(threading.Thread):
    """Learns from the workers' heartbeats which models need a gallery; its own thread, since live may hang."""

    def __init__(self, live: redis.Redis, shard: str, stop: threading.Event) -> None:
        super().__init__(name="models-in-use", daemon=True)
        self.live, self.shard, self.stop = live, shard, stop
        self.seen: frozenset[str] = frozenset()

    def look(self) -> None:
        found: set[object] = set()
        for beat in heartbeats.read(self.live, self.shard, "worker"):
            loaded = beat.data.get("models_loaded")
            found |= {beat.data.get("model_id"), *(loaded if isinstance(loaded, dict) else ())}
        self.seen |= {model for model in found if isinstance(model, str) and 0 < len(model) <= 128}

    def run(self) -> None:
        while not self.stop.is_set():
            with contextlib.suppress(redis.exceptions.RedisError, OSError):  # live is away: what was seen stays in use
                self.look()
            self.stop.wait(MODELS_EVERY_S)


class Publisher:
    """Call `step` every POLL_S. Errors of Redis and of the database are the caller's to wait out; nothing is lost."""

    def __init__(
        self, session_factory: SessionFactory, ledger: redis.Redis, shard: str, models: ModelsInUse | None = None
    ) -> None:
        self.session_factory, self.ledger, self.shard, self.models = session_factory, ledger, shard, models
        self.token = new_id().encode()
        self.lock_key = keys.publisher(shard)
        self.log_key = keys.gallery_log(shard)
        self.checked: set[str] = set()
        """Models whose gallery was compared with the database since this publisher took the lock."""
        self.counters = Counters()
        self._oldest_waiting_ms: int | None = None
        self._registered_s = float("-inf")

    def lag_s(self) -> float:
        """How long the oldest change that was seen waiting has waited; 0 when none waits, or another publisher works."""
        oldest_ms = self._oldest_waiting_ms
        return 0.0 if oldest_ms is None else max(0, now_ms() - oldest_ms) / 1000

    def step(self) -> int:
        """Publish what is waiting; returns how many changes went out. 0 as well while another publisher works."""
        if not self._leads():
            self.checked.clear()
            self._oldest_waiting_ms = None
            return 0
        self._register()
        with reading(self.session_factory) as session:
            rows = outbox.waiting(session, self.shard, BATCH)
            in_use = set(session.scalars(select(Template.model_id).distinct()))
            last_version = outbox.version(session, self.shard)
        if last_version is None:  # forgotten: nothing waited for us, so everything is compared
            self._registered_s = float("-inf")
            return 0
        self._oldest_waiting_ms = rows[0].created_ms if rows else None
        in_use |= {row.model_id for row in rows} | (self.models.seen if self.models else set())
        done = 0
        try:
            broken = [model_id for model_id in sorted(in_use) if not self._is_whole(model_id, last_version)]
            while broken:
                self._republish(broken[0], in_use - set(broken))
                self.checked.add(broken.pop(0))
                done += 1
            for row in rows:
                if not self._leads():
                    break
                self._publish(row, in_use)
                done += 1
            serving_key.follow(self.session_factory, self.ledger, self.shard)
        except redis.exceptions.WatchError:
            log.info("another publisher wrote to the gallery; starting over")
            self.checked.clear()
        return done

    def _register(self) -> None:
        """Be known to those who delete what all shards have, before anything is compared with the database."""
        if time.monotonic() - self._registered_s < REGISTER_EVERY_S:
            return
        with self.session_factory.begin() as session:
            new = outbox.register(session, self.shard)
        if new:
            self.checked.clear()
        self._registered_s = time.monotonic()

    def release(self) -> None:
        """Let another publisher take over at once."""
        if self.ledger.get(self.lock_key) == self.token:
            self.ledger.delete(self.lock_key)

    def _leads(self) -> bool:
        if self.ledger.set(self.lock_key, self.token, nx=True, px=LOCK_MS):
            self.checked.clear()
            return True
        return self.ledger.get(self.lock_key) == self.token and bool(self.ledger.pexpire(self.lock_key, LOCK_MS))

    def _key(self, model_id: str) -> str:
        return keys.gallery(self.shard, model_id)

    def _is_whole(self, model_id: str, last_version: int) -> bool:
        """Whether Redis holds this model's gallery as published; after taking over it is compared person by person."""
        version = self.ledger.hget(self._key(model_id), GALLERY_VERSION_FIELD.decode())
        if version is None or int(version) < last_version:
            self.checked.discard(model_id)
            return False
        if model_id not in self.checked:
            have = {
                k.decode(): v for k, v in cast(dict[bytes, bytes], self.ledger.hgetall(self._key(model_id))).items()
            }
            have.pop(GALLERY_VERSION_FIELD.decode(), None)
            with reading(self.session_factory) as session:
                waiting = outbox.people_waiting(session, self.shard, model_id)
                want = people(session, model_id)
            differing = {who for who in have.keys() | want.keys() if have.get(who) != want.get(who)}
            if differing - waiting:
                return False
            self.checked.add(model_id)
        return True

    def _publish(self, row: GalleryOutbox, in_use: Iterable[str]) -> None:
        """One waiting change, as one MULTI: the person, the version, the log entry."""
        if row.employee_id is None:
            self._republish(row.model_id, in_use, row)
            return
        with self.ledger.pipeline() as pipe:
            galleries = self._watch(pipe, in_use)
            with reading(self.session_factory) as session:
                value = people(session, row.model_id, row.employee_id).get(row.employee_id)
                version = max(self._log_top(pipe), outbox.version(session, self.shard) or 0) + 1
            pipe.multi()
            if value is None:
                pipe.hdel(self._key(row.model_id), row.employee_id)
            else:
                pipe.hset(self._key(row.model_id), row.employee_id, value)
            change = GalleryChange(
                version=version,
                op="remove" if value is None else "put",
                model_id=row.model_id,
                employee_id=row.employee_id,
            )
            self._finish(pipe, change, galleries)
        self._note(change, row)

    def _republish(self, model_id: str, whole: Iterable[str], row: GalleryOutbox | None = None) -> None:
        """The whole gallery of a model, drafted beside the old one and put in its place in the MULTI.

        `whole` are the models whose galleries are in order, and so move on to the new version.
        """
        draft = f"{self._key(model_id)}:draft-{self.token.decode()}"
        with self.ledger.pipeline() as pipe:
            galleries = self._watch(pipe, set(whole) - {model_id})
            with reading(self.session_factory) as session:
                everybody = list(people(session, model_id).items())
                version = max(self._log_top(pipe), outbox.version(session, self.shard) or 0) + 1
            self.ledger.delete(draft)
            for start in range(0, len(everybody), BATCH):
                self.ledger.hset(draft, mapping=as_any(dict(everybody[start : start + BATCH])))
                self.ledger.expire(draft, DRAFT_TTL_S)
            pipe.multi()
            pipe.hset(draft, GALLERY_VERSION_FIELD, version)
            pipe.persist(draft)
            pipe.rename(draft, self._key(model_id))
            change = GalleryChange(version=version, op="reset", model_id=model_id)
            self._finish(pipe, change, galleries)
        self._note(change, row)
        log.info("gallery of %s published anew: %d people, version %d", model_id, len(everybody), version)

    def _watch(self, pipe: Pipeline, models: Iterable[str]) -> list[str]:
        """Watch log and galleries; returns the galleries that are whole, whose version has to move with the log's."""
        wanted = [self._key(model_id) for model_id in sorted(models)]
        pipe.watch(self.log_key, *wanted)  # type: ignore[no-untyped-call]
        return [key for key in wanted if pipe.hexists(key, GALLERY_VERSION_FIELD.decode())]

    def _log_top(self, pipe: Pipeline) -> int:
        """The last version in the log, 0 when there is none. Also right after entries were trimmed or deleted."""
        try:
            return entry_time_ms(pipe.xinfo_stream(self.log_key)["last-generated-id"])
        except redis.exceptions.ResponseError:  # no such key
            return 0

    def _finish(self, pipe: Pipeline, change: GalleryChange, galleries: Iterable[str]) -> None:
        for key in galleries:
            pipe.hset(key, GALLERY_VERSION_FIELD, change.version)
        pipe.xadd(self.log_key, as_any(change.to_fields()), id=f"{change.version}-0", maxlen=keys.GALLERY_LOG_KEPT)
        pipe.execute()

    def _note(self, change: GalleryChange, row: GalleryOutbox | None) -> None:
        """Remember in the database what is out. A crash before this publishes the same change again, one version later."""
        with self.session_factory.begin() as session:
            outbox.note(session, self.shard, change.version, row.id if row else None)
        self.counters.add(f"gallery_{change.op}")
