"""Rates with intervals: the point itself, the nulls, and a bootstrap over people done the slow way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import gammaln

from training import rates, verification
from training.rates import ScoredPairs, scored_pairs


@st.composite
def listed(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Pairs of a few people with ties in the distances."""
    n = draw(st.integers(2, 40))
    people = np.array(draw(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9)), min_size=n, max_size=n)))
    same = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    same[:2] = [True, False]
    people[same, 1] = people[same, 0]
    return np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n)), float), same, people


@settings(max_examples=60, deadline=None)
@given(listed(), st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_the_point_is_that_of_the_plain_measure(data: tuple, far: float) -> None:
    d, same, people = data
    ours, plain = rates.operating_point(scored_pairs(d, same, people), far), verification.tar_at_far(d, same, far)
    assert ours == plain


def slow_tar(d: NDArray, same: NDArray, people: NDArray, weights: NDArray, far: float) -> float:
    """Repeat each pair as often as its people were drawn, then take the plain measure."""
    copies = np.array([weights[a] if s else weights[a] * weights[b] for (a, b), s in zip(people, same, strict=True)])
    d, same = np.repeat(d, copies), np.repeat(same, copies)
    if same.all() or not same.any():
        return float("nan")
    return verification.tar_at_far(d, same, far).tar


@settings(max_examples=60, deadline=None)
@given(listed(), st.integers(0, 1000))
def test_a_draw_of_people_equals_pairs_repeated_by_hand(data: tuple, seed: int) -> None:
    d, same, people = data
    pairs = scored_pairs(d, same, people)
    _, numbers = np.unique(people, return_inverse=True)
    weights = np.random.default_rng(seed).multinomial(pairs.owners, np.full(pairs.owners, 1 / pairs.owners))
    ours = rates._weighted_tars(pairs, weights, [0.05, 0.3])
    theirs = [slow_tar(d, same, numbers.reshape(people.shape), weights, far) for far in (0.05, 0.3)]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def normal_pairs(n: int = 2000) -> ScoredPairs:
    rng = np.random.default_rng(3)
    same = np.arange(n) % 2 == 0
    return scored_pairs(np.abs(np.where(same, rng.normal(6, 1.5, n), rng.normal(11, 1.5, n))), same)


def test_few_errors_are_no_rate() -> None:
    """1,000 impostors: FAR 1e-2 rests on ten errors, 1e-3 on one, 1e-4 on none."""
    pairs = normal_pairs()
    table = rates.tar_table(pairs)
    assert list(table) == ["0.01", "0.001", "0.0001"]
    assert (table["0.001"], table["0.0001"]) == (None, None)
    found = table["0.01"]
    low, high = found["interval"]
    assert 0 < low < found["tar"] < high < 1
    assert found["false_accepts"] == 10
    assert list(rates.few_errors_table(pairs)) == ["0.001"]


def test_equal_seeds_give_equal_intervals() -> None:
    pairs = normal_pairs()
    assert rates.intervals(pairs, [0.01], seed=1) == rates.intervals(pairs, [0.01], seed=1)
    assert rates.intervals(pairs, [0.01], seed=1) != rates.intervals(pairs, [0.01], seed=2)


def test_one_person_with_all_the_errors_makes_a_wide_interval() -> None:
    """The same distances, by people that are all different or by one who looks like everybody."""
    rng = np.random.default_rng(0)
    same = np.arange(4000) % 2 == 0
    d = np.where(same, rng.uniform(4, 8, 4000), rng.uniform(8, 12, 4000))
    impostors = np.flatnonzero(~same)
    d[impostors[:100]] = 5.0  # ten times the errors that the rate allows
    people = np.stack([np.arange(4000), np.arange(4000) + 4000], axis=1)
    people[same, 1] = people[same, 0]
    alone = rates.intervals(scored_pairs(d, same, people), [0.01], seed=0)[0.01]
    people[impostors[:100], 0] = impostors[0]
    by_one = rates.intervals(scored_pairs(d, same, people), [0.01], seed=0)[0.01]
    assert by_one[1] - by_one[0] > 5 * (alone[1] - alone[0] + 0.01)


def test_a_tail_that_is_too_short_is_refused() -> None:
    pairs = normal_pairs()
    short = ScoredPairs(
        pairs.genuine, pairs.genuine_owners, pairs.tail[:20], pairs.tail_owners[:20], 1000, pairs.owners
    )
    assert rates.operating_point(short, 0.01) == rates.operating_point(pairs, 0.01)
    with pytest.raises(ValueError, match="20 nearest impostors"):
        rates.operating_point(short, 0.02)


def test_rates_are_named_as_people_write_them() -> None:
    assert [rates.far_name(far) for far in (1.0, 0.1, 1e-2, 1e-4, 1e-6)] == ["1", "0.1", "0.01", "0.0001", "0.000001"]


def matched(pairs: list[tuple[int, int]], people: int) -> np.ndarray:
    return np.bincount(np.array(pairs).ravel(), minlength=people)


def test_few_false_matches_have_clopper_and_pearsons_interval() -> None:
    """None of 4,950 pairs: at most 1 − 0.025^(1/4950) with 97.5 %."""
    none = rates.false_match_row(np.zeros(100, np.int64), np.ones(100, np.int64))
    assert none["interval"] == pytest.approx([0, 1 - 0.025 ** (1 / 4950)])
    assert (none["rate"], none["false_matches"], none["interval_over"]) == (0, 0, "pairs")
    two = rates.false_match_row(matched([(0, 1), (2, 3)], 100), np.ones(100, np.int64))
    assert (two["false_matches"], two["rate"]) == (2, 2 / 4950)
    assert two["interval"][0] < two["rate"] < two["interval"][1]


def test_errors_of_one_person_make_a_wide_interval() -> None:
    """Forty matches of one man say less about strangers than forty matches of eighty people."""
    pictures = np.ones(100, np.int64)
    one = rates.false_match_row(matched([(0, i) for i in range(1, 41)], 100), pictures)
    many = rates.false_match_row(matched([(2 * i, 2 * i + 1) for i in range(40)], 100), pictures)
    assert one["rate"] == many["rate"] == 40 / 4950
    assert one["interval_over"] == many["interval_over"] == "people"
    widths = [row["interval"][1] - row["interval"][0] for row in (one, many)]
    assert widths[0] > 2 * widths[1] > 0


def test_the_interval_holds_what_it_promises() -> None:
    """Matches that come from people's own frequency: 95 % of the intervals should hold the true rate."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(200):
        often = rng.beta(2, 18, 60)
        near = np.triu(rng.random((60, 60)) < np.sqrt(np.outer(often, often)), 1)
        row = rates.false_match_row(near.sum(0) + near.sum(1), np.ones(60, np.int64))
        held += row["interval"][0] <= TRUE_RATE <= row["interval"][1]
    assert 0.9 <= held / 200 <= 1.0


def test_everybody_matches_everybody() -> None:
    row = rates.false_match_row(np.full(6, 5), np.ones(6, np.int64))
    assert (row["rate"], row["interval"]) == (1.0, [1.0, 1.0])
    two = rates.false_match_row(np.array([11, 11]), np.array([4, 4]))
    assert two["interval"] == [0.0, 1.0]  # of two people nothing is left without one of them


TRUE_RATE = float(np.exp(2 * (gammaln([2.5, 20]) - gammaln([2, 20.5])).sum()))
"""(E √x)² of a beta(2, 18): the chance that two strangers of the test above match."""
