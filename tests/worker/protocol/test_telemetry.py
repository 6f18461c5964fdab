import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.protocol.telemetry import Counters, LatencyHistogram


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=80), st.integers(1, 100))
def test_percentiles_are_numpys_nearest_rank(samples: list[int], percent: int) -> None:
    histogram = LatencyHistogram()
    for sample in samples:
        histogram.add(sample)
    assert histogram.percentile(percent) == np.percentile(samples, percent, method="inverted_cdf")


@given(st.lists(st.lists(st.integers(0, 60_000), max_size=20), max_size=4))
def test_merging_loses_nothing(groups: list[list[int]]) -> None:
    parts, whole = [], LatencyHistogram()
    for group in groups:
        part = LatencyHistogram()
        for sample in group:
            part.add(sample)
            whole.add(sample)
        parts.append(part.to_dict())
    merged = LatencyHistogram.merged(parts)
    assert merged.to_dict() == whole.to_dict()
    assert merged.summary() == whole.summary()
    assert merged.count == sum(map(len, groups))


def test_edges() -> None:
    histogram = LatencyHistogram()
    assert histogram.percentile(50) is None
    assert histogram.summary() == {"p50": None, "p95": None, "p99": None}
    for latency in (-5, 1e9, 2.4):
        histogram.add(latency)
    assert histogram.to_dict() == {"0": 1, "2": 1, "60000": 1}
    assert histogram.percentile(0) == pytest.approx(0)


def test_counters_from_several_threads() -> None:
    counters = Counters()

    def count() -> None:
        for _ in range(1000):
            counters.add("frames")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters["frames"] == 4000
    assert counters["never"] == 0
    assert counters.to_dict() == {"frames": 4000}
