"""The serving model's key in a shard's ledger, kept equal to the database's row by the shard's gallery publisher.

A ledger that lost its key, or a database that was set back to an older copy, mends itself by that: the database holds, under
numbers above those that workers have seen.
"""

import logging

import redis

from dashboard.database import SessionFactory, reading
from dashboard.gallery import calibration, serving
from worker.protocol import keys
from worker.protocol.entries import BadEntry
from worker.protocol.serving import Serving

log = logging.getLogger(__name__)


def follow(factory: SessionFactory, ledger: redis.Redis, shard: str) -> bool:
    """Write the key where it doesn't say what the row says; True when it was written.

    The row is read after the key and under WATCH, so a recorder that was suspended between reading and writing writes
    nothing old. Raises WatchError when another one was faster.
    """
    key = keys.serving(shard)
    with ledger.pipeline() as pipe:
        pipe.watch(key)  # type: ignore[no-untyped-call]
        raw = pipe.get(key)
        have = _readable(raw) if isinstance(raw, bytes) else None
        with reading(factory) as session:
            row = serving.read(session)
            limits = calibration.limits(session)
        if have is not None and have.revision > row.revision:
            row = _catch_up(factory, have)
        if not row.revision or (have is not None and have.revision == row.revision):
            return False
        want = Serving(revision=row.revision, epoch=row.epoch, model_id=row.model_id, coming=row.coming, limits=limits)
        pipe.multi()
        pipe.set(key, want.to_bytes())
        pipe.execute()
    log.info("shard %s: serving model %s", shard, want.model_dump_json())
    return True


def _readable(raw: bytes) -> Serving | None:
    try:
        return Serving.from_bytes(raw)
    except BadEntry as error:
        log.error("the serving model's key is unreadable and written anew: %s", error)
        return None


def _catch_up(factory: SessionFactory, have: Serving) -> serving.Standing:
    with factory.begin() as session:
        row = serving.locked(session)
        if row.revision < have.revision:
            log.warning("the database knows less of the serving model than the ledger: it is an older copy, and holds")
            row.revision, row.epoch = have.revision + 1, max(row.epoch, have.epoch) + 1
        return serving.standing(row)
