"""What a run is judged by: wrong people, repeats, and how figures of several processes add up."""

from pathlib import Path
from typing import Any

import pytest

from deploy.demo_results import Beats, Record, iso_utc, recorded_strangers, to_json, what_went_wrong
from deploy.demo_scene import Scene, timeline
from tests.conftest import RedisPair
from worker.protocol.heartbeats import Heart, Heartbeat

SCENE = Scene(Path("x.avi"), 38_000, timeline())
START_MS = 1_800_000_000_000


def record(employee: str = "E001", at_ms: int = 7_000) -> Record:
    return Record(employee, "door-1", START_MS + at_ms, 5.0, 9.0, "scene")


@pytest.mark.parametrize(
    ("one", "strangers"),
    [
        (record(), 0),
        (record(at_ms=38_000 + 7_000), 0),
        (record(at_ms=22_000), 1),  # while the stranger stood there
        (record(at_ms=15_500), 1),  # while nobody did
        (record("E002"), 1),
    ],
)
def test_a_record_is_right_only_for_the_right_person_at_the_right_time(one: Record, strangers: int) -> None:
    assert recorded_strangers([one], SCENE, {"door-1": {START_MS}}) == strangers


def test_a_record_of_a_kiosk_that_never_said_when_it_started_counts_as_wrong() -> None:
    assert recorded_strangers([record()], SCENE, {}) == 1
    assert recorded_strangers([record()], SCENE, {"door-1": {START_MS + 60_000}}) == 1


def test_the_newest_start_before_the_record_counts() -> None:
    starts = {"door-1": {START_MS, START_MS + 40_000}}
    assert recorded_strangers([record(at_ms=40_000 + 7_000)], SCENE, starts) == 0
    assert recorded_strangers([record(at_ms=40_000 + 22_000)], SCENE, starts) == 1


@pytest.mark.parametrize(
    ("codes", "strangers", "words"),
    [
        (["E001"], 0, None),
        ([], 0, "0 times"),
        (["E001", "E001"], 0, "2 times"),
        (["E001"], 1, "stranger"),
    ],
)
def test_the_verdict(codes: list[str], strangers: int, words: str | None) -> None:
    result = {"recorded": [{"employee": code} for code in codes], "strangers_recorded": strangers}
    said = what_went_wrong(result)
    assert said is None if words is None else words in str(said)


def beat(role: str, pid: int, **data: Any) -> Heartbeat:
    return Heartbeat(role, f"{role}-1", pid, 0, data)


def test_figures_of_processes_that_were_started_again_add_up() -> None:
    beats = Beats()
    for one in (
        beat("kiosk", 1, frames_sent=10, latency={"100": 3}),
        beat("kiosk", 2, frames_sent=5, latency={"200": 1}),
        beat("worker", 3, frames_processed=12, frames_stale=1, model_id="sface-0123456789ab"),
        beat("worker", 4, frames_processed=2, frames_stale=0, model_id="sface-0123456789ab"),
    ):
        beats.last[one.role, one.name, one.pid] = one
    result = to_json(beats, [record()], 2, None)
    assert (result["frames_sent"], result["frames_processed"], result["frames_stale"]) == (15, 14, 1)
    assert result["latency_ms"] == {"p50": 100.0, "p95": 200.0, "p99": 200.0}
    assert result["model_id"] == "sface-0123456789ab"
    assert result["unknown"] == 2
    assert result["strangers_recorded"] is None
    assert result["recorded"][0]["captured_at"] == iso_utc(START_MS + 7_000) == "2027-01-15T08:00:07.000Z"


def test_a_run_without_any_figures_is_still_an_object() -> None:
    result = to_json(Beats(), [], 0, 0)
    assert result["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert result["model_id"] is None


def test_heartbeats_are_read_from_redis(redis_pair: RedisPair) -> None:
    Heart(redis_pair.live, "s0", "kiosk", "door-1", lambda: {"frames_sent": 4, "source_started_ms": START_MS}).beat()
    beats = Beats()
    beats.look(redis_pair.live, "s0")
    assert beats.total("kiosk", "frames_sent") == 4
    assert beats.source_starts_ms == {"door-1": {START_MS}}
