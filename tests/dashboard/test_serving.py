"""The row that says which model serves: one swap at a time, nobody between two models, and the ledger's key after it."""

import threading
from collections.abc import Callable

import pytest
import redis
from sqlalchemy import select, update

from dashboard.database import SessionFactory, reading
from dashboard.gallery import serving, serving_key
from dashboard.gallery.publisher import Publisher
from dashboard.gallery.serving import Standing, SwapError
from dashboard.models import EnrolmentPicture, ServingModel, Template
from dashboard.people.employees import deactivate, withdraw_consent
from tests.dashboard.conftest import MODEL
from tests.dashboard.support import until
from tests.dashboard.test_publisher import names
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import new_id
from worker.protocol.serving import Serving

NEW = "resnet50-triplet-0123456789ab"
OTHER = "resnet50-triplet-ba9876543210"
VECTOR = b"\x00\x00\x20\x41" * 128
Add = Callable[..., str]


def now(factory: SessionFactory) -> Standing:
    with reading(factory) as session:
        return serving.read(session)


def begin(factory: SessionFactory, target: str = NEW, token: str = "t1") -> Standing:
    with factory.begin() as session:
        return serving.begin(session, target, token)


def switch(factory: SessionFactory, token: str = "t1", leave_out: set[str] | None = None) -> Standing | None:
    with factory.begin() as session:
        return serving.switch(session, token, MODEL, leave_out or set())


def embed_all(factory: SessionFactory, model_id: str = NEW) -> None:
    with reading(factory) as session:
        left = serving.pictures_without(session, model_id)
    for picture_id in left:
        with factory.begin() as session:
            assert serving.store_template(session, picture_id, model_id, VECTOR)


@pytest.fixture
def people(factory: SessionFactory, add_person: Add) -> list[str]:
    with factory.begin() as session:
        return [add_person(session, f"E-{number}", templates=2) for number in range(3)]


def test_a_swap_and_back(factory: SessionFactory, people: list[str]) -> None:
    assert now(factory) == Standing()
    assert begin(factory) == Standing(coming=NEW, revision=1)
    assert switch(factory) is None, "six pictures have no template of it"
    embed_all(factory)
    assert switch(factory) == Standing(NEW, MODEL, None, 1, 2) == now(factory)
    begin(factory, MODEL, "t2")
    assert switch(factory, "t2") == Standing(MODEL, NEW, None, 2, 4), "nobody was enrolled meanwhile: at once"


def test_pictures_without_a_face_are_left_out_by_name(factory: SessionFactory, people: list[str]) -> None:
    begin(factory)
    with reading(factory) as session:
        first, *others = serving.pictures_without(session, NEW)
    for picture_id in others:
        with factory.begin() as session:
            serving.store_template(session, picture_id, NEW, VECTOR)
    assert switch(factory) is None
    assert switch(factory, leave_out={first}) is not None
    with reading(factory) as session:
        assert serving.people_unknown_to(session, NEW) == [], "that person has another picture"


def test_two_commands_at_once(factory: SessionFactory) -> None:
    begin(factory)
    with pytest.raises(SwapError, match=f"another command is bringing {NEW} in"):
        begin(factory, token="t2")
    with pytest.raises(SwapError, match="another command"):
        begin(factory, OTHER, "t2")
    with pytest.raises(SwapError, match="another command"), factory.begin() as session:
        serving.cancel(session)
    with factory.begin() as session:  # killed: its time runs out
        session.execute(update(ServingModel).values(held_until_ms=1))
    with pytest.raises(SwapError, match=r"half brought in: go on with .*attendance model cancel"):
        begin(factory, OTHER, "t2")
    assert begin(factory, token="t2").revision == 1, "going on changes nothing that workers see"
    with pytest.raises(SwapError, match="taken over by another"):
        switch(factory, "t1")
    with factory.begin() as session:
        serving.let_go(session, "t1")
        serving.hold_on(session, "t2")
        serving.let_go(session, "t2")
    with factory.begin() as session:
        assert serving.cancel(session) == NEW
        assert serving.cancel(session) is None
    assert now(factory) == Standing(revision=2)


