import logging
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scrape import free_port, scrape
from worker.protocol.metrics import Figure, by, one, serve
from worker.protocol.telemetry import Buckets, LatencyHistogram


@given(st.lists(st.floats(0, 100), max_size=60))
def test_buckets_count_what_is_at_most_their_bound(values: list[float]) -> None:
    buckets = Buckets((0.1, 1, 10))
    for value in values:
        buckets.add(value)
    counts, total = buckets.cumulated()
    assert dict(counts) == {
        **{str(bound): sum(value <= bound for value in values) for bound in (0.1, 1, 10)},
        "+Inf": len(values),
    }
    assert total == pytest.approx(sum(values))


def test_a_latency_histogram_becomes_buckets_in_seconds() -> None:
    latency = LatencyHistogram({100: 3, 5_000: 1})
    counts, total = Buckets.of(latency).cumulated()
    assert (dict(counts)["0.1"], dict(counts)["2.0"], dict(counts)["+Inf"], total) == (3, 3, 4, 5.3)


def test_every_kind_can_be_scraped_and_the_process_too() -> None:
    port, hostile = free_port(), 'a"b\\c\nd{}'
    seconds = Buckets()
    seconds.add(0.3)
    stop = serve(
        port,
        "127.0.0.1",
        lambda: [
            Figure("counter", "frames", "of\neach", by("outcome", {"accepted": 3.0, hostile: 1.0})),
            Figure("counter", "empty", "nothing yet", {}),
            one("gauge", "ready", "yes", 1.0),
            Figure("histogram", "stage_seconds", "time", by("stage", {"detect": seconds})),
        ],
    )
    try:
        found = scrape(port)
    finally:
        stop()
    assert found["attendance_frames_total{outcome=accepted}"] == 3
    assert found[f"attendance_frames_total{{outcome={hostile}}}"] == 1
    assert found["attendance_ready"] == 1
    assert found["attendance_stage_seconds_bucket{le=0.25,stage=detect}"] == 0
    assert found["attendance_stage_seconds_bucket{le=0.4,stage=detect}"] == 1
    assert found["attendance_stage_seconds_sum{stage=detect}"] == 0.3
    assert found["process_resident_memory_bytes"] > 0
    assert scrape(port) == {}


def test_off_by_default_and_a_taken_port_is_only_told(caplog: pytest.LogCaptureFixture) -> None:
    serve(0, "127.0.0.1", list)()
    assert caplog.records == []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with caplog.at_level(logging.ERROR):
            serve(taken.getsockname()[1], "127.0.0.1", list)()
    assert "can't be had" in caplog.text


def test_the_missing_package_is_named(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    serve(free_port(), "127.0.0.1", list)()
    assert "pip install 'attendance-kiosk[metrics]'" in caplog.text
