"""The rule that lets people in, by its properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.decision import Match, Rules, Vote, cast_vote, decide
from worker.protocol.outcomes import Outcome

INF = float("inf")
rules = st.builds(
    lambda threshold, margin, needed, more: Rules(threshold, margin, needed, needed + more),
    st.floats(1, 15),
    st.floats(0, 3),
    st.integers(1, 5),
    st.integers(0, 4),
)
matches = st.builds(
    lambda who, distance, ahead: Match(who, distance, distance + ahead),
    st.sampled_from(["a", "b", None]),
    st.floats(0, 20),
    st.floats(0, 5) | st.just(INF),
)
sequences = st.lists(matches, max_size=14)


def votes_of(found: list[Match], by: Rules) -> list[Vote]:
    return [cast_vote(match, 1000 + 100 * i, by) for i, match in enumerate(found)]


@given(matches, rules)
def test_a_frame_names_nobody_above_the_threshold_or_within_the_margin(match: Match, by: Rules) -> None:
    vote = cast_vote(match, 5, by)
    if vote.employee_id is not None:
        assert vote.employee_id == match.employee_id
        assert match.distance <= by.threshold
        assert match.runner_up_distance - match.distance >= by.margin
        assert not vote.ambiguous
    assert vote.captured_ms == 5
    if vote.ambiguous:
        assert match.employee_id is not None
        assert match.distance <= by.threshold


@given(sequences, rules)
def test_nobody_is_accepted_but_by_k_agreeing_frames_of_the_last_n(found: list[Match], by: Rules) -> None:
    votes = votes_of(found, by)
    verdict = decide(votes, by)
    window = votes[-by.votes_kept :]
    named = [vote for vote in window if vote.employee_id is not None]
    agreeing = [vote for vote in named if vote.employee_id == verdict.employee_id]
    should = len({vote.employee_id for vote in named}) == 1 and len(named) >= by.votes_needed
    assert (verdict.outcome is Outcome.ACCEPTED) == should
    if verdict.outcome is Outcome.ACCEPTED:
        assert len(agreeing) == len(named) >= by.votes_needed
        assert verdict.distance is not None
        assert min(v.distance for v in agreeing) - 1e-9 <= verdict.distance <= by.threshold + 1e-9
        assert verdict.runner_up_distance == min(v.runner_up_distance for v in agreeing)
    else:
        assert verdict.employee_id is None


@given(sequences, rules)
def test_two_people_in_the_window_end_in_nobody(found: list[Match], by: Rules) -> None:
    votes = votes_of(found, by)
    window = votes[-by.votes_kept :]
    if len({vote.employee_id for vote in window} - {None}) == 2:
        verdict = decide(votes, by)
        assert verdict.outcome is (Outcome.AMBIGUOUS if len(window) == by.votes_kept else Outcome.DECIDING)


@given(sequences, rules)
def test_only_the_last_n_frames_count(found: list[Match], by: Rules) -> None:
    votes = votes_of(found, by)
    assert decide(votes, by) == decide(votes[-by.votes_kept :], by)


@given(sequences, rules, st.floats(0, 5), st.floats(0, 2))
def test_a_stricter_threshold_or_margin_names_no_more_frames(
    found: list[Match], by: Rules, tighter: float, wider: float
) -> None:
    strict = Rules(max(0.0, by.threshold - tighter), by.margin + wider, by.votes_needed, by.votes_kept)
    loosely, strictly = votes_of(found, by), votes_of(found, strict)
    for loose, tight in zip(loosely, strictly, strict=True):
        assert tight.employee_id in (None, loose.employee_id)


@given(sequences, rules, st.randoms())
def test_the_order_within_the_window_doesnt_matter(found: list[Match], by: Rules, random) -> None:  # type: ignore[no-untyped-def]
    window = votes_of(found, by)[-by.votes_kept :]
    shuffled = list(window)
    random.shuffle(shuffled)
    one, other = decide(window, by), decide(shuffled, by)
    assert (one.outcome, one.employee_id) == (other.outcome, other.employee_id)


BY = Rules(threshold=10, margin=0.5, votes_needed=3, votes_kept=5)
A, B, NOBODY = Match("a", 8, 13), Match("b", 8, 13), Match("a", 12, 13)
TWINS = Match("a", 8, 8.2)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([], Outcome.DECIDING),
        ([A, A], Outcome.DECIDING),
        ([A, A, A], Outcome.ACCEPTED),
        ([A, NOBODY, A, NOBODY, A], Outcome.ACCEPTED),
        ([A, A, NOBODY, NOBODY, NOBODY], Outcome.UNKNOWN),
        ([NOBODY] * 4, Outcome.DECIDING),
        ([NOBODY] * 5, Outcome.UNKNOWN),
        ([A, A, A, A, B], Outcome.AMBIGUOUS),
        ([A, A, B], Outcome.DECIDING),
        ([TWINS] * 5, Outcome.AMBIGUOUS),
        ([B, A, A, A, A, A], Outcome.ACCEPTED),
        ([Match(None, INF, INF)] * 5, Outcome.UNKNOWN),
    ],
)
def test_examples(found: list[Match], outcome: Outcome) -> None:
    assert decide(votes_of(found, BY), BY).outcome is outcome


@pytest.mark.parametrize(("needed", "kept"), [(0, 5), (6, 5), (-1, 1)])
def test_rules_that_make_no_sense_are_refused(needed: int, kept: int) -> None:
    with pytest.raises(ValueError, match=f"votes_needed {needed}"):
        Rules(10, 0.5, needed, kept)
