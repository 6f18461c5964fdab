"""Late judgement: as strict as live, on a few pictures; each employee once, and event ids that follow from the presence."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.fakes import ALPHA, EMPTY, RIGHT, away, axis, person, sight
from worker.decision import Rules
from worker.engine import Sight
from worker.gallery import GalleryIndex
from worker.late import LatePerson, LatePicture, event_id, judge
from worker.protocol.outcomes import Outcome

RULES = Rules(threshold=9.0, margin=0.5, votes_needed=3, votes_kept=5)
INDEX = GalleryIndex([person(1), person(2)], ALPHA)
ANNA, BEN, STRANGER = sight(away(1, 6.0)), sight(away(2, 5.0)), sight(axis(50))
BLURRED = sight(None, fault=Outcome.BLURRED)
STEP_MS = 500


def judged(*sights: Sight, more: bool = False) -> list[LatePerson]:
    pictures = [LatePicture(10_000 + STEP_MS * number, one) for number, one in enumerate(sights)]
    return judge(pictures, "p1", RULES, 11.0, lambda t: INDEX.search(t[None])[0], more)


def said(*sights: Sight, more: bool = False) -> list[tuple[Outcome, str | None]]:
    return [(one.outcome, one.employee_id) for one in judged(*sights, more=more)]


def test_three_good_pictures_that_agree_accept_at_the_third() -> None:
    (one,) = judged(EMPTY, ANNA, BLURRED, ANNA, ANNA, ANNA)
    assert (one.outcome, one.employee_id, one.picture) == (Outcome.ACCEPTED, "e1", 4)
    assert (one.captured_ms, one.good_frames) == (10_000 + 4 * STEP_MS, 3)
    assert one.verdict.distance == pytest.approx(6.0, abs=1e-3)


def test_fewer_good_pictures_than_needed_accept_nobody() -> None:
    assert said(ANNA, ANNA) == [], "under a second: only passing by, as live"
    assert said(ANNA, BLURRED, ANNA, BLURRED, BLURRED) == [(Outcome.BLURRED, None)]


def test_two_people_of_one_presence_are_two() -> None:
    assert said(*[ANNA] * 4, EMPTY, *[BEN] * 4) == [(Outcome.ACCEPTED, "e1"), (Outcome.ACCEPTED, "e2")]


def test_somebody_who_comes_back_in_the_same_presence_is_one() -> None:
    assert said(*[ANNA] * 3, *[BEN] * 3, *[ANNA] * 4) == [(Outcome.ACCEPTED, "e1"), (Outcome.ACCEPTED, "e2")]


def test_a_stranger_is_unknown_also_behind_an_employee() -> None:
    assert said(*[STRANGER] * 6) == [(Outcome.UNKNOWN, None)]
    assert said(*[ANNA] * 3, *[STRANGER] * 6) == [(Outcome.ACCEPTED, "e1"), (Outcome.UNKNOWN, None)]


def test_nobody_in_the_pictures_is_nothing() -> None:
    assert said(*[EMPTY] * 6) == []


def test_who_only_begins_in_the_shared_end_is_left_to_the_next_part() -> None:
    late_comer = sight(axis(50), box=RIGHT)
    assert said(*[EMPTY] * 8, *[late_comer] * 4, more=True) == []
    assert said(*[EMPTY] * 8, *[late_comer] * 4) == [(Outcome.DECIDING, None)]


def test_several_people_at_once_decide_nothing() -> None:
    assert said(*[sight(None, several=True)] * 6) == [(Outcome.SEVERAL_FACES, None)]


@given(st.lists(st.sampled_from([ANNA, BEN, STRANGER, BLURRED, EMPTY]), min_size=1, max_size=12))
def test_nobody_is_accepted_on_fewer_than_three_pictures_of_theirs(sights: list[Sight]) -> None:
    people = judged(*sights)
    accepted = [one.employee_id for one in people if one.employee_id]
    assert len(accepted) == len(set(accepted))
    for who, shown in (("e1", ANNA), ("e2", BEN)):
        assert who not in accepted or sum(one is shown for one in sights) >= 3
    assert sum(one.employee_id is None for one in people) <= 1


def test_event_ids_follow_from_kiosk_presence_and_employee() -> None:
    ids = [event_id(k, p, e) for k in ("a", "b") for p in ("p1", "p2") for e in ("e1", "e2", None)]
    assert len(set(ids)) == len(ids)
    assert ids == [event_id(k, p, e) for k in ("a", "b") for p in ("p1", "p2") for e in ("e1", "e2", None)]
    assert all(len(one) == 32 for one in ids)
    assert all(a != b for a, b in pairwise(ids))
