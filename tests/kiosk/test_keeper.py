"""What stays owed to the people at the door, answer by answer and second by second."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from kiosk.keeper import OVERLAP, PATIENCE_S, PRESENCE_MAX_S, Keeper, Part
from kiosk.sources import Picture
from tests.kiosk.support import accepted, answer, face, grey, level_of, recorded
from worker.protocol.backlog import MAX_PICTURES
from worker.protocol.entries import Feedback
from worker.protocol.outcomes import Outcome

P1 = "presence-1"


class Door:
    """Offers eight pictures a second; time is the test's."""

    def __init__(self) -> None:
        self.keeper = Keeper(lambda picture: b"%d" % level_of(picture))
        self.now_s = 100.0
        self.links_up = True

    def show(
        self,
        seconds: float,
        presence: str = P1,
        score: Callable[[int], float] = lambda n: 1.0,
        answered: Feedback | None = None,
        moving: bool = True,
    ) -> list[Part]:
        """`answered` is the answer to every picture."""
        parts: list[Part] = []
        for number in range(math.ceil(seconds * 8)):
            self.keeper.offer(grey(number % 200), self.now_s, presence, score(number), moving)
            if answered is not None:
                self.keeper.answered(answered, self.now_s, self.now_s)
            self.now_s += 0.125
            parts += self.keeper.due(self.now_s, presence, self.links_up)
        return parts

    def leave(self, seconds: float = 0.1) -> list[Part]:
        parts: list[Part] = []
        for _ in range(math.ceil(seconds * 8)):
            self.now_s += 0.125
            parts += self.keeper.due(self.now_s, None, self.links_up)
        return parts

    def hears(self, outcome: Outcome) -> None:
        self.keeper.answered(said(outcome), self.now_s, self.now_s)


def said(outcome: Outcome, worker: str = "w1") -> Feedback:
    return answer(1, outcome, *([] if outcome is Outcome.NO_FACE else [face(outcome)]), worker=worker)


@pytest.fixture
def door() -> Door:
    return Door()


def test_a_first_look_at_a_hallway_in_which_nothing_has_moved_speaks_for_all_of_it(door: Door) -> None:
    """A worker finds a new kiosk within a second; an empty hallway needn't go through the backlog for that."""
    assert door.show(1.5, moving=False) == []
    door.hears(Outcome.NO_FACE)
    assert door.leave(PATIENCE_S + 2) == []


def test_who_stood_still_from_the_start_and_left_before_the_first_look_stays_owed(door: Door) -> None:
    door.show(3, moving=False)
    door.show(0.5)  # they walk away
    door.show(1, moving=False)
    door.hears(Outcome.NO_FACE)
    (part,) = door.leave(PATIENCE_S + 2)
    assert part.pictures[0].captured_s == pytest.approx(100, abs=0.5)
    assert part.pictures[-1].captured_s == pytest.approx(103.4, abs=0.5)


def test_while_redis_is_away_a_presence_is_one_part_when_they_leave(door: Door) -> None:
    door.links_up = False
    assert door.show(3) == []
    (part,) = door.leave()
    assert (part.presence, part.number, part.more) == (P1, 0, False)
    assert len(part.pictures) == 6
    times = [kept.captured_s for kept in part.pictures]
    assert times == sorted(times)
    assert door.leave(20) == []


def test_the_best_of_each_half_second_is_kept(door: Door) -> None:
    door.links_up = False
    door.show(1, score=lambda n: 9.0 if n % 4 == 3 else 1.0)
    (part,) = door.leave()
    assert [kept.jpeg for kept in part.pictures] == [b"3", b"7"]


def test_a_long_presence_is_cut_into_parts_that_overlap(door: Door) -> None:
    door.links_up = False
    parts = door.show(20) + door.leave()
    assert [part.number for part in parts] == list(range(len(parts)))
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert all(len(part.pictures) <= MAX_PICTURES for part in parts)
    for before, after in pairwise(parts):
        assert [k.captured_s for k in before.pictures[-OVERLAP:]] == [k.captured_s for k in after.pictures[:OVERLAP]]
    times = {kept.captured_s for part in parts for kept in part.pictures}
    assert len(times) == 40


def test_a_presence_that_goes_on_counts_as_a_new_one_after_a_while(door: Door) -> None:
    door.links_up = False
    parts = door.show(PRESENCE_MAX_S + 20)
    assert {part.presence for part in parts} == {P1, f"{P1}.1"}
    assert [p.number for p in parts if p.presence != P1][:2] == [0, 1]


@pytest.mark.parametrize(
    "outcome",
    [Outcome.NO_FACE, Outcome.UNKNOWN, Outcome.SPOOF_SUSPECTED, Outcome.INACTIVE, Outcome.ENROLLING],
)
def test_a_refusal_ends_what_is_owed(door: Door, outcome: Outcome) -> None:
    door.show(2, answered=said(Outcome.DECIDING))
    door.show(1, answered=said(outcome))
    door.links_up = False
    assert door.leave(20) == []


def test_a_recorded_person_is_owed_nothing_though_they_stay(door: Door) -> None:
    door.show(1, answered=said(Outcome.DECIDING))
    door.show(1, answered=accepted(1))
    door.keeper.recorded(recorded())
    assert door.show(30, answered=accepted(1)) == []
    assert door.leave(20) == []


def test_recorded_may_come_before_its_answer(door: Door) -> None:
    door.show(2, answered=said(Outcome.DECIDING))
    door.keeper.recorded(recorded())
    door.show(0.5, answered=accepted(1))
    assert door.leave(20) == []


