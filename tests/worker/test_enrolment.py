"""Enrolment pictures in, verdicts out, over a real Redis."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import RedisPair
from tests.worker.fakes import MODEL, RIGHT, FakeEngine, FixedGallery, away, axis, jpeg, person, sight, until
from worker.enrolment import EnrolmentService
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import EnrolReply, EnrolRequest, as_any, unpack_fields
from worker.protocol.guided import Hint, Pose
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters
from worker.settings import WorkerSettings

NEW, ANNA, NOBODY, CROWD, BLURRED, TROUBLE = 10, 20, 30, 40, 50, 60


@pytest.fixture
def service(
    redis_pair: RedisPair, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EnrolmentService]:
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)  # each test waits for the end of one
    engine = FakeEngine(
        {
            NEW: sight(axis(9)),
            ANNA: sight(away(1, 5.0)),
            CROWD: sight(others=[RIGHT], several=True),
            BLURRED: sight(fault=Outcome.BLURRED),
            TROUBLE: RuntimeError("the network fell over"),
        }
    )
    live = connect(redis_pair.live_server.url(), name="enrolment")
    one = EnrolmentService(settings, engine, FixedGallery(person(1)), live, Counters())
    one.start()
    yield one
    one.stop()


def request(pair: RedisPair, data: bytes, request_id: str = "r1", employee_id: str | None = None, **more: Any) -> None:
    body = EnrolRequest(request_id=request_id, employee_id=employee_id, jpeg=data, **more)
    pair.live.xadd(keys.requests("s0"), as_any(body.to_fields()))


def reply(pair: RedisPair, request_id: str = "r1") -> EnrolReply:
    answer: Any = pair.live.blpop([keys.reply("s0", request_id)], timeout=4)
    assert answer, "no reply"
    return EnrolReply.from_fields(unpack_fields(answer[1]))


def ask(pair: RedisPair, level: int, **other: Any) -> EnrolReply:
    request(pair, jpeg(level), **other)
    return reply(pair)


def test_a_new_face_gets_a_template(redis_pair: RedisPair, service: EnrolmentService) -> None:
    said = ask(redis_pair, NEW)
    assert (said.outcome, said.model_id, said.faces) == (Outcome.ENROLLED, MODEL, 1)
    assert said.template is not None
    np.testing.assert_allclose(np.frombuffer(said.template, "<f4"), axis(9), atol=1e-6)
    assert set(said.quality) == {"face_px", "sharpness", "brightness", "yaw"}
    assert said.box is not None
    assert said.similar_employee_id is None
    assert said.other_person == pytest.approx(11.0), "a tenth more than the loosest threshold"


def test_somebody_elses_face_is_told(redis_pair: RedisPair, service: EnrolmentService) -> None:
    said = ask(redis_pair, ANNA, employee_id="e7")
    assert said.outcome is Outcome.ALREADY_ENROLLED
    assert (said.similar_employee_id, said.similar_name) == ("e1", "Person 1")
    assert said.similar_distance == pytest.approx(5, abs=0.01)
    assert said.template is not None  # HR may know better: twins


def test_ones_own_face_again_is_fine(redis_pair: RedisPair, service: EnrolmentService) -> None:
    assert ask(redis_pair, ANNA, employee_id="e1").outcome is Outcome.ENROLLED


@pytest.mark.parametrize(
    ("level", "outcome", "faces"),
    [(NOBODY, Outcome.NO_FACE, 0), (CROWD, Outcome.SEVERAL_FACES, 2), (BLURRED, Outcome.BLURRED, 1)],
)
def test_faces_that_cant_be_enrolled(
    redis_pair: RedisPair, service: EnrolmentService, level: int, outcome: Outcome, faces: int
) -> None:
    said = ask(redis_pair, level)
    assert (said.outcome, said.faces, said.template) == (outcome, faces, None)


@pytest.mark.parametrize("data", [b"no picture", jpeg(NEW)[:-2], jpeg(NEW, 20, 20), jpeg(NEW, 5000, 4000)])
def test_what_is_no_usable_picture_is_told(redis_pair: RedisPair, service: EnrolmentService, data: bytes) -> None:
    request(redis_pair, data)
    said = reply(redis_pair)
    assert said.outcome is Outcome.BAD_FRAME
    assert said.reason


def test_the_engines_failure_is_answered_and_outlived(redis_pair: RedisPair, service: EnrolmentService) -> None:
    said = ask(redis_pair, TROUBLE)
    assert said.outcome is Outcome.BAD_FRAME
    assert "failed" in (said.reason or "")
    assert ask(redis_pair, NEW).outcome is Outcome.ENROLLED


@pytest.mark.parametrize(
    ("level", "hint"), [(NEW, Hint.GOOD), (NOBODY, Hint.NO_FACE), (CROWD, Hint.SEVERAL_FACES), (BLURRED, Hint.BLURRED)]
)
def test_a_frame_of_a_guided_enrolment_gets_a_hint_and_no_template(
    redis_pair: RedisPair, service: EnrolmentService, level: int, hint: Hint
) -> None:
    said = ask(redis_pair, level, pose=Pose.STRAIGHT, deadline_ms=2_000)
    assert (said.outcome, said.hint, said.template) == (Outcome.DECIDING, hint, None)
    assert (said.score is not None) == (hint is Hint.GOOD)


def test_a_frame_that_waited_too_long_is_not_looked_at(redis_pair: RedisPair, service: EnrolmentService) -> None:
    late = EnrolRequest(request_id="late", jpeg=jpeg(NEW), pose=Pose.STRAIGHT, deadline_ms=1)
    redis_pair.live.xadd(keys.requests("s0"), as_any(late.to_fields()), id="1-1")
    assert ask(redis_pair, NEW, pose=Pose.LEFT).hint is Hint.MORE_LEFT
    assert redis_pair.live.llen(keys.reply("s0", "late")) == 0
    assert service.counters["requests_stale"] == 1


def test_nobody_is_enrolled_without_a_gallery(redis_pair: RedisPair, service: EnrolmentService) -> None:
    """Look-alikes couldn't be found."""
    assert isinstance(service.model.gallery, FixedGallery)
    service.model.gallery.is_ready = False
    said = ask(redis_pair, NEW)
    assert (said.outcome, said.template) == (Outcome.NOT_READY, None)


