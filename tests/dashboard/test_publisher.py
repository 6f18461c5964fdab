"""The gallery's publisher on real Redis: complete, gapless, soon, and never bringing back who was removed."""

import threading
from collections.abc import Callable, Iterator

import pytest
import redis
from sqlalchemy import func, select

from dashboard.background import keep_going
from dashboard.database import SessionFactory, reading
from dashboard.gallery import outbox
from dashboard.gallery import publisher as publisher_module
from dashboard.gallery.publisher import ModelsInUse, Publisher
from dashboard.models import GalleryOutbox, GalleryPublication, GalleryShard
from dashboard.people.employees import deactivate, reactivate, update_employee, withdraw_consent
from tests.dashboard.conftest import MODEL
from tests.dashboard.support import until
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import GALLERY_VERSION_FIELD, GalleryChange, GalleryPerson, entry_time_ms
from worker.protocol.heartbeats import Heart

SHARD = "s0"
KEY = keys.gallery(SHARD, MODEL)
LOG = keys.gallery_log(SHARD)
OTHER = "resnet50-triplet-0123456789ab"


@pytest.fixture
def publisher(redis_pair, factory: SessionFactory) -> Iterator[Publisher]:
    ledger = connect(redis_pair.ledger_server.url(), name="publisher")
    yield Publisher(factory, ledger, SHARD)
    ledger.close()


@pytest.fixture
def person(factory: SessionFactory, add_person: Callable[..., str]) -> str:
    with factory.begin() as session:
        return add_person(session, "E-1", templates=2)


def names(ledger: redis.Redis, key: str = KEY) -> list[str]:
    found = ledger.hgetall(key)
    assert GALLERY_VERSION_FIELD in found, "a gallery without its version is not complete"
    people = [GalleryPerson.model_validate_json(v) for k, v in found.items() if k != GALLERY_VERSION_FIELD]
    return sorted(person.name for person in people)


def version(ledger: redis.Redis, key: str = KEY) -> int:
    return int(ledger.hget(key, GALLERY_VERSION_FIELD.decode()) or 0)


def changes(ledger: redis.Redis) -> list[GalleryChange]:
    """The log; its ids are its versions, and no number is left out."""
    entries = ledger.xrange(LOG)
    found = [GalleryChange.from_fields(fields) for _, fields in entries]
    assert [change.version for change in found] == [entry_time_ms(entry_id) for entry_id, _ in entries]
    first = found[0].version if found else 1
    assert [change.version for change in found] == list(range(first, first + len(found)))
    return found


def waiting(factory: SessionFactory) -> int:
    with reading(factory) as session:
        return len(outbox.waiting(session, SHARD, 1_000))


def publish(publisher: Publisher) -> None:
    until(lambda: publisher.step() == 0)


def test_a_persons_way_through_the_gallery(redis_pair, factory, publisher, person) -> None:
    publish(publisher)
    assert names(redis_pair.ledger) == ["Name of E-1"]
    with factory.begin() as session:
        update_employee(session, person, name="New Name", department="")
    publish(publisher)
    assert names(redis_pair.ledger) == ["New Name"]
    with factory.begin() as session:
        deactivate(session, person, 1)
    publish(publisher)
    assert names(redis_pair.ledger) == []
    with factory.begin() as session:
        reactivate(session, person)
    publish(publisher)
    assert names(redis_pair.ledger) == ["New Name"]
    with factory.begin() as session:
        withdraw_consent(session, person)
    publish(publisher)
    assert names(redis_pair.ledger) == []
    ops = [change.op for change in changes(redis_pair.ledger)]
    assert ops == ["reset", "put", "put", "remove", "put", "remove"]
    assert version(redis_pair.ledger) == len(ops)
    assert waiting(factory) == 0


def test_all_templates_of_the_model_travel(redis_pair, factory, publisher, person) -> None:
    publish(publisher)
    stored = GalleryPerson.model_validate_json(redis_pair.ledger.hget(KEY, person))
    assert stored.employee_id == person
    assert len(stored.templates) == 2


def test_versions_have_no_gaps_where_ids_do(redis_pair, factory, publisher, add_person) -> None:
    for number in range(6):
        with factory() as session:  # rolled back: on PostgreSQL its outbox ids are gone for good
            add_person(session, f"X-{number}")
            session.rollback()
        with factory.begin() as session:
            add_person(session, f"E-{number}")
        publish(publisher)
    assert len(changes(redis_pair.ledger)) == 7
    assert len(names(redis_pair.ledger)) == 6


