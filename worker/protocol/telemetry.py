"""Counters and latencies that processes put into their heartbeats, and how several are merged."""

import bisect
import itertools
import threading
from collections import Counter
from collections.abc import Iterable, Mapping


class LatencyHistogram:
    """Whole milliseconds, counted exactly up to `cap_ms`; merges without loss, so percentiles over kiosks are exact."""

    def __init__(self, counts: Mapping[int, int] | None = None, cap_ms: int = 60_000) -> None:
        self.cap_ms = cap_ms
        self._counts: Counter[int] = Counter(counts or {})
        self._lock = threading.Lock()

    def add(self, latency_ms: float) -> None:
        with self._lock:
            self._counts[max(0, min(self.cap_ms, round(latency_ms)))] += 1

    @property
    def count(self) -> int:
        return sum(self.to_dict().values())

    def to_dict(self) -> dict[str, int]:
        """JSON-ready: {"milliseconds": count}."""
        with self._lock:
            return {str(ms): n for ms, n in sorted(self._counts.items())}

    @classmethod
    def merged(cls, parts: Iterable[Mapping[str, int]]) -> "LatencyHistogram":
        total: Counter[int] = Counter()
        for part in parts:
            for ms, n in part.items():
                total[int(ms)] += int(n)
        return cls(total)

    def percentile(self, percent: float) -> float | None:
        """Smallest latency that at least `percent` of the samples don't exceed (nearest rank); None without samples."""
        counts = self.to_dict()
        total = sum(counts.values())
        if not total:
            return None
        rank, seen = max(1, -(-total * percent // 100)), 0
        for ms, n in counts.items():
            seen += n
            if seen >= rank:
                return float(ms)
        raise AssertionError("unreachable: ranks end at the total")

    def summary(self) -> dict[str, float | None]:
        return {f"p{p}": self.percentile(p) for p in (50, 95, 99)}


class Counters:
    """Named, thread-safe, only rising."""

    def __init__(self) -> None:
        self._values: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, n: int = 1) -> None:
        with self._lock:
            self._values[name] += n

    def __getitem__(self, name: str) -> int:
        with self._lock:
            return self._values[name]

    def to_dict(self) -> dict[str, int]:
        with self._lock:
            return dict(self._values)


SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.4, 0.7, 1.0, 2.0, 5.0)
"""Upper bounds for the stages of a frame's way."""


class Buckets:
    """How many values were at most so large, and their sum; fixed in size however long it counts."""

    def __init__(self, bounds: Iterable[float] = SECONDS) -> None:
        self.bounds = tuple(sorted(bounds))
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def add(self, value: float, n: int = 1) -> None:
        place = bisect.bisect_left(self.bounds, value)
        with self._lock:
            self._counts[place] += n
            self._sum += value * n

    def cumulated(self) -> tuple[list[tuple[str, float]], float]:
        """(upper bound, how many were at most that), ending with "+Inf", and the sum of all values."""
        with self._lock:
            rising = itertools.accumulate(self._counts)
            return list(zip([*map(str, self.bounds), "+Inf"], map(float, rising), strict=True)), self._sum

    @classmethod
    def of(cls, latency: LatencyHistogram) -> "Buckets":
        """The same counts, in seconds."""
        buckets = cls()
        for ms, n in latency.to_dict().items():
            buckets.add(int(ms) / 1000, n)
        return buckets
