"""The measures against the slow version, and what can be said by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from tests.training import slow_verification as slow
from training import verification as fast

Floats = NDArray[np.float64]
Pairs = tuple[Floats, NDArray[np.bool_]]

on_the_grid = st.integers(0, 3100).map(lambda i: i / 100)  # ties with thresholds, and beyond the last
anywhere = st.floats(0, 31, allow_nan=False)


@st.composite
def pairs(draw: st.DrawFn, smallest: int = 10, both: bool = False) -> Pairs:
    """Few pairs with many ties, all alike, or of one class only."""
    n = draw(st.integers(smallest, 40))
    value = draw(st.sampled_from([on_the_grid, anywhere, st.sampled_from([1.5, 1.51, 7.0])]))
    distances = draw(st.lists(value, min_size=n, max_size=n))
    labels = draw(st.one_of(st.lists(st.booleans(), min_size=n, max_size=n), st.just([True] * n), st.just([False] * n)))
    if both:
        labels[:2] = [True, False]
    return np.array(distances), np.array(labels)


def overlapping(n: int, seed: int = 0) -> Pairs:
    rng = np.random.default_rng(seed)
    same = np.arange(n) // max(1, n // 20) % 2 == 0
    return np.abs(np.where(same, rng.normal(7, 1.5, n), rng.normal(12, 1.5, n))), same


@settings(max_examples=60, deadline=None)
@given(pairs(), st.integers(2, 10))
def test_accuracy_and_curve_equal_the_slow_version(data: Pairs, folds: int) -> None:
    d, same = data
    accuracy, thresholds, tpr, fpr = slow.accuracy(d, same, folds)
    ours, curve = fast.thesis_accuracy(d, same, folds), fast.thesis_roc(d, same, folds)
    np.testing.assert_allclose(ours.accuracy, accuracy, atol=1e-9)
    np.testing.assert_allclose(ours.thresholds, thresholds, atol=1e-9)
    np.testing.assert_allclose(curve.tpr, tpr, atol=1e-9)
    np.testing.assert_allclose(curve.fpr, fpr, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(pairs(), st.integers(2, 10), st.sampled_from([1e-3, 0.1, 0.125, 0.5, 1.0]))
def test_val_equals_the_slow_version(data: Pairs, folds: int, far: float) -> None:
    d, same = data
    np.testing.assert_allclose(fast.val_at_far(d, same, far, folds), slow.val(d, same, far, folds), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(pairs(smallest=2, both=True), st.sampled_from([0.0, 1e-3, 0.1, 0.25, 1 / 3, 1.0]))
def test_curve_auc_eer_and_tar_equal_the_slow_version(data: Pairs, far: float) -> None:
    d, same = data
    curve = fast.roc(d, same)
    assert curve.auc == pytest.approx(slow.area(d, same), abs=1e-9)
    assert curve.auc == pytest.approx(roc_auc_score(same, -d), abs=1e-9)
    assert fast.eer(curve) == pytest.approx(slow.equal_error(d, same), abs=1e-9)
    point = fast.tar_at_far(d, same, far)
    assert (point.tar, point.false_accepts) == pytest.approx(slow.tar(d, same, far), abs=1e-9)
    assert point.far <= far + 1e-12


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(on_the_grid, on_the_grid), min_size=1, max_size=40), st.integers(1, 50))
def test_mean_over_batches_equals_the_slow_version(triplets: list[tuple[float, float]], batch: int) -> None:
    positive, negative = np.array(triplets).T
    assert fast.mean_batch_accuracy(positive, negative, batch) == pytest.approx(
        slow.mean_batch(positive, negative, batch), abs=1e-9
    )


@settings(max_examples=60, deadline=None)
@given(pairs(smallest=1), on_the_grid)
def test_confusion_equals_scikit_learn(data: Pairs, threshold: float) -> None:
    d, same = data
    ours, accepted = fast.confusion(d, same, threshold), d < threshold
    assert ours.accuracy == pytest.approx(accuracy_score(same, accepted), abs=1e-9)
    for measure, theirs in ((ours.recall, recall_score), (ours.precision, precision_score), (ours.f1, f1_score)):
        if measure is not None:
            assert measure == pytest.approx(theirs(same, accepted, zero_division=0), abs=1e-9)
    assert (ours.recall is None) == (not same.any())
    assert (ours.precision is None) == (not accepted.any())


@pytest.mark.parametrize("n", [61, 600, 6000])
def test_many_pairs_equal_the_slow_version(n: int) -> None:
    d, same = overlapping(n)
    accuracy, thresholds, tpr, fpr = slow.accuracy(d, same)
    ours = fast.thesis_accuracy(d, same)
    np.testing.assert_allclose(ours.accuracy, accuracy, atol=1e-9)
    np.testing.assert_allclose(ours.thresholds, thresholds, atol=1e-9)
    assert ours.mean == pytest.approx(accuracy.mean(), abs=1e-12)
    assert fast.thesis_roc(d, same).auc == pytest.approx(np.trapezoid(tpr, fpr), abs=1e-9)
    if n < 6000:
        np.testing.assert_allclose(fast.val_at_far(d, same), slow.val(d, same), atol=1e-9)


def test_the_interpolated_threshold_is_scipys_where_scipy_has_one() -> None:
    """Without steps in the FAR curve today's interp1d still answers; it raises on every real set."""
    rng = np.random.default_rng(1)
    thresholds = np.arange(0, 5, 0.01)
    far = np.concatenate([[0], np.cumsum(rng.uniform(0.1, 1, len(thresholds) - 1))])
    far /= far[-1]
    for target in (0.0, 1e-3, 0.2, float(far[77]), 0.999, 1.0):
        assert fast.threshold_at_far(far, thresholds, target) == pytest.approx(
            slow.interpolated(far, thresholds, target), abs=1e-9
        )
    with pytest.raises(ValueError, match="duplicates"):
        slow.interp1d(np.array([0, 0, 1.0]), np.array([0, 1.0, 2.0]), kind="slinear")


