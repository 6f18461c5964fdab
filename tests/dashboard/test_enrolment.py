"""Enrolment with a played worker on real Redis: only good verdicts store anything."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from dashboard.database import SessionFactory, reading
from dashboard.enrolling.enrolment import Wish, delete_picture, enrol_picture, enrol_pictures
from dashboard.enrolling.enrolment_words import Refusal, words_for
from dashboard.enrolling.worker_requests import ask_worker
from dashboard.models import EnrolmentPicture, GalleryOutbox, Template
from dashboard.people.employees import create_employee, deactivate, withdraw_consent
from tests.dashboard.conftest import MODEL
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import (
    BadEntry,
    EnrolReply,
    EnrolRequest,
    pack_fields,
    unpack_fields,
)
from worker.protocol.outcomes import Outcome

VECTOR = np.linspace(-1, 1, 128).astype("<f4").tobytes()


@dataclass
class PlayedWorker:
    """Answers each request with `answer(request)`: an EnrolReply, or bytes as they are."""

    answer: Callable[[EnrolRequest], EnrolReply | bytes]
    seen: list[EnrolRequest] = field(default_factory=list)


def good(request: EnrolRequest, **changes: object) -> EnrolReply:
    values = {"outcome": Outcome.ENROLLED, "model_id": MODEL, "template": VECTOR, "quality": {"face_px": 210.0}}
    return EnrolReply.model_validate({"request_id": request.request_id, **values, **changes})


@pytest.fixture
def worker(redis_pair) -> Iterator[PlayedWorker]:
    played, stop = PlayedWorker(good), threading.Event()
    client = connect(redis_pair.live_server.url(), name="played-worker")

    def play() -> None:
        after = b"0-0"
        while not stop.is_set():
            for _, entries in client.xread({keys.requests("s0"): after}, block=50):
                for entry_id, fields in entries:
                    after = entry_id
                    request = EnrolRequest.from_fields(fields)
                    played.seen.append(request)
                    answer = played.answer(request)
                    raw = answer if isinstance(answer, bytes) else pack_fields(answer.to_fields())
                    client.rpush(keys.reply("s0", request.request_id), raw)

    thread = threading.Thread(target=play)
    thread.start()
    yield played
    stop.set()
    thread.join(10)
    client.close()


def picture(shade: int = 100) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def person(factory: SessionFactory) -> str:
    with factory.begin() as session:
        return create_employee(session, "E-1", "Somebody", consent_by="hr", now_ms=1).id


@pytest.fixture
def enrol(factory, settings, redis_pair, person):
    def enrol(data: bytes, employee_id: str = person, **more):
        return enrol_picture(factory, redis_pair.live, settings, employee_id, data, **more)

    return enrol


def stored(factory: SessionFactory) -> tuple[int, int, int]:
    """Pictures, templates, queued gallery changes."""
    with reading(factory) as session:
        tables = (EnrolmentPicture, Template, GalleryOutbox)
        return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_a_good_picture_is_stored_with_its_template(factory, worker, enrol, person) -> None:
    result = enrol(picture(), by="hr")
    assert (result.outcome, result.stored, result.quality) == (Outcome.ENROLLED, True, {"face_px": 210.0})
    [request] = worker.seen
    assert request.employee_id == person
    with reading(factory) as session:
        row = session.get_one(EnrolmentPicture, result.picture_id)
        assert (row.jpeg, row.created_by) == (request.jpeg, "hr")
        assert [(t.model_id, t.vector) for t in row.templates] == [(MODEL, VECTOR)]
        change = session.scalars(select(GalleryOutbox)).one()
        assert (change.op, change.employee_id, change.model_id) == ("put", person, MODEL)


@pytest.mark.parametrize(
    "outcome", [Outcome.NO_FACE, Outcome.SEVERAL_FACES, Outcome.TOO_SMALL, Outcome.BLURRED, Outcome.NOT_READY]
)
def test_a_refused_picture_stores_nothing(factory, worker, enrol, outcome) -> None:
    worker.answer = lambda request: EnrolReply(request_id=request.request_id, outcome=outcome, reason="because")
    result = enrol(picture())
    assert (result.outcome, result.stored) == (outcome, False)
    assert "because" in result.words
    assert stored(factory) == (0, 0, 0)


def test_without_consent_no_worker_sees_the_picture(factory, worker, enrol, person) -> None:
    with factory.begin() as session:
        withdraw_consent(session, person)
    assert enrol(picture()).outcome is Outcome.NO_CONSENT
    assert worker.seen == []
    assert stored(factory) == (0, 0, 0)


def test_consent_withdrawn_while_the_worker_looked(factory, worker, enrol, person) -> None:
    def answer(request: EnrolRequest) -> EnrolReply:
        with factory.begin() as session:
            withdraw_consent(session, person)
        return good(request)

    worker.answer = answer
    assert enrol(picture()).outcome is Outcome.NO_CONSENT
    assert stored(factory) == (0, 0, 0)


def test_deactivated_and_unknown_people_are_refused(factory, worker, enrol, person) -> None:
    with factory.begin() as session:
        deactivate(session, person, 5)
    assert enrol(picture()).outcome is Outcome.INACTIVE
    assert enrol(picture(), employee_id="nobody").outcome is Refusal.NO_SUCH_EMPLOYEE
    assert worker.seen == []


def test_the_same_picture_twice_and_the_sixth(factory, worker, enrol) -> None:
    assert enrol(picture(0)).stored
    again = enrol(picture(0))
    assert (again.outcome, again.stored) == (Refusal.SAME_PICTURE, False)
    assert len(worker.seen) == 1
    for shade in (40, 80, 120, 160):
        assert enrol(picture(shade)).stored
    sixth = enrol(picture(200))
    assert sixth.outcome is Refusal.TOO_MANY_PICTURES
    assert "5 pictures" in sixth.words
    assert stored(factory) == (5, 5, 5)


def test_uploads_of_one_picture_at_the_same_time_store_it_once(factory, worker, enrol) -> None:
    start, results = threading.Barrier(3), []

    def upload() -> None:
        start.wait()
        results.append(enrol(picture()))

    threads = [threading.Thread(target=upload) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(result.stored for result in results) == [False, False, True]
    assert stored(factory) == (1, 1, 1)


def test_a_look_alike_is_named_and_stored_only_on_purpose(factory, worker, enrol) -> None:
    with factory.begin() as session:
        other = create_employee(session, "E-2", "Twin Sibling", consent_by="hr", now_ms=1).id
    worker.answer = lambda request: good(
        request, outcome=Outcome.ALREADY_ENROLLED, similar_employee_id=other, similar_distance=3.0
    )
    result = enrol(picture())
    assert (result.outcome, result.stored) == (Outcome.ALREADY_ENROLLED, False)
    assert (result.similar_code, result.similar_name) == ("E-2", "Twin Sibling")
    assert "Twin Sibling (E-2)" in result.words
    assert stored(factory) == (0, 0, 0)
    assert enrol(picture(), accept_similar=True).stored


@pytest.mark.parametrize("data", [b"", b"not a picture", picture()[:60]])
def test_a_bad_upload_says_so_and_reaches_no_worker(factory, worker, enrol, data) -> None:
    result = enrol(data)
    assert (result.outcome, result.stored) == (Outcome.BAD_FRAME, False)
    assert result.words.endswith(".")
    assert worker.seen == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: b"\xff\x00 nonsense",
        lambda request: b"[]",
        lambda request: b'{"v": "%%%"}',
        lambda request: b'{"v": 1}',
        lambda request: good(request, request_id="another"),
        lambda request: good(request, template=None),
        lambda request: good(request, model_id=None),
        lambda request: good(request, template=np.full(128, np.nan, "<f4").tobytes()),
    ],
)
def test_a_worker_that_answers_nonsense(factory, worker, enrol, answer) -> None:
    worker.answer = answer
    result = enrol(picture())
    assert (result.outcome, result.stored) == (Outcome.NO_WORKER, False)
    assert "could not be read" in result.words
    assert stored(factory) == (0, 0, 0)


def test_nobody_answers(redis_pair) -> None:
    began = time.monotonic()
    reply = ask_worker(redis_pair.live, "s0", b"jpeg", "e1", timeout_s=0.3)
    assert reply.outcome is Outcome.NO_WORKER
    assert 0.25 < time.monotonic() - began < 3
    assert redis_pair.live.xlen(keys.requests("s0")) == 0, "nobody should judge it later"


def test_redis_is_away() -> None:
    reply = ask_worker(connect("redis://127.0.0.1:1/0", name="test"), "s0", b"jpeg", "e1", timeout_s=1)
    assert reply.outcome is Outcome.NO_WORKER
    assert "Redis is away" in (reply.reason or "")


def test_a_deleted_picture_takes_its_template_along(factory, worker, enrol, person) -> None:
    picture_id = enrol(picture()).picture_id
    with factory.begin() as session:
        assert delete_picture(session, picture_id) == person
    assert stored(factory) == (0, 0, 2)
    with factory.begin() as session:
        assert delete_picture(session, picture_id) is None


def test_every_outcome_has_words() -> None:
    for outcome in [*Outcome, *Refusal]:
        assert words_for(outcome).endswith(".")


def test_packed_fields_come_back_as_they_were() -> None:
    fields = {"v": b"1", "meta": b"{}", "template": bytes(range(256))}
    assert unpack_fields(pack_fields(fields)) == {name.encode(): value for name, value in fields.items()}
    with pytest.raises(BadEntry, match="JSON object"):
        unpack_fields(b"3")


def test_somebody_else_among_the_pictures_of_one_step(factory, worker, redis_pair, settings, person) -> None:
    def one_of_two_people(request: EnrolRequest) -> EnrolReply:
        vector = np.zeros(128, "<f4")
        vector[0 if len(worker.seen) != 2 else 1] = 10
        return good(request, template=vector.tobytes(), other_person=11.0)

    worker.answer = one_of_two_people
    wish = Wish(person, "hr")
    results = enrol_pictures(factory, redis_pair.live, settings, wish, [picture(shade) for shade in (10, 20, 30)])
    assert [one.outcome for one in results] == [Refusal.NOT_ALONE, Refusal.OTHER_FACE, Refusal.NOT_ALONE]
    assert stored(factory) == (0, 0, 0)
    assert enrol_pictures(factory, redis_pair.live, settings, wish, [picture(20)])[0].stored, "alone it is taken"


def test_a_template_of_another_size_than_the_models_others(factory, worker, enrol) -> None:
    assert enrol(picture()).stored
    worker.answer = lambda request: good(request, template=bytes(4 * 256))
    before = stored(factory)
    result = enrol(picture(90))
    assert (result.outcome, result.stored) == (Outcome.NOT_READY, False)
    assert f"a template of 256 numbers came for {MODEL}, whose others have 128" in result.words
    assert stored(factory) == before
