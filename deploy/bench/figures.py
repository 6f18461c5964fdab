"""Small arithmetic of measuring: percentiles, fairness, and the time of a call."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def percentiles(values: Sequence[float], which: Sequence[int] = (50, 95, 99)) -> dict[str, float | None]:
    """{"p50": …}, rounded to 0.1; None for each where there was nothing to measure."""
    if not values:
        return {f"p{p}": None for p in which}
    return {f"p{p}": round(float(np.percentile(values, p)), 1) for p in which}


def jain(shares: Sequence[float]) -> float:
    """Jain's fairness index: 1 when all have the same share, 1/n when one has everything."""
    squares = sum(share * share for share in shares)
    return 1.0 if squares == 0 else sum(shares) ** 2 / (len(shares) * squares)


def median_ms(call: Callable[[], Any], rounds: int) -> float:
    """Median time of a call in ms, after one call that doesn't count."""
    call()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1e3)
    return float(np.median(times))
