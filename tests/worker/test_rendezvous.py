from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rendezvous import owner

KIOSKS = [f"door-{i}" for i in range(2_000)]
WORKERS = st.sets(st.text("abcXYZ019-._", min_size=1, max_size=64), min_size=1, max_size=6)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_kiosks_are_spread_evenly(count: int) -> None:
    workers = [f"host-{i}" for i in range(count)]
    shares = Counter(owner(kiosk, workers) for kiosk in KIOSKS)
    fair = len(KIOSKS) / count
    assert all(0.8 * fair < shares[worker] < 1.2 * fair for worker in workers)


@given(WORKERS, st.text("abc", min_size=1))
def test_a_worker_that_comes_takes_and_one_that_goes_leaves_only_its_own(workers: set[str], name: str) -> None:
    newcomer = f"new-{name}"
    for kiosk in KIOSKS[:50]:
        before, after = owner(kiosk, workers), owner(kiosk, workers | {newcomer})
        assert after in (before, newcomer)


@given(WORKERS)
def test_the_order_of_the_workers_does_not_matter(workers: set[str]) -> None:
    for kiosk in KIOSKS[:20]:
        assert owner(kiosk, sorted(workers)) == owner(kiosk, sorted(workers, reverse=True)) in workers


def test_the_answer_never_changes() -> None:
    """Workers of two versions must agree while a site is updated one by one."""
    assert [owner(kiosk, ["w1", "w2", "w3"]) for kiosk in ("front", "back", "side")] == ["w2", "w1", "w1"]


def test_whatever_the_names_hold() -> None:
    assert owner("a", ["\udcff", "b\0c"]) in ("\udcff", "b\0c")