def test_steps_in_the_far_curve() -> None:
    far, thresholds = np.array([0, 0, 0.5, 0.5, 1, 1]), np.arange(6.0)
    assert fast.threshold_at_far(far, thresholds, 0.25) == pytest.approx(1.5)
    assert fast.threshold_at_far(far, thresholds, 0.5) == 3  # the last threshold of the step
    assert fast.threshold_at_far(far, thresholds, 1.0) == 5
    assert fast.threshold_at_far(far / 2, thresholds, 0.75) == 0  # never reached, as published


def test_float32_distances_are_compared_as_the_numbers_they_are() -> None:
    d, same = overlapping(300)
    as_torch_has_them = d.astype(np.float32)
    np.testing.assert_array_equal(
        fast.thesis_accuracy(as_torch_has_them, same).accuracy,
        fast.thesis_accuracy(as_torch_has_them.astype(np.float64), same).accuracy,
    )


def test_the_table_of_thirty_pairs() -> None:
    """Section 4.4: 46 thresholds; a distance equal to the threshold means the same person."""
    d, labels = np.array([0.5, 0.9, 1.5, 2.0, 5.0, 9.0]), np.array([1, 1, 1, 0, 0, 0])
    correct = fast.correct_at(d, labels)
    assert len(correct) == 46
    by_threshold = dict(zip(fast.TEXT_THRESHOLDS.tolist(), correct.tolist(), strict=True))
    assert (by_threshold[0.5], by_threshold[0.8], by_threshold[1.5], by_threshold[2.0]) == (4, 4, 6, 5)
    assert (by_threshold[4.9], by_threshold[5.0]) == (5, 4)


def test_perfect_and_useless_distances() -> None:
    labels = np.array([1] * 20 + [0] * 20)
    perfect = fast.roc(labels * -1.0 + 2, labels)
    assert (perfect.auc, fast.eer(perfect)) == (1.0, 0.0)
    useless = fast.roc(np.full(40, 3.0), labels)
    assert (useless.auc, fast.eer(useless)) == (0.5, 0.5)
    assert fast.tar_at_far(np.full(40, 3.0), labels, 0.5).tar == 0  # all alike: who lets one in lets in everybody
    assert fast.tar_at_far(np.full(40, 3.0), labels, 1.0).tar == 1


@pytest.mark.parametrize(
    ("distances", "labels", "words"),
    [
        ([], [], "no pair"),
        ([1.0, 2.0], [1], r"\(2,\) and labels \(1,\)"),
        ([1.0, float("nan")], [1, 0], "pair 2: distance nan"),
        ([-0.5, 1.0], [1, 0], "pair 1: distance -0.5"),
        ([1.0, float("inf")], [1, 0], "pair 2: distance inf"),
        ([1.0, 2.0], [1, 2], "pair 2: label 2"),
        ([1.0, 2.0], [float("nan"), 1], "pair 1: label nan"),
        ([1.0, 2.0], [1, 1], "all 2 pairs have label 1"),
        ([1.0, 2.0], [0, 0], "all 2 pairs have label 0"),
    ],
)
def test_what_cannot_be_judged_is_named(distances: list[float], labels: list[float], words: str) -> None:
    with pytest.raises(fast.BadPairs, match=words):
        fast.roc(distances, labels)


def test_folds_need_pairs() -> None:
    with pytest.raises(fast.BadPairs, match="9 pairs can't fill 10 folds"):
        fast.thesis_accuracy(np.ones(9), np.ones(9))
    with pytest.raises(fast.BadPairs, match="at least 2"):
        fast.val_at_far(np.ones(9), np.ones(9), folds=1)
    with pytest.raises(fast.BadPairs, match="every triplet"):
        fast.mean_batch_accuracy(np.ones(3), np.ones(2), 64)
    with pytest.raises(fast.BadPairs, match="fraction"):
        fast.tar_at_far([1.0, 2.0], [1, 0], 5)
