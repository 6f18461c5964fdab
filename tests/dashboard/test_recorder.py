"""The recorder against real Redis and both databases: once, in order, nothing lost, poison out of the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import redis
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from dashboard.background import keep_going
from dashboard.database import SessionFactory, engine_for, reading, session_factory
from dashboard.models import AttendanceEvent, DecisionRecord
from dashboard.recording import recorder as recorder_module
from dashboard.recording.recorder import Recorder
from dashboard.settings import DashboardSettings
from tests.dashboard.support import until
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import Arrival, Decision, Recorded, as_any
from worker.protocol.outcomes import Outcome

SHARD = "s0"
STREAM = keys.decisions(SHARD)


@pytest.fixture
def person(factory: SessionFactory, add_person: Callable[..., str]) -> str:
    with factory.begin() as session:
        return add_person(session, "E-1", templates=0)


@pytest.fixture
def make_recorder(redis_pair, settings: DashboardSettings) -> Iterator[Callable[..., Recorder]]:
    """make_recorder(name): a recorder with connections of its own, as another process has."""
    engines = []

    def make(name: str = "first", live_url: str | None = None) -> Recorder:
        engines.append(engine_for(settings.database))
        live = connect(live_url or redis_pair.live_server.url(), name=name)
        ledger = connect(redis_pair.ledger_server.url(), name=name)
        return Recorder(settings, session_factory(engines[-1]), live, ledger, name)

    yield make
    for engine in engines:
        engine.dispose()


def put(ledger: redis.Redis, decision: Decision) -> bytes:
    return ledger.xadd(STREAM, as_any(decision.to_fields()))


def drain(recorder: Recorder, ledger: redis.Redis) -> None:
    """Step until the stream is empty: everything is acknowledged and gone."""
    until(lambda: recorder.step() == 0 and ledger.xlen(STREAM) == 0)


def count(factory: SessionFactory, model: type) -> int:
    with reading(factory) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def feedback(live: redis.Redis) -> list[Recorded]:
    return [Recorded.from_fields(fields) for _, fields in live.xrange(keys.feedback(SHARD, "front-door"))]


def arrivals(live: redis.Redis) -> list[Arrival]:
    return [Arrival.from_fields(fields) for _, fields in live.xrange(keys.events(SHARD))]


def test_decisions_become_records_and_are_announced(redis_pair, factory, make_recorder, person, make_decision) -> None:
    put(redis_pair.ledger, make_decision(person))
    put(redis_pair.ledger, make_decision())
    put(redis_pair.ledger, make_decision("nobody"))
    recorder = make_recorder()
    drain(recorder, redis_pair.ledger)
    assert (count(factory, DecisionRecord), count(factory, AttendanceEvent)) == (3, 1)
    assert [told.outcome for told in feedback(redis_pair.live)] == [Outcome.RECORDED, Outcome.INACTIVE]
    shown = arrivals(redis_pair.live)
    assert [a.outcome for a in shown] == [Outcome.RECORDED, Outcome.UNKNOWN, Outcome.INACTIVE]
    assert [a.name for a in shown] == ["Name of E-1", None, None]
    assert redis_pair.ledger.xpending(STREAM, keys.RECORDERS_GROUP)["pending"] == 0
    assert recorder.counters.to_dict() == {"recorded": 1, "not_a_punch": 1, "inactive": 1}


def test_who_only_stays_is_written_down_and_no_news(redis_pair, factory, make_recorder, person, make_decision) -> None:
    first = make_decision(person)
    put(redis_pair.ledger, first)
    for seconds in (30, 60, 90):
        again = make_decision(person, captured_ms=first.captured_ms + seconds * 1000, repeats=first.event_id)
        put(redis_pair.ledger, again)
    drain(make_recorder(), redis_pair.ledger)
    assert (count(factory, DecisionRecord), count(factory, AttendanceEvent)) == (4, 1)
    assert len(feedback(redis_pair.live)) == len(arrivals(redis_pair.live)) == 1


def test_killed_between_commit_and_acknowledge_leaves_one_record(
    redis_pair, factory, make_recorder, person, make_decision, monkeypatch
) -> None:
    put(redis_pair.ledger, make_decision(person))
    dying = make_recorder("dying")

    def die(_entry_id: bytes) -> None:
        raise SystemError("the power went")

    monkeypatch.setattr(dying, "_acknowledge", die)
    with pytest.raises(SystemError):
        until(lambda: dying.step() > 0)
    assert redis_pair.ledger.xlen(STREAM) == 1
    monkeypatch.setattr(recorder_module, "CLAIM_IDLE_MS", 1)
    drain(make_recorder("next"), redis_pair.ledger)
    assert (count(factory, DecisionRecord), count(factory, AttendanceEvent)) == (1, 1)
    told = feedback(redis_pair.live)
    assert len(told) == 2, "a redelivery says `recorded` again: the first word may never have left"
    assert told[0] == told[1]


KILL_SCRIPT = """
import os, signal, sys
from dashboard.recording.recorder import Recorder, run
from dashboard.settings import DashboardSettings
Recorder._acknowledge = lambda self, entry_id: os.kill(os.getpid(), signal.SIGKILL)
run(DashboardSettings())
"""


def environment(redis_pair, settings: DashboardSettings) -> dict[str, str]:
    return {
        **os.environ,
        **redis_pair.environment(),
        "ATTENDANCE_DATABASE_URL": settings.database,
        "ATTENDANCE_HOME": str(settings.home),
    }


def test_a_recorder_process_killed_hard_and_its_successor(redis_pair, factory, settings, person, make_decision) -> None:
    put(redis_pair.ledger, make_decision(person))
    env = environment(redis_pair, settings)
    killed = subprocess.run([sys.executable, "-c", KILL_SCRIPT], env=env, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert redis_pair.ledger.xlen(STREAM) == 1
    assert count(factory, AttendanceEvent) == 1
    code = (
        "import sys; from dashboard.recording.recorder import run; from dashboard.settings import *; "
        "sys.exit(run(DashboardSettings()))"
    )
    successor = subprocess.Popen([sys.executable, "-c", code], env=env)
    try:
        until(lambda: redis_pair.ledger.xlen(STREAM) == 0, 30)
    finally:
        successor.terminate()
        assert successor.wait(30) == 0, "SIGTERM is a graceful stop"
    assert (count(factory, DecisionRecord), count(factory, AttendanceEvent)) == (1, 1)
    heart = redis_pair.live.keys(keys.heartbeat(SHARD, "recorder", "*"))
    assert heart, "it shows signs of life"


def test_the_same_event_id_twice(redis_pair, factory, make_recorder, person, make_decision) -> None:
    decision = make_decision(person)
    put(redis_pair.ledger, decision)
    put(redis_pair.ledger, decision)
    recorder = make_recorder()
    drain(recorder, redis_pair.ledger)
    assert count(factory, DecisionRecord) == 1
    assert recorder.counters.to_dict() == {"recorded": 1, "redelivered": 1}
    assert len(feedback(redis_pair.live)) == 2


def test_two_recorders_race_for_one_employee(factory, make_recorder, add_person, make_decision) -> None:
    racers = [make_recorder("left"), make_recorder("right")]
    for number in range(6):
        with factory.begin() as session:
            employee = add_person(session, f"R-{number}", templates=0)
        start, results = threading.Barrier(2), []

        def race(recorder: Recorder, decision: Decision, start=start, results=results) -> None:
            start.wait()
            results.append(recorder._commit(decision, decision.captured_ms))

        threads = [
            threading.Thread(target=race, args=(r, make_decision(employee, kiosk=f"door-{number}"))) for r in racers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(result.status for result in results) == ["duplicate", "recorded"]
    assert count(factory, AttendanceEvent) == 6


def test_two_recorders_race_with_one_event_id(factory, make_recorder, person, make_decision) -> None:
    decision, start, results = make_decision(person), threading.Barrier(2), []

    def race(recorder: Recorder) -> None:
        start.wait()
        results.append(recorder._commit(decision, decision.captured_ms))

    threads = [threading.Thread(target=race, args=(make_recorder(name),)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(result.redelivered for result in results) == [False, True]
    assert count(factory, DecisionRecord) == 1


def meta(text: str) -> dict[str, bytes]:
    return {"v": b"1", "meta": text.encode()}


POISON = {
    "no version": {"meta": b"{}"},
    "another version": {"v": b"99", "meta": b"{}"},
    "no meta": {"v": b"1"},
    "not JSON": {"v": b"1", "meta": b"\xff\x00\xfe{"},
    "a list": meta("[]"),
    "nested without end": meta("[" * 100_000),
    "fields missing": meta('{"event_id": "x"}'),
    "random bytes": {"\x00\xff": os.urandom(64), "v": os.urandom(8)},
    "too large": meta('{"a": "' + "x" * 300_000 + '"}'),
}
BAD_VALUES = {
    "event_id": "../../etc",
    "kiosk": "Front Door",
    "captured_ms": "yesterday",
    "outcome": "hired",
    "distance": -1,
    "good_frames": 10**30,
    "worker": "\ud800",
    "model_id": "x" * 500,
}


def test_poison_is_parked_with_its_reason_and_later_entries_go_on(
    redis_pair, factory, make_recorder, person, make_decision
) -> None:
    import json

    good = json.loads(make_decision(person).to_fields()["meta"])
    poison = dict(POISON)
    poison |= {f"bad {name}": meta(json.dumps(good | {name: value})) for name, value in BAD_VALUES.items()}
    poison["accepted without whom"] = meta(json.dumps({k: v for k, v in good.items() if k != "employee_id"}))
    for fields in poison.values():
        redis_pair.ledger.xadd(STREAM, as_any(fields))
    put(redis_pair.ledger, make_decision(person))
    recorder = make_recorder()
    drain(recorder, redis_pair.ledger)
    assert count(factory, DecisionRecord) == 1
    assert recorder.counters.to_dict() == {"parked": len(poison), "recorded": 1}
    parked = redis_pair.ledger.xrange(keys.dead(SHARD))
    assert len(parked) == len(poison)
    for (_, fields), (name, original) in zip(parked, poison.items(), strict=True):
        assert fields.pop(b"dead_reason"), name
        assert fields.pop(b"dead_id"), name
        assert fields == {k.encode(): v for k, v in original.items()}, name
    assert redis_pair.ledger.xpending(STREAM, keys.RECORDERS_GROUP)["pending"] == 0


def test_text_that_only_one_database_takes_stops_neither(
    redis_pair, factory, make_recorder, person, make_decision
) -> None:
    put(redis_pair.ledger, make_decision(person, worker="nul\x00byte"))
    put(redis_pair.ledger, make_decision())
    recorder = make_recorder()
    drain(recorder, redis_pair.ledger)
    done = recorder.counters
    assert done["not_a_punch"] == 1
    assert done["parked"] + done["recorded"] == 1


def test_an_unexpected_failure_parks_the_entry(redis_pair, factory, make_recorder, make_decision, monkeypatch) -> None:
    real = recorder_module.record

    def fail_once(session, decision, *rest):
        if decision.worker == "odd":
            raise ZeroDivisionError("nobody thought of this")
        return real(session, decision, *rest)

    monkeypatch.setattr(recorder_module, "record", fail_once)
    put(redis_pair.ledger, make_decision(worker="odd"))
    put(redis_pair.ledger, make_decision())
    drain(make_recorder(), redis_pair.ledger)
    assert count(factory, DecisionRecord) == 1
    [(_, fields)] = redis_pair.ledger.xrange(keys.dead(SHARD))
    assert fields[b"dead_reason"].startswith(b"unexpected ZeroDivisionError")


def test_a_database_outage_holds_entries_back_in_order(
    redis_pair, factory, make_recorder, make_decision, monkeypatch
) -> None:
    real, failures, order = recorder_module.record, iter(range(3)), []

    def flaky(session, decision, *rest):
        if next(failures, None) is not None:
            raise OperationalError("INSERT", {}, Exception("server closed the connection"))
        order.append(decision.event_id)
        return real(session, decision, *rest)

    monkeypatch.setattr(recorder_module, "record", flaky)
    decisions = [make_decision() for _ in range(5)]
    for decision in decisions:
        put(redis_pair.ledger, decision)
    recorder = make_recorder()
    drain(recorder, redis_pair.ledger)
    assert order == [decision.event_id for decision in decisions]
    assert recorder.counters["parked"] == 0
    assert count(factory, DecisionRecord) == 5


def test_a_stop_during_an_outage_leaves_the_entry(redis_pair, make_recorder, make_decision, monkeypatch) -> None:
    recorder = make_recorder()

    def away(*_):
        recorder.stop.set()
        raise OperationalError("INSERT", {}, Exception("connection refused"))

    monkeypatch.setattr(recorder_module, "record", away)
    put(redis_pair.ledger, make_decision())
    until(lambda: recorder.step() == 0 and recorder.stop.is_set())
    assert redis_pair.ledger.xlen(STREAM) == 1


def test_live_being_away_neither_blocks_nor_loses(redis_pair, factory, make_recorder, person, make_decision) -> None:
    recorder = make_recorder(live_url="redis://127.0.0.1:1/0")
    for number in range(20):
        put(redis_pair.ledger, make_decision(person, captured_ms=1_000_000 * number))
    began = time.monotonic()
    drain(recorder, redis_pair.ledger)
    assert time.monotonic() - began < 10
    assert count(factory, AttendanceEvent) == 20
    recorder.notices.live = redis_pair.live
    recorder.notices.not_before = 0.0
    recorder.step()
    assert len(feedback(redis_pair.live)) == 20, "the words go out when live is back"


def test_the_ledger_killed_and_restarted_under_load_loses_nothing(
    redis_pair, factory, make_recorder, make_decision
) -> None:
    decisions = [make_decision() for _ in range(150)]
    recorder = make_recorder()
    loop = threading.Thread(target=keep_going, args=(recorder.step, recorder.stop, "recorder"))
    loop.start()
    sent = threading.Semaphore(0)

    def produce() -> None:
        with closing(connect(redis_pair.ledger_server.url(), name="worker")) as ledger:
            for decision in decisions:
                while True:
                    try:
                        put(ledger, decision)
                        break
                    except redis.exceptions.RedisError:
                        time.sleep(0.02)
                sent.release()

    producer = threading.Thread(target=produce)
    producer.start()
    for _ in range(40):
        assert sent.acquire(timeout=30)
    redis_pair.ledger_server.kill()
    time.sleep(0.2)
    redis_pair.ledger_server.start()
    producer.join(60)
    try:
        until(lambda: count(factory, DecisionRecord) == 150 and redis_pair.ledger.xlen(STREAM) == 0, 60)
    finally:
        recorder.stop.set()
        loop.join(30)
    with reading(factory) as session:
        assert set(session.scalars(select(DecisionRecord.event_id))) == {d.event_id for d in decisions}


def test_a_ledger_that_lost_everything_is_set_up_again(redis_pair, factory, make_recorder, make_decision) -> None:
    recorder = make_recorder()
    put(redis_pair.ledger, make_decision())
    drain(recorder, redis_pair.ledger)
    redis_pair.ledger.flushall()
    put(redis_pair.ledger, make_decision())
    drain(recorder, redis_pair.ledger)
    assert count(factory, DecisionRecord) == 2
