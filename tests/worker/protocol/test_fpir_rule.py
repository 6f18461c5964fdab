"""DESIGN's rule for 1:N by simulation: strangers and enrolled people whose distances are known exactly."""

import math

import numpy as np
import pytest
from scipy.stats import beta, binom

from tests.worker.fakes import INFO
from worker.protocol.bundle import ModelInfo, Threshold, serving_threshold

ALPHA, SIZE = 10.0, 128
STRANGERS = 40_000


def exact_distance(rate: float) -> float:
    """Within which a share `rate` of uniform points of the sphere lies: (1 + cos)/2 is Beta((d − 1)/2, (d − 1)/2)."""
    half = (SIZE - 1) / 2
    cosine = 2 * beta.isf(rate, half, half) - 1
    return float(ALPHA * math.sqrt(2 * (1 - cosine)))


def info(*rates: float) -> ModelInfo:
    table = [Threshold(false_match_rate=rate, distance=exact_distance(rate)) for rate in rates]
    return INFO.model_copy(update={"alpha": ALPHA, "thresholds": table})


TABLE = info(*(10 ** (-step / 4) for step in range(4, 25)))
"""Four points a decade, 1e-1 … 1e-6."""


def accepted(people: int, distance: float, seed: int) -> int:
    """How many strangers lie within the distance of anybody. Galleries change, as the promise is for any gallery."""
    random = np.random.default_rng(seed)
    cosine, hits = 1 - distance**2 / (2 * ALPHA**2), 0
    for _ in range(8):
        some = random.standard_normal((people + STRANGERS // 8, SIZE), np.float32)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
        hits += int((some[people:] @ some[:people].T >= cosine).any(axis=1).sum())
    return hits


@pytest.mark.parametrize("people", [10, 100, 1_000])
@pytest.mark.parametrize("fpir", [0.05, 1e-2, 1e-3])
def test_no_more_strangers_are_accepted_than_the_target_allows(people: int, fpir: float) -> None:
    serving = serving_threshold(TABLE, people, fpir)
    assert serving.meets_target
    assert serving.promised_fpir == pytest.approx(fpir, rel=1e-6)
    low, high = binom.interval(0.9999, STRANGERS, fpir)
    assert low <= accepted(people, serving.distance, people) <= high


def test_past_the_strictest_point_the_promise_is_what_is_measured() -> None:
    serving = serving_threshold(info(1e-2, 1e-3, 1e-4), 1_000, 1e-3)
    assert not serving.meets_target
    assert serving.promised_fpir == pytest.approx(1 - (1 - 1e-4) ** 1_000)
    low, high = binom.interval(0.9999, STRANGERS, serving.promised_fpir)
    assert low <= accepted(1_000, serving.distance, 7) <= high
    assert low > 1e-3 * STRANGERS, "far more than the site wants, and said so"