def test_a_hostile_request_is_counted_and_passed_over(redis_pair: RedisPair, service: EnrolmentService) -> None:
    for fields in (
        {"x": "y"},
        {"v": "1", "meta": "[" * 9_000},
        {"v": "1", "meta": '{"request_id": "a b"}', "jpeg": "x"},
    ):
        redis_pair.live.xadd(keys.requests("s0"), fields)  # type: ignore[arg-type]
    assert ask(redis_pair, NEW).outcome is Outcome.ENROLLED
    assert service.counters["requests_bad"] == 3
    assert redis_pair.live.xlen(keys.requests("s0")) == 0  # no picture of a face lies about


def test_requests_waiting_before_the_first_worker_are_answered(redis_pair: RedisPair, settings: WorkerSettings) -> None:
    request(redis_pair, jpeg(NEW))
    service = EnrolmentService(settings, FakeEngine({NEW: sight(axis(9))}), FixedGallery(), redis_pair.live, Counters())
    service.step()  # makes the group
    service.step()
    assert reply(redis_pair).outcome is Outcome.ENROLLED


def test_a_lost_group_is_made_again(redis_pair: RedisPair, service: EnrolmentService) -> None:
    assert ask(redis_pair, NEW).outcome is Outcome.ENROLLED
    redis_pair.live.flushall()
    assert ask(redis_pair, NEW).outcome is Outcome.ENROLLED


def test_a_killed_and_restarted_server_loses_the_group_and_not_the_service(
    redis_pair: RedisPair, service: EnrolmentService
) -> None:
    assert ask(redis_pair, NEW).outcome is Outcome.ENROLLED
    redis_pair.live_server.kill()
    redis_pair.live_server.start()
    assert ask(redis_pair, NEW).outcome is Outcome.ENROLLED


def test_a_reply_nobody_fetches_goes_away(redis_pair: RedisPair, service: EnrolmentService) -> None:
    request(redis_pair, jpeg(NEW))
    key = keys.reply("s0", "r1")
    until(lambda: redis_pair.live.exists(key))
    assert 0 < redis_pair.live.ttl(key) <= keys.REPLY_TTL_S


def test_each_request_is_answered_by_one_worker(
    redis_pair: RedisPair, service: EnrolmentService, settings: WorkerSettings
) -> None:
    make: Callable[[], Any] = lambda: connect(redis_pair.live_server.url(), name="w2")  # noqa: E731
    other = EnrolmentService(
        settings.model_copy(update={"name": "w2"}), service.model.engine, service.model.gallery, make(), Counters()
    )
    other.start()
    try:
        for i in range(12):
            request(redis_pair, jpeg(NEW), request_id=f"r{i}")
        for i in range(12):
            assert reply(redis_pair, f"r{i}").outcome is Outcome.ENROLLED
            assert not redis_pair.live.exists(keys.reply("s0", f"r{i}"))
    finally:
        other.stop()
    assert service.counters["enrolment_enrolled"] + other.counters["enrolment_enrolled"] == 12
