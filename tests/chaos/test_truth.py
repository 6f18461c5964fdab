"""Who counts as passed, and what the database is accused of: on made-up visits and punches."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.faults import back_after_s
from tests.chaos.truth import (
    BACK_S,
    GOOD_NEEDED,
    OFF_S,
    STOOD_S,
    Punch,
    Visit,
    compare,
    running_stretches,
    standing_of,
)


def visit(came_s: float = 100.0, stood_s: float = 4.0, employee: str = "M1", door: str = "a", fps: int = 10) -> Visit:
    """Walks up for a second, stands, walks away for half a second; every picture of the standing is good."""
    from_s = came_s + 1
    good = tuple(from_s + n / fps for n in range(round(stood_s * fps) + 1))
    return Visit(employee, door, came_s, from_s, from_s + stood_s, from_s + stood_s + 0.5, good)


def punch(at_s: float, employee: str = "M1", door: str = "a", **flags: bool) -> Punch:
    return Punch(f"event-{at_s}", employee, door, at_s, flags.get("late", False), flags.get("time_uncertain", False))


@pytest.mark.parametrize(
    ("down", "running"),
    [
        ([], [(10, 20)]),
        ([(12, 14)], [(10, 12), (14, 20)]),
        ([(5, 12)], [(12, 20)]),
        ([(18, 25)], [(10, 18)]),
        ([(5, 25)], []),
        ([(12, 16), (14, 15)], [(10, 12), (16, 20)]),
        ([(15, 17), (12, 16)], [(10, 12), (17, 20)]),
        ([(1, 2), (30, 31)], [(10, 20)]),
        ([(10, 12), (12, 20)], []),
    ],
)
def test_when_a_kiosk_was_running(down, running) -> None:
    assert running_stretches((10, 20), down) == running


SPANS = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 8)).map(lambda one: (one[0], one[0] + one[1])), max_size=6)


@given(SPANS)
def test_running_and_down_are_all_there_is(down) -> None:
    stretches = running_stretches((5, 25), down)
    for at_s in (5.05 + 0.19 * number for number in range(100)):
        is_down = any(a <= at_s < b for a, b in down)
        assert is_down != any(a <= at_s < b for a, b in stretches)


def test_three_seconds_with_three_good_pictures_count() -> None:
    assert standing_of(visit(stood_s=STOOD_S), []) == "counted"
    assert standing_of(visit(stood_s=STOOD_S - 0.1), []) == "too_short"
    few = visit(stood_s=5)
    assert standing_of(replace(few, good_s=few.good_s[:GOOD_NEEDED]), []) == "counted"
    assert standing_of(replace(few, good_s=few.good_s[: GOOD_NEEDED - 1]), []) == "too_short"


def test_walking_up_does_not_count() -> None:
    one = visit(stood_s=2.5)
    assert standing_of(replace(one, came_s=one.came_s - 20), []) == "too_short"


def test_a_killed_kiosk_must_be_back_in_time_for_those_who_stay() -> None:
    one = visit(stood_s=4)  # stands from 101 to 105
    assert standing_of(one, [(101.5, 101.5 + BACK_S)]) == "at_dead_kiosk"
    assert standing_of(visit(stood_s=7), [(101.5, 101.5 + BACK_S)]) == "counted"
    assert standing_of(one, [(104.2, 104.2 + BACK_S)]) == "counted", "three seconds were over before the kill"
    assert standing_of(visit(stood_s=2), [(101.5, 103.5)]) == "too_short"


def test_two_short_stretches_are_not_a_long_one() -> None:
    assert standing_of(visit(stood_s=6), [(103.5, 104.5)]) == "at_dead_kiosk"


def test_everybody_once_at_the_right_time_holds() -> None:
    visits = [visit(), visit(200), visit(100, door="b", employee="M2")]
    found = compare(visits, {}, [punch(102), punch(201.5, late=True), punch(101, "M2", "b")])
    assert found.holds
    assert (found.standing["counted"], found.recorded["counted"]) == (3, 3)


def test_who_counts_and_has_no_punch_is_lost() -> None:
    found = compare([visit(), visit(200)], {}, [punch(102)])
    assert [one.came_s for one in found.lost] == [200]


def test_at_a_dead_kiosk_nobody_is_lost_and_may_be_recorded() -> None:
    down = {"a": [(99.0, 110.0)]}
    assert compare([visit()], down, []).holds
    found = compare([visit()], down, [punch(102)])
    assert found.holds
    assert found.recorded["at_dead_kiosk"] == 1
    assert compare([visit()], {"b": down["a"]}, []).lost, "another door's kiosk is no excuse"


def test_two_punches_of_one_visit_are_one_too_many() -> None:
    found = compare([visit(), visit(200)], {}, [punch(102), punch(103, late=True), punch(202)])
    assert [one.event_id for _, one in found.doubled] == ["event-103"]
    assert not found.lost


def test_a_wrong_time_is_no_loss_but_wrong() -> None:
    one = visit()
    edge = [punch(one.came_s - OFF_S), punch(one.left_s + OFF_S)]
    assert all(compare([one], {}, [at]).holds for at in edge)
    for off in (one.came_s - OFF_S - 0.1, one.left_s + OFF_S + 0.1):
        found = compare([one], {}, [punch(off, late=True)])
        assert [len(part) for part in (found.wrong_time, found.lost, found.doubled)] == [1, 0, 0]
        assert compare([one], {}, [punch(off, time_uncertain=True)]).holds


def test_a_punch_of_somebody_who_never_came_is_invented() -> None:
    found = compare([visit()], {}, [punch(102), punch(102, door="b"), punch(102, employee="M9")])
    assert len(found.invented) == 2


def test_how_long_a_kiosk_was_away() -> None:
    assert back_after_s([10, 20], [9.9, 11.2, 11.3, 21.0]) == pytest.approx([1.2, 1.0])
    assert back_after_s([10, 11], [12.5]) == [1.5], "killed again before it was back"
    assert back_after_s([10], [9]) == []