def test_commands_that_begin_in_the_same_moment(factory: SessionFactory) -> None:
    said: list[Standing | SwapError] = []
    start = threading.Barrier(6)

    def run(token: str) -> None:
        start.wait()
        try:
            said.append(begin(factory, token=token))
        except SwapError as error:
            said.append(error)

    threads = [threading.Thread(target=run, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [one for one in said if isinstance(one, Standing)] == [Standing(coming=NEW, revision=1)]
    assert len(said) == 6


def test_who_is_named(factory: SessionFactory, people: list[str], add_person: Add) -> None:
    with factory.begin() as session:
        add_person(session, "N-1", templates=0)
        gone = add_person(session, "N-2", templates=0)
        deactivate(session, gone, 1)
        withdrawn = add_person(session, "N-3", templates=0)
        withdraw_consent(session, withdrawn)
    with reading(factory) as session:
        assert serving.people_without_picture(session) == [("N-1", "Name of N-1")]
        unknown = [code for code, _ in serving.people_unknown_to(session, NEW)]
        assert unknown == ["E-0", "E-1", "E-2"]
    with factory.begin() as session:
        deactivate(session, people[0], 1)
    embed_all(factory)
    with reading(factory) as session:
        query = select(Template.id).join(EnrolmentPicture)
        mine = (EnrolmentPicture.employee_id == people[0], Template.model_id == NEW)
        assert len(session.scalars(query.where(*mine)).all()) == 2, "who is reactivated later is known too"


def test_a_template_is_stored_once_and_only_for_who_agreed(factory: SessionFactory, people: list[str]) -> None:
    with reading(factory) as session:
        mine = EnrolmentPicture.employee_id == people[0]
        first, second = session.scalars(select(EnrolmentPicture.id).where(mine)).all()
    for expected in (True, False):
        with factory.begin() as session:
            assert serving.store_template(session, first, NEW, VECTOR) is expected
    with factory.begin() as session:
        withdraw_consent(session, people[0])
    with factory.begin() as session:
        assert not serving.store_template(session, second, NEW, VECTOR)
        assert not serving.store_template(session, new_id(), NEW, VECTOR)


# --- the galleries of both, and the key ------------------------------------------------------------------------------


@pytest.fixture
def publisher(redis_pair, factory: SessionFactory):
    ledger = connect(redis_pair.ledger_server.url(), name="publisher")
    yield Publisher(factory, ledger, "s0")
    ledger.close()


def key(redis_pair) -> Serving | None:
    raw = redis_pair.ledger.get(keys.serving("s0"))
    return Serving.from_bytes(raw) if raw is not None else None


def test_both_galleries_follow_what_happens_to_people(redis_pair, factory, publisher, people) -> None:
    begin(factory)
    embed_all(factory)
    until(lambda: publisher.step() == 0)
    galleries = [keys.gallery("s0", model) for model in (MODEL, NEW)]
    everybody = ["Name of E-0", "Name of E-1", "Name of E-2"]
    assert [names(redis_pair.ledger, one) for one in galleries] == [everybody, everybody]
    with reading(factory) as session:
        assert serving.unpublished(session, NEW) == 0
    with factory.begin() as session:
        deactivate(session, people[0], 1)
        withdraw_consent(session, people[1])
    until(lambda: publisher.step() == 0)
    assert [names(redis_pair.ledger, one) for one in galleries] == [["Name of E-2"], ["Name of E-2"]]
    assert switch(factory)
    with factory.begin() as session:
        withdraw_consent(session, people[2])
    until(lambda: publisher.step() == 0)
    assert [names(redis_pair.ledger, one) for one in galleries] == [[], []]


def test_the_key_is_written_when_there_is_something_to_say(redis_pair, factory, publisher) -> None:
    publisher.step()
    assert key(redis_pair) is None, "a site that never swaps has no key"
    begin(factory)
    publisher.step()
    assert key(redis_pair) == Serving(revision=1, epoch=0, coming=NEW)
    switch(factory)
    publisher.step()
    assert key(redis_pair) == Serving(revision=2, epoch=1, model_id=NEW)


@pytest.mark.parametrize("raw", [None, b"", b"{}", b'{"revision": 1, "epoch": 0}'])
def test_a_lost_damaged_or_old_key_is_written_anew(redis_pair, factory, publisher, raw: bytes | None) -> None:
    begin(factory)
    switch(factory)
    if raw is not None:
        redis_pair.ledger.set(keys.serving("s0"), raw)
    publisher.step()
    assert key(redis_pair) == Serving(revision=2, epoch=1, model_id=NEW)


def test_an_older_copy_of_the_database_holds_under_new_numbers(redis_pair, factory, publisher) -> None:
    begin(factory)
    redis_pair.ledger.set(keys.serving("s0"), Serving(revision=9, epoch=5, model_id=OTHER).to_bytes())
    publisher.step()
    assert key(redis_pair) == Serving(revision=10, epoch=6, coming=NEW)
    assert now(factory) == Standing(coming=NEW, epoch=6, revision=10)


def test_a_suspended_publisher_writes_nothing_old(redis_pair, factory, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(factory)
    read = serving.read

    def suspended(session) -> Standing:
        monkeypatch.setattr(serving, "read", read)
        old = read(session)
        redis_pair.ledger.set(keys.serving("s0"), Serving(revision=2, epoch=1, model_id=NEW).to_bytes())
        return old

    monkeypatch.setattr(serving, "read", suspended)
    with pytest.raises(redis.exceptions.WatchError):
        serving_key.follow(factory, redis_pair.ledger, "s0")
    assert key(redis_pair) == Serving(revision=2, epoch=1, model_id=NEW)


def test_a_models_templates_are_all_of_one_size(factory: SessionFactory, people: list[str]) -> None:
    """The first says which; another model may have another."""
    with factory() as session:
        first, second = (picture_id for picture_id in serving.pictures_without(session, NEW)[:2])
    wide = bytes(4 * 256)
    with factory.begin() as session:
        assert serving.store_template(session, first, NEW, wide)
    with factory.begin() as session, pytest.raises(serving.WrongSize, match=r"128 numbers came for .*others have 256"):
        serving.store_template(session, second, NEW, VECTOR)
    with factory.begin() as session:
        assert serving.store_template(session, second, NEW, wide)
