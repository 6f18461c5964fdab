"""Thresholds: the first impostor that stays out, the strictest set, the worst group, and who is one person in a group."""

import numpy as np
import pytest

from training.calibration import Scored, people_in_group, source_words, thresholds_of
from worker.protocol.bundle import Threshold

GENUINE = np.arange(0, 10, 0.1)


def people(nearest: np.ndarray, impostors: int = 20_000, genuine: np.ndarray = GENUINE) -> Scored:
    return Scored("people", 10, 100, genuine, np.sort(nearest), impostors)


def group(name: str, nearest: np.ndarray, impostors: int = 20_000) -> Scored:
    return Scored(name, 200, 200, np.zeros(0), np.sort(nearest), impostors)


def spread(low: float, seed: int = 0, count: int = 20_000) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, 19, count)


def test_a_threshold_is_the_first_impostor_that_stays_out() -> None:
    impostor = spread(2)
    points = thresholds_of([people(impostor)], [], 10.0)
    assert [p.false_match_rate for p in points] == [1e-2, 1e-3]
    for point in points:
        assert np.count_nonzero(impostor < point.distance) == round(point.false_match_rate * 20_000)
        assert point.true_accept_rate == np.count_nonzero(point.distance > GENUINE) / len(GENUINE)


def test_a_rate_that_one_set_of_people_lacks_is_left_out() -> None:
    points = thresholds_of([people(spread(2)), people(spread(3, count=2_000), 2_000)], [], 10.0)
    assert [p.false_match_rate for p in points] == [1e-2]


def test_the_strictest_set_counts_and_the_least_share_is_told() -> None:
    near, far = people(spread(2)), people(spread(4), genuine=np.arange(0, 20, 0.1))
    (loose, strict) = thresholds_of([near, far], [], 10.0)
    assert loose.distance == near.distance_at(1e-2)
    assert loose.true_accept_rate == np.searchsorted(far.genuine, loose.distance) / len(far.genuine)
    assert strict.distance < loose.distance


def test_the_worst_group_counts() -> None:
    groups = [group("far", spread(5)), group("near", spread(1))]
    points = thresholds_of([people(spread(4))], groups, 10.0)
    assert [p.distance for p in points] == [groups[1].distance_at(1e-2), groups[1].distance_at(1e-3)]


def test_beyond_what_a_group_can_show_all_are_taken_together_less_the_worst_groups_lead() -> None:
    many = people(spread(4, count=200_000), 200_000)
    groups = [group(f"g{i}", spread(5 - i, i)) for i in range(3)]
    points = {p.false_match_rate: p for p in thresholds_of([many], groups, 10.0)}
    assert set(points) == {1e-2, 1e-3, 1e-4} - ({1e-4} if 60_000 * 1e-4 < 10 else set())
    more = [group(f"g{i}", spread(5 - i, i, 40_000), 40_000) for i in range(3)]
    found = {p.false_match_rate: p for p in thresholds_of([many], more, 10.0)}
    pooled = np.sort(np.concatenate([one.nearest for one in more]))
    lead = float(pooled[120]) - min(one.distance_at(1e-3) or 0 for one in more)
    assert found[1e-4].distance == pytest.approx(float(pooled[12]) - lead)


def test_gaps_of_a_short_tail_are_not_taken_for_emptiness() -> None:
    whole = spread(2, count=40_000)
    short = Scored("short", 200, 200, np.zeros(0), np.sort(whole)[:50], 40_000)
    points = thresholds_of([people(spread(4, count=200_000), 200_000)], [short, group("long", spread(4))], 10.0)
    assert all(p.distance <= short.nearest[-1] for p in points)


def test_distances_never_rise_as_rates_fall() -> None:
    tight = people(np.full(20_000, 5.0))
    points = thresholds_of([tight], [], 10.0)
    assert [p.distance for p in points] == [5.0, 5.0] or len(points) == 1
    assert all(isinstance(p, Threshold) for p in points)


def test_alike_pictures_of_a_group_are_one_persons() -> None:
    turns = np.deg2rad([0, 30, 60, 180, 181])
    templates = np.stack([np.cos(turns), np.sin(turns)], 1).astype(np.float32)
    assert people_in_group(templates).tolist() == [0, 0, 0, 1, 1]
    assert people_in_group(templates[[0, 3]]).tolist() == [0, 1]


def test_the_source_says_what_it_rests_on() -> None:
    words = source_words([people(spread(4))], [group("east-asian", spread(2))], False, False)
    assert "10 people, 100 pictures, 100 genuine and 20000 impostor pairs" in words
    assert "the worst group counts (pictures: east-asian 200" in words