def test_a_change_that_commits_after_a_later_one_is_not_forgotten(
    database_url, redis_pair, factory, publisher, add_person
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time: ids rise in the order of the commits")
    with factory() as slow:
        add_person(slow, "slow")
        with factory.begin() as quick:
            add_person(quick, "quick")
        publish(publisher)
        assert names(redis_pair.ledger) == ["Name of quick"]
        slow.commit()
    publish(publisher)
    assert names(redis_pair.ledger) == ["Name of quick", "Name of slow"]
    changes(redis_pair.ledger)


def test_nobody_enrolled_is_a_complete_gallery_for_models_that_workers_announce(redis_pair, factory, publisher) -> None:
    models = ModelsInUse(redis_pair.live, SHARD, threading.Event())
    publisher.models = models
    publish(publisher)
    assert redis_pair.ledger.keys("gallery:*") == []
    for model in (MODEL, 7, "", "x" * 300):
        Heart(redis_pair.live, SHARD, "worker", f"w-{str(model)[:9]}", lambda model=model: {"model_id": model}).beat()
    models.look()
    publish(publisher)
    assert names(redis_pair.ledger) == []
    assert redis_pair.ledger.keys("gallery:*") == [KEY.encode()]
    assert [change.op for change in changes(redis_pair.ledger)] == ["reset"]


def test_two_models_move_together(redis_pair, factory, publisher, person, add_person) -> None:
    publish(publisher)
    with factory.begin() as session:
        add_person(session, "E-2", model=OTHER)
    publish(publisher)
    with factory.begin() as session:
        deactivate(session, person, 1)
    publish(publisher)
    other = keys.gallery(SHARD, OTHER)
    assert (names(redis_pair.ledger), names(redis_pair.ledger, other)) == ([], ["Name of E-2"])
    top = changes(redis_pair.ledger)[-1].version
    assert version(redis_pair.ledger) == version(redis_pair.ledger, other) == top


def test_a_wiped_ledger_gets_the_gallery_again(redis_pair, factory, publisher, person) -> None:
    publish(publisher)
    before = version(redis_pair.ledger)
    redis_pair.ledger.flushall()
    publish(publisher)
    assert names(redis_pair.ledger) == ["Name of E-1"]
    assert version(redis_pair.ledger) > before, "workers that remember the old version see a gap and load again"


def test_an_old_copy_of_the_ledger_is_noticed(redis_pair, factory, publisher, person) -> None:
    publish(publisher)
    copies = {key: redis_pair.ledger.dump(key) for key in (KEY, LOG)}
    with factory.begin() as session:
        deactivate(session, person, 1)
    publish(publisher)
    for key, value in copies.items():
        redis_pair.ledger.restore(key, 0, value, replace=True)
    assert names(redis_pair.ledger) == ["Name of E-1"]
    publish(publisher)
    assert names(redis_pair.ledger) == []


def test_taking_over_compares_the_gallery_and_leaves_a_good_one_alone(redis_pair, factory, publisher, person) -> None:
    publish(publisher)
    publisher.release()
    successor = Publisher(factory, redis_pair.ledger, SHARD)
    publish(successor)
    assert [change.op for change in changes(redis_pair.ledger)] == ["reset", "put"]
    successor.release()
    redis_pair.ledger.hset(KEY, "intruder", redis_pair.ledger.hget(KEY, person))
    publish(Publisher(factory, redis_pair.ledger, SHARD))
    assert names(redis_pair.ledger) == ["Name of E-1"]


def test_only_one_publishes_and_another_takes_over_when_it_dies(redis_pair, factory, publisher, person) -> None:
    publish(publisher)
    other = Publisher(factory, redis_pair.ledger, SHARD)
    with factory.begin() as session:
        deactivate(session, person, 1)
    assert other.step() == 0
    assert waiting(factory) == 1
    until(lambda: other.step() > 0, 10)  # the first never renews its lock again
    assert publisher.step() == 0
    assert names(redis_pair.ledger) == []


def test_a_publisher_that_was_suspended_brings_nobody_back(redis_pair, factory, publisher, person, monkeypatch) -> None:
    publish(publisher)
    with factory.begin() as session:
        update_employee(session, person, name="Renamed", department="")
    other, real = Publisher(factory, redis_pair.ledger, SHARD), publisher_module.people

    def read_then_sleep(*arguments: object) -> dict[str, bytes]:
        found = real(*arguments)
        monkeypatch.setattr(publisher_module, "people", real)
        redis_pair.ledger.delete(publisher.lock_key)  # meanwhile its lock runs out …
        with factory.begin() as session:
            deactivate(session, person, 1)
        publish(other)  # … and the person is removed by another
        return found

    monkeypatch.setattr(publisher_module, "people", read_then_sleep)
    publisher.step()
    assert names(redis_pair.ledger) == []
    publish(other)
    publish(publisher)
    assert names(redis_pair.ledger) == []
    assert waiting(factory) == 0
    changes(redis_pair.ledger)


def test_killed_between_redis_and_database_publishes_again_without_a_gap(
    redis_pair, factory, publisher, person, monkeypatch
) -> None:
    publish(publisher)
    with factory.begin() as session:
        deactivate(session, person, 1)

    def die(*_: object) -> None:
        raise SystemError("the power went")

    monkeypatch.setattr(publisher, "_note", die)
    with pytest.raises(SystemError):
        publisher.step()
    publisher.release()
    publish(Publisher(factory, redis_pair.ledger, SHARD))
    assert [change.op for change in changes(redis_pair.ledger)] == ["reset", "put", "remove", "remove"]
    assert names(redis_pair.ledger) == []
    assert waiting(factory) == 0


def test_a_deactivation_is_out_within_two_seconds_and_the_ledger_may_restart(
    redis_pair, factory, publisher, person
) -> None:
    stop = threading.Event()
    loop = threading.Thread(target=keep_going, args=(publisher.step, stop, "publisher", publisher_module.POLL_S))
    loop.start()
    try:
        until(lambda: redis_pair.ledger.hexists(KEY, person))
        with factory.begin() as session:
            deactivate(session, person, 1)
        until(lambda: not redis_pair.ledger.hexists(KEY, person), 2)
        assert changes(redis_pair.ledger)[-1].op == "remove"
        redis_pair.ledger_server.kill()
        with factory.begin() as session:
            reactivate(session, person)
        redis_pair.ledger_server.start()
        until(lambda: redis_pair.ledger.hexists(KEY, person))
        until(lambda: waiting(factory) == 0)
    finally:
        stop.set()
        loop.join(30)
    changes(redis_pair.ledger)


def test_a_spoiled_template_keeps_nobody_else_out(redis_pair, factory, publisher, person, add_person) -> None:
    from dashboard.models import Template

    with factory.begin() as session:
        add_person(session, "E-2")
        session.scalars(select(Template).order_by(Template.id.desc())).first().vector = b"short"
    publish(publisher)
    assert names(redis_pair.ledger) == ["Name of E-1"]


def kept(factory: SessionFactory) -> tuple[int, int]:
    """How many changes, and how many notes on them, the database holds."""
    with reading(factory) as session:
        return (
            session.scalar(select(func.count()).select_from(GalleryOutbox)) or 0,
            session.scalar(select(func.count()).select_from(GalleryPublication)) or 0,
        )


def test_what_is_published_is_not_kept(factory, publisher, person) -> None:
    publish(publisher)
    assert kept(factory) == (0, 0)
    with factory.begin() as session:
        deactivate(session, person, 1)
    assert kept(factory) == (1, 0)
    publish(publisher)
    assert kept(factory) == (0, 0)
    with reading(factory) as session:
        assert outbox.version(session, SHARD) == 3


def test_a_change_is_kept_until_every_shard_has_it(redis_pair, factory, publisher, person) -> None:
    other = Publisher(factory, redis_pair.ledger, "s1")
    publish(publisher)
    publish(other)  # new: it compares everything, whatever was deleted before it came
    there = keys.gallery("s1", MODEL)
    assert names(redis_pair.ledger, there) == names(redis_pair.ledger) == ["Name of E-1"]
    with factory.begin() as session:
        deactivate(session, person, 1)
    publish(publisher)
    assert (names(redis_pair.ledger), names(redis_pair.ledger, there)) == ([], ["Name of E-1"])
    assert kept(factory) == (1, 1)
    publish(other)
    assert names(redis_pair.ledger, there) == []
    assert kept(factory) == (0, 0)
    changes(redis_pair.ledger)
    with factory.begin() as session:
        reactivate(session, person)
    publish(other)
    publish(publisher)
    assert kept(factory) == (0, 0)


def test_nothing_waits_for_a_shard_that_is_gone_and_it_compares_when_it_is_back(
    redis_pair, factory, publisher, person
) -> None:
    gone = Publisher(factory, redis_pair.ledger, "s1")
    publish(publisher)
    publish(gone)
    with factory.begin() as session:
        session.get_one(GalleryShard, "s1").seen_ms -= outbox.SHARD_FORGOTTEN_MS + 1_000
        deactivate(session, person, 1)
    publish(publisher)
    assert kept(factory) == (1, 1)
    publisher._registered_s = float("-inf")
    publish(publisher)
    assert kept(factory) == (0, 0)
    assert names(redis_pair.ledger, keys.gallery("s1", MODEL)) == ["Name of E-1"]
    until(lambda: names(redis_pair.ledger, keys.gallery("s1", MODEL)) == [] or gone.step() < 0)


def test_two_shards_that_finish_together_leave_nothing_behind_for_long(factory, publisher, person) -> None:
    with factory.begin() as session:
        outbox.register(session, SHARD)
        outbox.register(session, "s1")
        (row_id,) = session.scalars(select(GalleryOutbox.id))
        session.add_all([GalleryPublication(outbox_id=row_id, shard=shard) for shard in (SHARD, "s1")])
    assert kept(factory) == (1, 2)
    with factory.begin() as session:
        outbox.register(session, SHARD)
    assert kept(factory) == (0, 0)
