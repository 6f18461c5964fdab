"""All pairs in blocks against every pair one by one."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training import slow_verification as slow
from training import all_pairs as room
from training import rates, verification
from training.all_pairs import AllPairs, all_pairs
from training.rates import scored_pairs


def clusters(
    people: int, most: int, seed: int = 0, spread: float = 0.7
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Templates of length 10 around a direction for each person, 1 … `most` pictures each, in mixed order."""
    rng = np.random.default_rng(seed)
    owners = rng.permutation(np.repeat(np.arange(people), rng.integers(1, most + 1, people)))
    raw = rng.normal(size=(people, 128))[owners] + spread * rng.normal(size=(len(owners), 128))
    return (10 * raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32), owners


def one_by_one(templates: NDArray[np.float32], owners: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    pairs = np.array(list(itertools.combinations(range(len(templates)), 2)))
    d = np.linalg.norm(templates[pairs[:, 0]].astype(float) - templates[pairs[:, 1]], axis=1)
    people = owners[pairs]
    return d, people[:, 0] == people[:, 1], people


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROWS", 17)


@pytest.mark.parametrize("loosest", [0.01, 0.3, 1.0])
def test_counts_tail_and_curve_equal_every_pair_one_by_one(loosest: float) -> None:
    templates, owners = clusters(40, 4)
    d, same, people = one_by_one(templates, owners)
    ours = all_pairs(templates, owners, alpha=10, loosest_far=loosest)
    assert ours.scored.impostors == (~same).sum() == ours.impostor_bins.sum()
    np.testing.assert_allclose(ours.scored.genuine, np.sort(d[same]), atol=1e-4)
    nearest = np.sort(d[~same])[: len(ours.scored.tail)]
    np.testing.assert_allclose(ours.scored.tail, nearest, atol=1e-4)
    assert len(ours.scored.tail) >= min(1, 2 * loosest) * (~same).sum()
    assert ours.scored.complete == (loosest >= 0.5)
    order = np.argsort(d[~same], kind="stable")[:20]
    assert {tuple(sorted(p)) for p in ours.scored.tail_owners[:20]} == {tuple(sorted(p)) for p in people[~same][order]}
    curve = ours.curve()
    assert curve.auc == pytest.approx(slow.area(d, same), abs=1e-4)
    assert verification.eer(curve) == pytest.approx(slow.equal_error(d, same), abs=5e-3)
    for threshold in (0, 5.0, 12.0, 13.5, 25):
        assert ours.false_match_rate(threshold) == pytest.approx((d[~same] < threshold).mean(), abs=2e-3)


def test_rates_and_draws_equal_those_of_the_listed_pairs() -> None:
    templates, owners = clusters(40, 4, spread=1.5)
    d, same, people = one_by_one(templates, owners)
    ours, plain = all_pairs(templates, owners, alpha=10, loosest_far=0.01).scored, scored_pairs(d, same, people)
    a, b = rates.operating_point(ours, 0.01), rates.operating_point(plain, 0.01)
    assert (a.tar, a.false_accepts) == pytest.approx((b.tar, b.false_accepts))
    weights = np.random.default_rng(0).multinomial(ours.owners, np.full(ours.owners, 1 / ours.owners))
    np.testing.assert_allclose(
        rates._weighted_tars(ours, weights, [0.001, 0.01]), rates._weighted_tars(plain, weights, [0.001, 0.01])
    )


def test_pictures_that_are_the_same_are_at_distance_zero() -> None:
    templates, _ = clusters(3, 1)
    twice = np.concatenate([templates, templates])
    ours = all_pairs(twice, np.array([0, 1, 2, 0, 1, 1]), alpha=10, loosest_far=1.0)
    assert ours.scored.genuine[:2] == pytest.approx(0, abs=0.02)
    assert ours.scored.tail[0] == pytest.approx(0, abs=0.02)  # the third person's picture under another name


def test_strangers_only_have_rates_but_no_curve() -> None:
    templates, _ = clusters(30, 1)
    ours: AllPairs = all_pairs(templates, np.arange(30), alpha=10, loosest_far=1.0)
    assert len(ours.scored.genuine) == 0
    assert rates.tar_table(ours.scored, [0.1]) == {"0.1": None}
    with pytest.raises(verification.BadPairs, match="pairs of one person"):
        ours.curve()


def test_what_makes_no_pairs_or_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    templates, _ = clusters(5, 1)
    with pytest.raises(verification.BadPairs, match="no two pictures of different people"):
        all_pairs(templates, np.zeros(5, np.int64), alpha=10, loosest_far=0.1)
    monkeypatch.setattr(room, "MAX_PICTURES", 4)
    with pytest.raises(verification.BadPairs, match="at most 4"):
        all_pairs(templates, np.arange(5), alpha=10, loosest_far=0.1)


def test_each_persons_false_matches_are_counted() -> None:
    """Against every pair one by one; pictures of one person never count."""
    templates, owners = clusters(40, 4)
    d, same, people = one_by_one(templates, owners)
    strangers = np.sort(d[~same])
    thresholds = [float(strangers[k : k + 2].mean()) for k in (30, 300)]  # between two pairs, for float32's sake
    found = room.matches_by_owner(templates, owners, alpha=10.0, thresholds=thresholds)
    for row, threshold in zip(found, thresholds, strict=True):
        near = people[(d < threshold) & ~same]
        assert row.tolist() == np.bincount(near.ravel(), minlength=40).tolist()
    assert found.sum(axis=1).tolist() == [2 * 31, 2 * 301]
