# ruff: noqa: F811
"""Stored pictures under another model, and enrolment while one is coming; a played worker makes the templates."""

import threading

import pytest
from sqlalchemy import func, select

from dashboard.database import SessionFactory, reading
from dashboard.gallery import reembedding, serving
from dashboard.gallery.reembedding import Done, NobodyAnswers, embed_all
from dashboard.models import EnrolmentPicture, GalleryOutbox, Template
from dashboard.people.employees import withdraw_consent
from tests.dashboard.conftest import MODEL
from tests.dashboard.test_enrolment import VECTOR, enrol, good, person, picture, worker  # noqa: F401 fixtures
from tests.dashboard.test_serving import NEW, begin, switch
from worker.protocol.entries import EnrolReply, EnrolRequest
from worker.protocol.outcomes import Outcome


def both(request: EnrolRequest) -> EnrolReply:
    """The serving model's verdict, or the template that was asked for by name."""
    return good(request, model_id=request.model_id or MODEL)


@pytest.fixture
def pictures(factory: SessionFactory, add_person) -> list[str]:
    with factory.begin() as session:
        for number in range(4):
            add_person(session, f"E-{number}", templates=2)
    with reading(factory) as session:
        return list(serving.pictures_without(session, NEW))


def models_of(factory: SessionFactory) -> set[tuple[str, ...]]:
    """Which models each picture has templates of."""
    with reading(factory) as session:
        rows = session.scalars(select(EnrolmentPicture)).all()
        return {tuple(sorted(one.model_id for one in row.templates)) for row in rows}


def test_every_picture_gets_a_template(redis_pair, factory, worker, pictures) -> None:
    worker.answer = both
    done = dict(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures))
    assert done == dict.fromkeys(pictures, Done.EMBEDDED)
    assert {request.model_id for request in worker.seen} == {NEW}
    assert models_of(factory) == {(NEW, MODEL)}
    with reading(factory) as session:
        queued = select(func.count()).select_from(GalleryOutbox).where(GalleryOutbox.model_id == NEW)
        assert session.scalar(queued) == len(pictures)
    again = dict(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures[:2]))
    assert set(again.values()) == {Done.THERE}


def test_what_the_model_finds_nobody_in(redis_pair, factory, worker, pictures) -> None:
    def answer(request: EnrolRequest) -> EnrolReply:
        return EnrolReply(request_id=request.request_id, model_id=NEW, outcome=Outcome.NO_FACE)

    worker.answer = answer
    assert set(dict(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures)).values()) == {Done.UNUSABLE}
    assert models_of(factory) == {(MODEL,)}


def test_a_worker_that_is_loading_or_gone_is_asked_again(redis_pair, factory, worker, pictures, monkeypatch) -> None:
    monkeypatch.setattr(reembedding, "PAUSE_S", 0.01)
    monkeypatch.setattr(reembedding, "ASK_S", 0.3)
    seen: list[str] = []

    def answer(request: EnrolRequest) -> EnrolReply | bytes:
        seen.append(request.request_id)
        if len(seen) % 3 == 0:
            return EnrolReply(request_id=request.request_id, model_id=NEW, outcome=Outcome.NOT_READY)
        return b"nonsense" if len(seen) % 3 == 1 else both(request)

    worker.answer = answer
    assert set(dict(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures[:3])).values()) == {Done.EMBEDDED}


def test_a_worker_that_answers_by_another_model_is_no_worker(
    redis_pair, factory, worker, pictures, monkeypatch
) -> None:
    """One of an older version, which knows nothing of named models."""
    monkeypatch.setattr(reembedding, "PATIENCE_S", 0.2)
    worker.answer = good
    with pytest.raises(NobodyAnswers, match="update that worker"):
        list(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures))
    assert models_of(factory) == {(MODEL,)}


def test_withdrawn_while_the_worker_thinks(redis_pair, factory, worker, pictures) -> None:
    def answer(request: EnrolRequest) -> EnrolReply:
        with factory.begin() as session:
            for employee_id in session.scalars(select(EnrolmentPicture.employee_id).distinct()).all():
                withdraw_consent(session, employee_id)
        return both(request)

    worker.answer = answer
    assert set(dict(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures)).values()) == {Done.THERE}
    with reading(factory) as session:
        assert session.scalar(select(func.count()).select_from(Template)) == 0


def test_two_commands_embed_the_same_pictures(redis_pair, factory, worker, pictures) -> None:
    worker.answer = both
    said: list[Done] = []

    def run() -> None:
        said.extend(dict(embed_all(factory, {"s0": redis_pair.live}, NEW, pictures)).values())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(said) == sorted([Done.EMBEDDED] * len(pictures) + [Done.THERE] * len(pictures))
    assert models_of(factory) == {(NEW, MODEL)}


# --- enrolment meanwhile ---------------------------------------------------------------------------------------------


def test_who_is_enrolled_meanwhile_is_embedded_by_both(factory, worker, enrol) -> None:
    worker.answer = both
    begin(factory)
    assert enrol(picture()).stored
    assert [request.model_id for request in worker.seen] == [None, NEW]
    assert models_of(factory) == {(NEW, MODEL)}
    with reading(factory) as session:
        assert set(session.scalars(select(GalleryOutbox.model_id))) == {MODEL, NEW}
    assert switch(factory), "nothing is left to be embedded"


def test_without_the_coming_model_they_are_enrolled_all_the_same(factory, worker, enrol) -> None:
    """The swap looks after that picture: it doesn't switch before it is embedded."""

    def answer(request: EnrolRequest) -> EnrolReply:
        if request.model_id:
            return EnrolReply(request_id=request.request_id, model_id=NEW, outcome=Outcome.NOT_READY)
        return good(request)

    worker.answer = answer
    begin(factory)
    assert enrol(picture()).stored
    assert models_of(factory) == {(MODEL,)}
    assert switch(factory) is None


def test_a_switch_between_verdict_and_storing(factory, worker, enrol) -> None:
    def answer(request: EnrolRequest) -> EnrolReply:
        if request.model_id is None:  # the old model judges, and before it is stored the new one serves
            begin(factory)
            assert switch(factory)
        return both(request)

    worker.answer = answer
    assert enrol(picture()).stored
    assert models_of(factory) == {(NEW, MODEL)}


def test_a_switch_that_nobody_can_follow_stores_nothing(factory, worker, enrol) -> None:
    def answer(request: EnrolRequest) -> EnrolReply:
        if request.model_id is None:
            begin(factory)
            assert switch(factory)
            return good(request)
        return EnrolReply(request_id=request.request_id, model_id=NEW, outcome=Outcome.NOT_READY, reason="loading")

    worker.answer = answer
    result = enrol(picture())
    assert (result.outcome, result.stored) == (Outcome.NOT_READY, False)
    assert "loading" in result.words
    assert models_of(factory) == set()


def test_the_serving_models_verdict_is_enough_after_a_swap(factory, worker, enrol) -> None:
    begin(factory)
    switch(factory)
    worker.answer = lambda request: good(request, model_id=NEW)
    assert enrol(picture()).stored
    assert len(worker.seen) == 1
    assert models_of(factory) == {(NEW,)}
