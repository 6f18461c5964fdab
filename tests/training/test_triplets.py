"""Triplets by the thesis' rule and its distribution; batches by identity; all of it by seed alone."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from training.dataset import BadData
from training.triplets import PKBatches, ShuffledBatches, draw_triplets

LABELS = np.array([0] * 1 + [1] * 2 + [2] * 3 + [3] * 40 + [4] * 4)
"""Person 0 has one picture; the others have very different numbers of them."""
UNLIKELY = 1e-4
"""A p-value below it says that the distribution is another; with these seeds it is far above."""


def slow_triplet(labels: NDArray[np.int64], rng: np.random.Generator) -> tuple[int, int, int]:
    """The thesis' generate_triplets, one at a time, written from its text: draw, and draw again until it fits."""
    people = sorted(set(labels.tolist()))
    pictures = {person: np.flatnonzero(labels == person) for person in people}
    same = rng.choice(people)
    while len(pictures[same]) < 2:
        same = rng.choice(people)
    other = rng.choice(people)
    while other == same:
        other = rng.choice(people)
    anchor, positive = rng.choice(pictures[same], 2, replace=False)
    return int(anchor), int(positive), int(rng.choice(pictures[other]))


def test_every_triplet_is_one() -> None:
    triplets = draw_triplets(LABELS, 20_000, np.random.default_rng(1))
    anchors, positives, negatives = triplets.T
    assert (LABELS[anchors] == LABELS[positives]).all()
    assert (anchors != positives).all()
    assert (LABELS[anchors] != LABELS[negatives]).all()
    assert not (LABELS[anchors] == 0).any(), "one picture makes nobody an anchor"


def test_people_come_first_and_uniformly_then_pictures() -> None:
    triplets = draw_triplets(LABELS, 40_000, np.random.default_rng(2))
    anchors, positives, negatives = triplets.T
    assert chisquare(np.bincount(LABELS[anchors])[1:]).pvalue > UNLIKELY
    assert chisquare(np.bincount(anchors[LABELS[anchors] == 3])[LABELS.searchsorted(3) :]).pvalue > UNLIKELY
    of_four = LABELS[anchors] == 4
    assert chisquare(np.bincount(LABELS[negatives[of_four]], minlength=4)[:4]).pvalue > UNLIKELY
    pairs = anchors[LABELS[anchors] == 2] * 100 + positives[LABELS[anchors] == 2]
    counts = np.unique(pairs, return_counts=True)[1]
    assert len(counts) == 6
    assert chisquare(counts).pvalue > UNLIKELY


def test_the_distribution_is_that_of_the_thesis_own_drawing() -> None:
    """Shares of (person, other person), ours and the slow version's, differ by no more than chance explains."""
    rng = np.random.default_rng(3)
    slow = np.array([slow_triplet(LABELS, rng) for _ in range(4_000)])
    fast = draw_triplets(LABELS, 40_000, rng)
    shares = [np.bincount(LABELS[t[:, 0]] * 5 + LABELS[t[:, 2]], minlength=25) / len(t) for t in (slow, fast)]
    assert np.abs(shares[0] - shares[1]).max() < 0.02


def test_labels_in_any_order_and_of_any_numbers_will_do() -> None:
    labels = np.random.default_rng(4).permutation(LABELS) * 1_000 + 7
    anchors, positives, negatives = draw_triplets(labels, 1_000, np.random.default_rng(5)).T
    assert (labels[anchors] == labels[positives]).all()
    assert (labels[anchors] != labels[negatives]).all()


def test_equal_seeds_give_equal_triplets() -> None:
    first, second, third = (draw_triplets(LABELS, 50, np.random.default_rng(seed)) for seed in (6, 6, 7))
    assert (first == second).all()
    assert not (first == third).all()


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 0], []], ids=["no pair", "one person", "nobody"])
def test_where_no_triplet_exists_it_says_so(labels: list[int]) -> None:
    with pytest.raises(BadData, match="no triplet can be drawn"):
        draw_triplets(np.array(labels, np.int64), 10, np.random.default_rng(0))


def test_ten_thousand_from_vggface2s_test_split_take_a_hundredth_of_the_thesis_time() -> None:
    """The thesis' code takes 4.4 s on the machine where this takes 3 ms."""
    labels = np.repeat(np.arange(500), 338)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        draw_triplets(labels, 10_000, np.random.default_rng(0))
        times.append(time.perf_counter() - started)
    assert min(times) < 0.044


def test_a_batch_has_p_people_with_k_pictures_and_repeats_a_picture_only_when_all_were_shown() -> None:
    batches = PKBatches(LABELS, p=3, k=4, seed=0, batches=50)
    for batch in batches:
        people = LABELS[batch].reshape(3, 4)
        assert (people == people[:, :1]).all()
        assert len(set(people[:, 0])) == 3
        assert 0 not in people
        for row in np.array(batch).reshape(3, 4):
            assert len(set(row)) == min(4, (LABELS[row[0]] == LABELS).sum())


def test_people_of_the_batches_are_uniform() -> None:
    batches = PKBatches(LABELS, p=1, k=2, seed=1, batches=4_000)
    assert chisquare(np.bincount(LABELS[[batch[0] for batch in batches]])[1:]).pvalue > UNLIKELY


@pytest.mark.parametrize("kind", ["pk", "shuffled"])
def test_batches_follow_from_seed_epoch_and_number_and_go_on_anywhere(kind: str) -> None:
    def made(seed: int = 9) -> PKBatches | ShuffledBatches:
        return PKBatches(LABELS, 2, 2, seed=seed) if kind == "pk" else ShuffledBatches(len(LABELS), 4, seed=seed)

    whole, resumed = made(), made()
    whole.set_epoch(3)
    resumed.set_epoch(3, first_batch=5)
    assert len(whole) == 12
    assert len(resumed) == 7
    assert list(whole)[5:] == list(resumed)
    assert list(whole) == list(whole)
    assert list(made(10)) != list(made(9))
    whole.set_epoch(4)
    assert list(whole)[5:] != list(resumed)


def test_ranks_share_a_step_without_a_person_or_picture_in_common() -> None:
    ranks = [list(PKBatches(LABELS, 2, 2, seed=0, rank=rank, world=2)) for rank in (0, 1)]
    assert len(ranks[0]) == len(ranks[1]) == len(LABELS) // 8
    for one, other in zip(*ranks, strict=True):
        assert not set(LABELS[one]) & set(LABELS[other])
    shuffled = [ShuffledBatches(len(LABELS), 5, seed=0, rank=rank, world=2) for rank in (0, 1)]
    seen = [number for sampler in shuffled for batch in sampler for number in batch]
    assert len(seen) == len(set(seen)) == 50


def test_batches_that_cannot_be_filled_are_refused() -> None:
    with pytest.raises(BadData, match=r"need 6 people with two pictures or more; there are 4"):
        PKBatches(LABELS, p=3, k=2, seed=0, world=2)
    with pytest.raises(BadData, match="don't fill one batch of 64"):
        ShuffledBatches(50, 64, seed=0)
    with pytest.raises(ValueError, match="rank 2"):
        ShuffledBatches(50, 8, seed=0, rank=2, world=2)
