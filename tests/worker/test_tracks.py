"""One face over frames, and above all: when a name must not pass from one person to another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.worker.fakes import LEFT, RIGHT, away, axis
from worker.decision import Match, Rules, cast_vote
from worker.protocol.outcomes import Outcome
from worker.tracks import SUPPORT_MS, Track, near, overlap, same_face

BY = Rules(threshold=10, margin=0.5, votes_needed=3, votes_kept=5)
LIMIT = 11.0
HERE, THERE = np.array(LEFT, np.float32), np.array(RIGHT, np.float32)
boxes = st.tuples(st.floats(-50, 500), st.floats(-50, 500), st.floats(5, 300), st.floats(5, 300)).map(
    lambda v: np.array([v[0], v[1], v[0] + v[2], v[1] + v[3]], np.float32)
)


def track(box: NDArray[np.float32] = HERE) -> Track:
    return Track(BY, "p1", box, 0, 0)


def vote_for(one: Track, who: str | None, ms: int, template: NDArray[np.float32] | None = None) -> Outcome:
    match = Match(who, 7.0, 14.0) if who else Match("a", 13.0, 14.0)
    one.see(one.box, ms, Outcome.DECIDING)
    return one.vote(cast_vote(match, ms, BY), axis(0) if template is None else template).outcome


@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
    assert overlap(a, b) == pytest.approx(overlap(b, a), rel=1e-4)
    assert 0 <= overlap(a, b) <= 1 + 1e-5


@given(boxes)
def test_a_box_overlaps_itself(a: NDArray[np.float32]) -> None:
    assert overlap(a, a) == pytest.approx(1, rel=1e-3)
    assert near(a, a)


def test_far_apart_is_never_one_face() -> None:
    assert overlap(HERE, THERE) == 0
    assert not near(HERE, THERE)
    assert not same_face(track(HERE), THERE, axis(0), LIMIT)


@given(st.floats(0, 20), boxes)
def test_continuing_a_track_needs_place_and_likeness(distance: float, box: NDArray[np.float32]) -> None:
    one = track()
    vote_for(one, "a", 0)
    if same_face(one, box, away(0, distance), LIMIT):
        assert near(HERE, box)
        assert distance <= LIMIT + 0.01


def test_two_people_who_swap_places_are_not_continued() -> None:
    left, right = track(HERE), track(THERE)
    vote_for(left, "a", 0, axis(0))
    vote_for(right, "b", 0, axis(1))
    assert not same_face(left, HERE, axis(1), LIMIT)
    assert not same_face(right, THERE, axis(0), LIMIT)
    assert not same_face(left, THERE, axis(0), LIMIT)


def test_a_name_passes_to_a_bad_frame_only_where_the_face_stayed() -> None:
    one = track()
    vote_for(one, "a", 0)
    beside = HERE + np.array([80, 0, 80, 0], np.float32)
    assert same_face(one, beside, None, LIMIT)  # nobody is named yet: a moving face is one presence
    one.accept("a", 0)
    assert not same_face(one, beside, None, LIMIT)
    assert same_face(one, HERE + 5, None, LIMIT)


def test_a_name_lasts_as_long_as_it_is_supported() -> None:
    one = track()
    assert not one.names_now(0)
    for ms in (0, 100, 200):
        outcome = vote_for(one, "a", ms)
    assert outcome is Outcome.ACCEPTED
    one.accept("a", 200)
    assert one.names_now(200 + SUPPORT_MS)
    assert not one.names_now(201 + SUPPORT_MS)
    vote_for(one, None, 900)  # a good frame that names nobody doesn't prolong it
    assert not one.names_now(201 + SUPPORT_MS)
    vote_for(one, "a", 1_000)
    assert one.names_now(1_000 + SUPPORT_MS)
    vote_for(one, "b", 1_100)
    assert not one.names_now(1_001 + SUPPORT_MS)


def test_contradicted_by_two_good_frames_in_a_row() -> None:
    one = track()
    vote_for(one, "a", 0)
    vote_for(one, None, 100)
    vote_for(one, None, 200)
    assert not one.contradicted()  # nothing was accepted that could be contradicted
    one.accept("a", 200)
    assert one.contradicted()
    vote_for(one, "a", 300)
    assert not one.contradicted()
    vote_for(one, "b", 400)
    assert not one.contradicted()
    vote_for(one, None, 500)
    assert one.contradicted()


def test_memory_is_bounded_and_times_dont_run_back() -> None:
    one = track()
    for ms in range(0, 10_000, 100):
        vote_for(one, "a", ms)
    assert len(one.votes) == BY.votes_kept
    assert one.good_frames == 100
    one.see(HERE, 50, Outcome.BLURRED)
    assert one.last_ms == 9_900


@pytest.mark.parametrize(
    ("faults", "votes", "expected"),
    [
        ([], [], Outcome.DECIDING),
        ([Outcome.BLURRED], [], Outcome.BLURRED),
        ([Outcome.BLURRED, Outcome.TOO_SMALL, Outcome.TOO_SMALL], ["a"], Outcome.TOO_SMALL),
        ([Outcome.BLURRED] * 9, [None] * 5, Outcome.UNKNOWN),
        ([], ["a", "b", "a", "b", "a"], Outcome.AMBIGUOUS),
        ([], ["a", "a"], Outcome.DECIDING),
    ],
)
def test_what_a_presence_comes_to(faults: list[Outcome], votes: list[str | None], expected: Outcome) -> None:
    one = track()
    for fault in faults:
        one.see(HERE, 0, fault)
    for i, who in enumerate(votes):
        vote_for(one, who, i * 100)
    assert one.final_outcome() is expected


def test_tracks_are_told_apart_by_identity() -> None:
    """Two tracks of one presence may hold equal figures; taking one out of a list must take that one."""
    first, second = track(), track()
    for one in (first, second):
        vote_for(one, None, 0)
    kept = [first, second]
    kept.remove(second)
    assert kept == [first]
    assert first.number != second.number
    assert first.event_id != second.event_id