def test_accepted_but_never_recorded_is_spooled_after_ten_seconds_and_only_once(door: Door) -> None:
    door.show(0.5, answered=said(Outcome.DECIDING))
    began_s = door.now_s
    parts = door.show(1, answered=accepted(1))
    for _ in range(25):
        parts += [(door.now_s - began_s, part) for part in door.leave(1)]
    assert parts
    assert all(PATIENCE_S <= after_s < PATIENCE_S + 2 for after_s, _ in parts)
    assert min(kept.captured_s for _, part in parts for kept in part.pictures) < began_s, "the time they came is in it"


def test_ten_seconds_without_any_answer_are_spooled_though_the_link_is_up(door: Door) -> None:
    assert door.show(3) == []
    assert door.leave(6) == []
    (part,) = door.leave(2)
    assert len(part.pictures) == 6


def test_a_worker_without_a_gallery_has_not_judged(door: Door) -> None:
    parts = []
    for _ in range(12):
        parts += door.show(1)
        door.hears(Outcome.NOT_READY)
    assert parts


@pytest.mark.parametrize("outcome", [Outcome.DECIDING, Outcome.TOO_SMALL, Outcome.AMBIGUOUS])
def test_a_worker_that_looks_and_has_not_decided_is_owed_nothing(door: Door, outcome: Outcome) -> None:
    assert door.show(20, answered=said(outcome)) == []
    assert door.leave(20) == []


def test_what_it_had_seen_joins_what_it_can_see_no_more(door: Door) -> None:
    """Redis goes away between two answers: the pictures before are evidence as well."""
    door.show(2, answered=said(Outcome.DECIDING))
    door.links_up = False
    door.show(1)
    (part,) = door.leave()
    assert len(part.pictures) == 6


def test_memory_is_bounded_whatever_happens(door: Door) -> None:
    for number in range(40):
        door.show(1)
        door.keeper.answered(accepted(1, event=f"event-{number}"), door.now_s, door.now_s)
        assert len(door.keeper._kept) < 60
    door.leave(30)
    assert len(door.keeper._kept) == 0


def test_a_stop_keeps_what_would_be_lost(door: Door) -> None:
    door.show(2, answered=said(Outcome.DECIDING))
    assert door.keeper.flush(door.now_s, links_up=True) == [], "the worker has seen it and lives"
    door.show(0.6)
    assert door.keeper.flush(door.now_s, links_up=True) == [], "it will see it in a moment"
    (part,) = door.keeper.flush(door.now_s, links_up=False)
    assert len(part.pictures) == 6
    door.show(1, answered=accepted(1))
    assert door.keeper.flush(door.now_s, links_up=True)


def test_a_stop_keeps_what_no_worker_has_answered(door: Door) -> None:
    door.show(2)
    assert door.keeper.flush(door.now_s, links_up=True)


@pytest.mark.parametrize("outcome", [Outcome.NO_FACE, Outcome.UNKNOWN, Outcome.DECIDING])
def test_an_answer_says_nothing_of_those_who_passed_while_nobody_looked(door: Door, outcome: Outcome) -> None:
    """The worker dies, somebody passes, and the next worker sees an empty hallway, or somebody else."""
    door.show(0.5, answered=said(Outcome.DECIDING))
    parts = door.show(3)
    assert door.leave(0.5) == []
    for _ in range(15):
        door.hears(outcome)
        parts += door.leave(1)
    (part,) = parts
    assert len(part.pictures) >= 6


def test_who_came_while_nobody_looked_is_owed_though_the_next_one_is_recorded(door: Door) -> None:
    door.show(3)
    parts = door.show(1, answered=said(Outcome.DECIDING)) + door.show(1, answered=accepted(1))
    door.keeper.recorded(recorded())
    parts += door.leave(10)
    assert sorted(kept.captured_s for part in parts for kept in part.pictures)[0] == 100


def test_another_worker_does_not_speak_for_what_the_first_had_seen(door: Door) -> None:
    """Nor does the same one after it lost what it knew."""
    door.show(1, answered=said(Outcome.DECIDING))
    door.show(0.25, answered=said(Outcome.NO_FACE, "w2"))
    assert [kept.captured_s for kept in door.keeper._kept] == [100.0]
    door.show(0.25, answered=said(Outcome.NOT_READY, "w2"))
    door.show(0.25, answered=said(Outcome.NO_FACE, "w2"))
    assert [kept.captured_s for kept in door.keeper._kept] == [100.0]


def test_what_waits_for_an_answer_is_unsafe_and_stays(door: Door) -> None:
    door.show(0.5)
    assert door.keeper.unsafe(door.now_s) == []
    door.show(1)
    (part,) = door.keeper.unsafe(door.now_s)
    assert (part.presence, part.more) == (P1, False)
    assert [kept.captured_s for kept in part.pictures] == [100.0, 100.5, 101.0]
    assert door.keeper.unsafe(door.now_s) == [part]
    door.show(3, answered=said(Outcome.DECIDING))
    assert len(door.keeper.unsafe(door.now_s)) == 1, "the first pictures are still owed"
    for _ in range(12):
        door.leave(1)
    assert door.keeper.unsafe(door.now_s) == []


def test_as_many_unanswered_pictures_as_an_entry_holds_do_not_wait_longer(door: Door) -> None:
    """So what is unsafe always fits into one entry."""
    parts = door.show(9)
    assert [len(part.pictures) for part in parts] == [MAX_PICTURES]
    assert all(len(part.pictures) <= MAX_PICTURES for part in door.keeper.unsafe(door.now_s))


def test_a_picture_that_cannot_be_encoded_is_left_out() -> None:
    def encode(picture: Picture) -> bytes | None:
        return None if level_of(picture) % 2 else b"jpeg"

    keeper = Keeper(encode)
    for number in range(4):
        keeper.offer(grey(number), 100 + number, P1, 1.0)
    (part,) = keeper.due(104, None, False)
    assert len(part.pictures) == 2
