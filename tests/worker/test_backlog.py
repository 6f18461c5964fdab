"""The backlog on a real ledger: opened, judged, written once, and never in the way of live frames or of each other."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.fakes import FakeEngine, FixedGallery, KeptDecisions, away, axis, jpeg, person, sight, until
from worker.backlog import BUSY_REST, QUIET_S, Backlog, Turns
from worker.pipeline import Pipeline
from worker.protocol import keys
from worker.protocol.backlog import BacklogEntry, Picture, pack
from worker.protocol.connection import connect
from worker.protocol.entries import as_any
from worker.protocol.outcomes import Outcome
from worker.protocol.sealing import key_id, new_key_pair, seal
from worker.protocol.telemetry import Counters
from worker.settings import WorkerSettings

PUBLIC, PRIVATE = new_key_pair()
ANNA, STRANGER, TROUBLE = 10, 20, 30
FRONT = keys.backlog("s0", "front")
SPOOLED_MS = 1_795_478_400_000


class Made:
    def __init__(self, pair: RedisPair, settings: WorkerSettings, name: str = "w1") -> None:
        self.gallery = FixedGallery(person(1))
        shows: dict[int, Any] = {ANNA: sight(away(1, 6.0)), STRANGER: sight(axis(50)), TROUBLE: RuntimeError("no")}
        self.engine, self.counters, self.turns = FakeEngine(shows), Counters(), Turns()
        settings = settings.model_copy(update={"name": name})
        pipeline = Pipeline(settings, self.engine, self.gallery, None, KeptDecisions(), self.counters)
        ledger = connect(pair.ledger_server.url(), name=name)
        self.backlog = Backlog(settings, pipeline, ledger, PRIVATE, self.counters, self.turns)
        self.backlog.kiosks = frozenset({"front", "back"})

    def start(self) -> "Made":
        self.backlog.start()
        return self


@pytest.fixture
def made(redis_pair: RedisPair, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    monkeypatch.setattr("worker.backlog.IDLE_S", 0.02)
    one = Made(redis_pair, settings)
    yield one
    one.backlog.stop()


def entry(level: int = ANNA, kiosk: str = "front", pictures: int = 5, **changes: Any) -> BacklogEntry:
    values = {"presence": "p1", "part": 0, "more": False, "captured_ms": SPOOLED_MS, "key_id": key_id(PUBLIC)}
    values |= {name: value for name, value in changes.items() if name != "sealed"}
    shown = [Picture(500 * number, jpeg(level)) for number in range(pictures)]
    plain = pack(kiosk, str(values["presence"]), int(str(values["part"])), shown)
    return BacklogEntry.model_validate(values | {"sealed": changes.get("sealed") or seal(plain, PUBLIC)})


def add(pair: RedisPair, one: BacklogEntry, kiosk: str = "front") -> None:
    pair.ledger.xadd(keys.backlog("s0", kiosk), as_any(one.to_fields()))


def is_empty(pair: RedisPair, kiosk: str = "front") -> bool:
    key = keys.backlog("s0", kiosk)
    if not pair.ledger.exists(key) or pair.ledger.xlen(key):
        return False
    return pair.ledger.xpending(key, keys.WORKERS_GROUP)["pending"] == 0  # type: ignore[index]


def test_an_entry_becomes_one_late_decision_and_is_gone(any_redis_pair: RedisPair, settings: WorkerSettings) -> None:
    one = Made(any_redis_pair, settings).start()
    add(any_redis_pair, entry(time_uncertain=True))
    until(lambda: is_empty(any_redis_pair))
    one.backlog.stop()
    (decision,) = fakes.decisions(any_redis_pair.ledger)
    assert (decision.outcome, decision.employee_id, decision.late) == (Outcome.ACCEPTED, "e1", True)
    assert decision.time_uncertain
    assert decision.captured_ms == SPOOLED_MS + 1_000, "of the third picture"
    assert decision.snapshot is None


def test_what_is_sent_twice_or_comes_in_parts_has_one_event_id(made: Made, redis_pair: RedisPair) -> None:
    for one in (entry(), entry(), entry(part=1, captured_ms=SPOOLED_MS + 4_000), entry(presence="p2")):
        add(redis_pair, one)
    made.start()
    until(lambda: is_empty(redis_pair))
    found = fakes.decisions(redis_pair.ledger)
    assert len(found) == 4
    assert len({one.event_id for one in found}) == 2


@pytest.mark.parametrize(
    "bad",
    [
        entry(sealed=seal(b"not pictures", PUBLIC)),
        entry(sealed=seal(b"x", new_key_pair()[0])),
        entry(sealed=b"short"),
        entry(sealed=seal(pack("back", "p1", 0, [Picture(0, jpeg(ANNA))]), PUBLIC)),
        entry(sealed=entry().sealed[:-1]),
        entry(sealed=seal(pack("front", "p1", 0, [Picture(0, b"no jpeg"), Picture(9, b"\xff\xd8")]), PUBLIC)),
    ],
)
def test_bad_entries_are_dropped_and_block_nobody(made: Made, redis_pair: RedisPair, bad: BacklogEntry) -> None:
    add(redis_pair, bad)
    redis_pair.ledger.xadd(FRONT, {"v": "9"})
    add(redis_pair, entry(presence="p2"))
    made.start()
    until(lambda: is_empty(redis_pair))
    (decision,) = fakes.decisions(redis_pair.ledger)
    assert decision.presence == "p2"
    assert made.counters["backlog_bad"] + made.counters["backlog_pictures_bad"] >= 2


def test_a_picture_that_breaks_the_engine_is_left_out(made: Made, redis_pair: RedisPair) -> None:
    shown = [Picture(500 * n, jpeg(level)) for n, level in enumerate([ANNA, TROUBLE, ANNA, ANNA])]
    add(redis_pair, entry(sealed=seal(pack("front", "p1", 0, shown), PUBLIC)))
    made.start()
    until(lambda: is_empty(redis_pair))
    assert [one.employee_id for one in fakes.decisions(redis_pair.ledger)] == ["e1"]


def test_another_key_waits_for_its_worker_and_blocks_nobody(
    made: Made, redis_pair: RedisPair, caplog: pytest.LogCaptureFixture
) -> None:
    add(redis_pair, entry(key_id="f" * 16, presence="other"))
    add(redis_pair, entry())
    made.start()
    until(lambda: fakes.decisions(redis_pair.ledger))
    until(lambda: redis_pair.ledger.xlen(FRONT) == 1)
    assert caplog.text.count("ATTENDANCE_SITE_PRIVATE_KEY") == 1
    assert PRIVATE not in caplog.text


def test_without_a_gallery_nobody_is_judged(made: Made, redis_pair: RedisPair) -> None:
    made.gallery.is_ready = False
    add(redis_pair, entry())
    made.start()
    until(lambda: made.engine.looks == 5)
    assert fakes.decisions(redis_pair.ledger) == []
    made.gallery.is_ready = True
    until(lambda: is_empty(redis_pair))
    assert len(fakes.decisions(redis_pair.ledger)) == 1


def test_a_stopped_workers_entry_is_taken_again(made: Made, redis_pair: RedisPair, settings: WorkerSettings) -> None:
    made.gallery.is_ready = False
    add(redis_pair, entry())
    made.start()
    until(lambda: made.engine.looks == 5)
    made.backlog.stop()
    assert redis_pair.ledger.xlen(FRONT) == 1
    again = Made(redis_pair, settings).start()
    until(lambda: is_empty(redis_pair))
    again.backlog.stop()
    assert len(fakes.decisions(redis_pair.ledger)) == 1


def test_a_dead_workers_entry_is_taken_over(
    made: Made, redis_pair: RedisPair, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.backlog.CLAIM_IDLE_MS", 1)
    monkeypatch.setattr("worker.backlog.CLAIM_EVERY_S", 0.05)
    redis_pair.ledger.xgroup_create(FRONT, keys.WORKERS_GROUP, id="0", mkstream=True)
    add(redis_pair, entry())
    assert redis_pair.ledger.xreadgroup(keys.WORKERS_GROUP, "dead", {FRONT: ">"})
    made.start()
    until(lambda: is_empty(redis_pair))
    assert len(fakes.decisions(redis_pair.ledger)) == 1


def test_the_ledger_killed_meanwhile(made: Made, redis_pair: RedisPair) -> None:
    made.gallery.is_ready = False
    add(redis_pair, entry())
    made.start()
    until(lambda: made.engine.looks >= 5)
    redis_pair.ledger_server.kill()
    made.gallery.is_ready = True
    until(lambda: "front" not in made.backlog._own_after)
    redis_pair.ledger_server.start()
    until(lambda: is_empty(redis_pair))
    assert len({one.event_id for one in fakes.decisions(redis_pair.ledger)}) == 1


def test_each_door_gets_its_turn(made: Made, redis_pair: RedisPair) -> None:
    for number in range(3):
        add(redis_pair, entry(presence=f"p{number}"))
    add(redis_pair, entry(STRANGER, "back"), "back")
    made.start()
    until(lambda: is_empty(redis_pair) and is_empty(redis_pair, "back"))
    assert "back" in [one.kiosk for one in fakes.decisions(redis_pair.ledger)][:2]


def test_live_frames_go_first() -> None:
    now = [100.0]
    turns = Turns(lambda: now[0])
    assert turns.may_look()
    with turns.live():
        now[0] += 5
        assert not turns.may_look()
    assert turns.may_look(), "nothing late has been looked at for long"
    turns.late_done(cost_s=0.1)
    now[0] += QUIET_S - 0.01
    assert not turns.may_look()
    now[0] += 0.02
    assert turns.may_look(), "nobody waits"
    with turns.live():
        pass
    turns.late_done(cost_s=0.1)
    for _ in range(8):
        now[0] += 0.1
        with turns.live():
            pass
        assert not turns.may_look()
    now[0] += 0.1 * (BUSY_REST - 8) + 0.001
    with turns.live():
        pass
    assert turns.may_look(), "its bounded share"


def test_a_stop_is_not_held_up_by_live_frames(made: Made, redis_pair: RedisPair) -> None:
    add(redis_pair, entry())
    with made.turns.live():
        made.start()
        until(lambda: redis_pair.ledger.xlen(FRONT) and made.backlog._own_after.get("front", b"") is None)
        made.backlog.stop()
        assert not made.backlog.is_alive()
    assert redis_pair.ledger.xlen(FRONT) == 1
