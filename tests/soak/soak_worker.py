"""`make soak`: many frames of varying size through one worker, and many hostile ones. Prints its figures.

FRAMES (50,000) and HOSTILE (20,000) say how many, SEED which mutations. Not part of the quick suite: a file of pytest's
usual name would be.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.conftest import RedisPair
from tests.hostile_frames import hostile_fields
from tests.soak.worker_process import doors, percentile, picture_pool, real_worker, typical
from worker.protocol import heartbeats, keys

FRAMES = int(os.environ.get("FRAMES") or 50_000)
HOSTILE = int(os.environ.get("HOSTILE") or 20_000)
SEED = int(os.environ.get("SEED") or 20_261_123)
WARM_UP = 0.2
"""Share of the frames after which memory is first looked at; the last tenth is compared with the tenth after it."""
MAX_GROWTH = 0.05
MAX_SLOWDOWN = 3.0
"""How much slower, at p95, the door beside the hostile one may be answered than before. Bad pictures cost time to decode."""

pytestmark = pytest.mark.timeout(6 * 3600)


def counts(pair: RedisPair) -> dict[str, int]:
    return next(heartbeats.read(pair.live, "s0", "worker")).data["counts"]


def test_memory_threads_and_files_stay(
    redis_pair: RedisPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, rng = picture_pool(), random.Random(SEED)
    with real_worker(redis_pair, tmp_path) as worker:
        feed = doors(redis_pair, 4)
        rounds, samples, began_s = FRAMES // len(feed.names), [], time.monotonic()
        for number in range(rounds):
            feed.round({name: feed.frame(rng.choice(pool)) for name in feed.names}, worker)
            if number % max(1, rounds // 100) == 0:
                samples.append(worker.figures())
                redis_pair.ledger.delete(keys.decisions("s0"))  # no recorder is there to take them
        took_s = time.monotonic() - began_s
        failed = counts(redis_pair).get("rounds_failed", 0)
    first = round(len(samples) * WARM_UP)
    tenth = max(1, len(samples) // 10)
    warm, end = typical(samples[first : first + tenth]), typical(samples[-tenth:])
    growth = end.memory_mb / warm.memory_mb - 1
    with capsys.disabled():
        print(
            f"\nsoak: {rounds * len(feed.names)} frames in {took_s:.0f} s ({rounds * len(feed.names) / took_s:.0f}/s)"
        )
        print(
            f"  resident memory {warm.memory_mb:.0f} MB after warm-up, {end.memory_mb:.0f} MB at the end: {growth:+.1%}"
        )
        print(f"  MB by tenth: {' '.join(f'{one.memory_mb:.0f}' for one in samples[:: max(1, len(samples) // 10)])}")
        print(f"  threads {warm.threads} → {end.threads}, file handles {warm.files} → {end.files}")
        print(f"  outcomes {dict(sorted(feed.outcomes.items()))}, failed rounds {failed}")
        print("  engine: MTCNN and SFace as they serve, finding faces at 320 px width instead of 640, one thread")
    assert failed == 0
    assert growth < MAX_GROWTH
    assert (end.threads, end.files) == (warm.threads, warm.files)


def test_hostile_frames(redis_pair: RedisPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, rng = [one for one in picture_pool() if one[1] < 700], random.Random(SEED)
    with real_worker(redis_pair, tmp_path) as worker:
        feed = doors(redis_pair, 2)
        good, bad = feed.names
        for _ in range(min(300, HOSTILE)):
            feed.round({name: feed.frame(rng.choice(pool)) for name in feed.names}, worker)
        before = percentile(feed.latency_ms[good], 95)
        feed.latency_ms.clear()
        feed.outcomes.clear()
        for number in range(HOSTILE):
            hostile = hostile_fields(rng, feed.seq, rng.choice(pool)[0])
            feed.round({good: feed.frame(rng.choice(pool)), bad: hostile}, worker)
            if number % 500 == 0:
                redis_pair.ledger.delete(keys.decisions("s0"))
        during = percentile(feed.latency_ms[good], 95)
        told = counts(redis_pair)
    with capsys.disabled():
        print(f"\nhostile: {HOSTILE} mutated frames and entries (seed {SEED}), each answered; the worker lived")
        print(f"  p95 of the door beside: {before:.0f} ms before, {during:.0f} ms during")
        print(f"  outcomes of both doors {dict(sorted(feed.outcomes.items()))}")
        print(
            f"  failed rounds {told.get('rounds_failed', 0)}, frames the networks failed on {told.get('frames_failed', 0)}"
        )
    assert told.get("rounds_failed", 0) == 0
    assert during < MAX_SLOWDOWN * before
