"""The gallery's outbox: changes wait here until every shard has them, and are deleted then.

A row is written in the transaction that changes somebody, and each shard's publisher notes what it has published. Shards
make themselves known in `gallery_shards` before they compare their gallery with the database, so one that is new sees in
that comparison whatever was deleted here before it came.
"""

from collections.abc import Sequence

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from dashboard.database import now_ms
from dashboard.models import GalleryOutbox, GalleryPublication, GalleryShard

SHARD_FORGOTTEN_MS = 30 * 86_400_000
"""Nothing waits for a shard whose publisher wasn't there for so long. If it comes back it compares everything."""


def queue_change(session: Session, op: str, employee_id: str | None, model_id: str) -> None:
    """Have the gallery follow a change of `employee_id`, once the caller's transaction is committed.

    `op` (put, remove, or reset without an employee) tells readers of the table what happened; what is published is the
    state at that moment.
    """
    session.add(GalleryOutbox(op=op, employee_id=employee_id, model_id=model_id, created_ms=now_ms()))


def _waits_for(shard: str):  # type: ignore[no-untyped-def]
    done = (GalleryPublication.outbox_id == GalleryOutbox.id) & (GalleryPublication.shard == shard)
    return ~exists().where(done)


def waiting(session: Session, shard: str, limit: int) -> Sequence[GalleryOutbox]:
    """The oldest changes that the shard hasn't published."""
    return session.scalars(select(GalleryOutbox).where(_waits_for(shard)).order_by(GalleryOutbox.id).limit(limit)).all()


def people_waiting(session: Session, shard: str, model_id: str) -> set[str | None]:
    """Whose change the shard will publish yet."""
    queued = _waits_for(shard) & (GalleryOutbox.model_id == model_id)
    return set(session.scalars(select(GalleryOutbox.employee_id).where(queued)))


def version(session: Session, shard: str) -> int | None:
    """The highest that the shard published; None while it isn't known."""
    return session.scalar(select(GalleryShard.version).where(GalleryShard.shard == shard))


def register(session: Session, shard: str) -> bool:
    """Make the shard known, or seen again; True when it is new. Forgets those that are gone, and what waited for them."""
    known = session.get(GalleryShard, shard)
    if known is None:
        session.add(GalleryShard(shard=shard, version=0, seen_ms=now_ms()))
    else:
        known.seen_ms = now_ms()
    session.flush()
    gone = list(session.scalars(select(GalleryShard).where(GalleryShard.seen_ms < now_ms() - SHARD_FORGOTTEN_MS)))
    for one in gone:
        session.execute(delete(GalleryPublication).where(GalleryPublication.shard == one.shard))
        session.delete(one)
    session.flush()
    _prune(session)
    return known is None


def note(session: Session, shard: str, reached: int, row_id: int | None) -> None:
    """Remember the version that the shard has reached, and the row that was published with it."""
    behind = (GalleryShard.shard == shard) & (GalleryShard.version < reached)
    session.execute(update(GalleryShard).where(behind).values(version=reached))
    if row_id is None or session.get(GalleryOutbox, row_id) is None:
        return
    if session.get(GalleryPublication, (row_id, shard)) is None:
        session.add(GalleryPublication(outbox_id=row_id, shard=shard))
        session.flush()
    _prune(session, row_id)


def _prune(session: Session, row_id: int | None = None) -> None:
    """Delete what all shards have; of two that finish at the same moment, neither may see it: then the next time."""
    published = exists().where(GalleryPublication.outbox_id == GalleryOutbox.id)
    by_this = (GalleryPublication.outbox_id == GalleryOutbox.id) & (GalleryPublication.shard == GalleryShard.shard)
    missing = exists(select(GalleryShard.shard).where(~exists().where(by_this).correlate(GalleryOutbox, GalleryShard)))
    rows = delete(GalleryOutbox).where(published, ~missing.correlate(GalleryOutbox))
    if row_id is not None:
        rows = rows.where(GalleryOutbox.id == row_id)
    session.execute(rows, execution_options={"synchronize_session": False})
