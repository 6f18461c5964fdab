"""While a kiosk takes enrolment pictures, its frames guide, the best wait in Redis, and nobody is judged there."""

from typing import Any

import pytest

from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.fakes import FakeEngine, FixedGallery, KeptDecisions, away, person, sight, taken
from worker.pipeline import Pipeline
from worker.protocol import keys
from worker.protocol.entries import Feedback, KioskEnrolment, pack_fields
from worker.protocol.guided import GOOD_APART_MS, Enrolling, Hint, Pose
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters
from worker.settings import WorkerSettings

STRAIGHT, TO_LEFT, TO_RIGHT, NOBODY = 10, 20, 30, 40
WISH = KioskEnrolment(session="s1", employee_id="e9", name="Somebody New")


class Door:
    def __init__(self, pair: RedisPair, settings: WorkerSettings) -> None:
        sights = {
            STRAIGHT: sight(away(1, 6.0), turn=0.0),
            TO_LEFT: sight(away(1, 6.0), turn=0.3),
            TO_RIGHT: sight(away(1, 6.0), turn=-0.3),
        }
        self.engine = FakeEngine(dict(sights))
        self.engine.frugal = True
        self.pair, self.now_ms = pair, 10_000
        self.pipeline = Pipeline(settings, self.engine, FixedGallery(person(1)), pair.live, KeptDecisions(), Counters())

    def wish(self, wish: KioskEnrolment = WISH) -> None:
        self.pair.live.set(keys.enrolling("s0", "front"), pack_fields(wish.to_fields()), px=60_000)

    def show(self, level: int, times: int = 1, kiosk: str = "front") -> Feedback:
        for _ in range(times):
            self.now_ms += GOOD_APART_MS
            self.pipeline.process([taken(level, self.now_ms, kiosk=kiosk)])
        return fakes.answers(self.pair.live, kiosk)[-1]

    def pictures(self, session: str = "s1") -> dict[bytes, bytes]:
        found: Any = self.pair.live.hgetall(keys.enrol_pictures("s0", session))
        return found

    @property
    def decisions(self) -> list[Any]:
        assert isinstance(self.pipeline.sender, KeptDecisions)
        return self.pipeline.sender.kept


@pytest.fixture
def door(redis_pair: RedisPair, settings: WorkerSettings) -> Door:
    return Door(redis_pair, settings)


def test_three_poses_one_after_the_other(door: Door) -> None:
    door.wish()
    said = door.show(NOBODY)
    assert (said.outcome, said.faces) == (Outcome.ENROLLING, [])
    assert said.enrolling == Enrolling(name="Somebody New", pose=Pose.STRAIGHT, hint=Hint.NO_FACE)
    assert door.show(TO_LEFT).enrolling.hint is Hint.LOOK_STRAIGHT
    assert door.show(STRAIGHT, 2).enrolling.hint is Hint.GOOD
    assert door.show(STRAIGHT).enrolling == Enrolling(name="Somebody New", pose=Pose.LEFT, done=1)
    assert door.show(STRAIGHT).enrolling.hint is Hint.MORE_LEFT
    door.show(TO_LEFT, 3)
    said = door.show(TO_RIGHT, 3)
    assert said.enrolling == Enrolling(name="Somebody New", done=3)
    kept = door.pictures()
    assert set(kept) == {b"state", b"employee_id", b"straight", b"left", b"right"}
    assert kept[b"employee_id"] == b"e9"
    assert Enrolling.model_validate_json(kept[b"state"]) == said.enrolling
    assert kept[b"left"].startswith(b"\xff\xd8")
    ttl: Any = door.pair.live.ttl(keys.enrol_pictures("s0", "s1"))
    assert 0 < ttl <= keys.ENROL_PICTURES_TTL_S


def test_nobody_gets_a_punch_meanwhile(door: Door) -> None:
    door.show(STRAIGHT, 2)
    door.wish()
    for _ in range(6):
        assert door.show(STRAIGHT).outcome is Outcome.ENROLLING
    assert [decision.outcome for decision in door.decisions] == []
    assert door.show(STRAIGHT, 5, kiosk="back").outcome is Outcome.ACCEPTED, "other doors go on"
    door.pair.live.delete(keys.enrolling("s0", "front"))
    assert [door.show(STRAIGHT).outcome for _ in range(3)][-1] is Outcome.ACCEPTED, (
        "from the next frame on it is a door"
    )
    assert {decision.kiosk for decision in door.decisions} == {"front", "back"}


def test_another_worker_goes_on_where_the_first_stopped(door: Door, settings: WorkerSettings) -> None:
    door.wish()
    door.show(STRAIGHT, 3)
    other = Door(door.pair, settings)
    other.now_ms = door.now_ms
    assert other.show(STRAIGHT).enrolling.pose is Pose.LEFT
    door.pipeline.keep_only(set())
    other.show(TO_LEFT, 3)
    assert door.show(STRAIGHT).enrolling.pose is Pose.RIGHT


def test_a_repeat_begins_anew(door: Door) -> None:
    door.wish()
    door.show(STRAIGHT, 3)
    door.wish(WISH.model_copy(update={"session": "s2"}))
    assert door.show(STRAIGHT).enrolling.pose is Pose.STRAIGHT
    assert set(door.pictures("s2")) == {b"state", b"employee_id"}


@pytest.mark.parametrize("value", [b"", b"nonsense", b"{}", pack_fields({"v": b"9", "meta": b"{}"})])
def test_a_wish_that_cannot_be_read_is_passed_over(door: Door, value: bytes) -> None:
    door.pair.live.set(keys.enrolling("s0", "front"), value)
    assert door.show(STRAIGHT).outcome is Outcome.DECIDING
