"""Corrections, worked by hand: which count, which win, and that nothing disappears."""

from typing import Any

import pytest

from dashboard.days.corrections import Correction, corrected
from tests.dashboard.days.sheet import at, codes, one_day, plan, punches, roles

IN_AND_OUT = "in 08:00, out 17:00"


def fix(number: int, punch: str = "p2", action: str = "change", clock: str = "", **more: Any) -> Correction:
    """Approved in the order of their numbers unless said otherwise."""
    new_ms = at(clock) if clock else None
    values: dict[str, Any] = {"state": "approved", "decided_ms": number, "new_ms": new_ms, **more}
    return Correction(number, punch, action, **values)  # type: ignore[arg-type]


CASES = [
    # 08:00–17:00 = 540, the day without any correction
    ("none", [], 540, "p1 in, p2 out"),
    ("the out's time", [fix(1, clock="16:00")], 480, "p1 in, p2 out"),
    ("added out, after a second in", [fix(1, "a", "add", "12:00", new_direction="out")], 240, "p1 in, a out, p2 already_out"),
    ("out voided", [fix(1, action="void")], 0, "p1 in, p2 voided"),
    ("direction", [fix(1, "p1", new_direction="out")], 0, "p1 no_in, p2 no_in"),
    ("the newest wins", [fix(1, clock="16:00"), fix(2, clock="15:00")], 420, "p1 in, p2 out"),
    # asked first, decided last: the decision counts
    ("newest by decision", [fix(1, clock="16:00", decided_ms=9), fix(2, clock="15:00", decided_ms=5)], 480, "p1 in, p2 out"),
    # the second says nothing about the time, so 16:00 stays
    ("one time, one direction", [fix(1, clock="16:00"), fix(2, new_direction="out")], 480, "p1 in, p2 out"),
    ("correction of a correction", [fix(1, clock="16:00"), fix(2, corrects=1, clock="16:30")], 510, "p1 in, p2 out"),
    ("void of a correction", [fix(1, clock="16:00"), fix(2, action="void", corrects=1)], 540, "p1 in, p2 out"),
    # the older correction is in force again once the newer one is undone
    ("void of the newer", [fix(1, clock="16:00"), fix(2, clock="15:00"), fix(3, action="void", corrects=2)],
     480, "p1 in, p2 out"),
    ("void of a void", [fix(1, action="void"), fix(2, action="void", corrects=1)], 540, "p1 in, p2 out"),
    ("void of a void of a void", [fix(1, action="void"), fix(2, action="void", corrects=1), fix(3, action="void", corrects=2)],
     0, "p1 in, p2 voided"),
    ("a void turned into a change", [fix(1, action="void"), fix(2, corrects=1, clock="16:00")], 480, "p1 in, p2 out"),
    ("changed after it was voided", [fix(1, action="void"), fix(2, clock="16:00")], 480, "p1 in, p2 out"),
    ("an added one corrected", [fix(1, "p2", action="void"), fix(2, "a", "add", "16:00", new_direction="out"),
                                fix(3, "a", corrects=2, clock="15:00")], 420, "p1 in, a out, p2 voided"),
    ("an added one voided", [fix(1, "a", "add", "16:00", new_direction="out"), fix(2, "a", "void", corrects=1)],
     540, "p1 in, a voided, p2 out"),
    ("moved out of order", [fix(1, clock="07:00")], 0, "p2 no_in, p1 in"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "attended", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_corrections(about: list[Correction], attended: int, expected: str) -> None:
    day = one_day(plan(), IN_AND_OUT, tuple(about))
    assert (day.minutes.attended, roles(day)) == (attended, expected)


@pytest.mark.parametrize("state", ["asked", "refused", "withdrawn"])
@pytest.mark.parametrize(
    "about",
    [fix(1, clock="16:00"), fix(1, action="void"), fix(1, "a", "add", "12:00", new_direction="out")],
    ids=["change", "void", "add"],
)
def test_what_was_not_approved_changes_nothing(about: Correction, state: Any) -> None:
    plain = one_day(plan(), IN_AND_OUT)
    values = {name: getattr(about, name) for name in ("id", "punch_id", "action", "new_ms", "new_direction")}
    day = one_day(plan(), IN_AND_OUT, (Correction(state=state, **values),))
    assert (day.minutes, day.intervals, day.statuses, roles(day)) == (
        plain.minutes,
        plain.intervals,
        plain.statuses,
        roles(plain),
    )
    assert ("correction_waiting" in codes(day)) is (state == "asked")


def test_one_that_corrects_what_was_refused_changes_nothing() -> None:
    refused = fix(1, clock="16:00", state="refused")
    assert one_day(plan(), IN_AND_OUT, (refused, fix(2, corrects=1, clock="15:00"))).minutes.attended == 540


def test_everything_stays_visible() -> None:
    about = (fix(1, clock="16:00"), fix(2, corrects=1, clock="16:30"), fix(3, action="void", state="refused"))
    out = one_day(plan(), IN_AND_OUT, about).punches[1].punch
    assert (out.original_ms, out.at_ms, out.trail) == (at("17:00"), at("16:30"), (1, 2, 3))


def test_a_corrected_time_is_certain_and_told() -> None:
    assert codes(one_day(plan(), "in 08:00?, out 17:00", (fix(1, "p1", clock="08:00"),))) == ["corrected"]


def test_a_corrected_punch_is_no_repetition() -> None:
    day = one_day(plan(), "in 08:00, in 08:00:30, out 17:00", (fix(1, "p2", clock="08:00", new_direction="out"),))
    assert roles(day) == "p1 in, p2 out, p3 already_out"


def test_a_punch_that_was_moved_to_another_day_leaves_a_note() -> None:
    day = one_day(plan(), IN_AND_OUT, (fix(1, clock="08:00+1"),))
    assert (roles(day), codes(day)) == ("p1 in", ["moved_away"])


def test_in_turn_goes_on_from_a_direction_that_hr_set() -> None:
    """p2 was read as out; HR says in, so that p1 lacks its out: p3 closes the day."""
    day = one_day(plan(reading="alternate"), "in 08:00, in 09:00, in 17:00", (fix(1, "p2", new_direction="in"),))
    assert roles(day) == "p1 in, p2 already_in, p3 out"


def test_corrections_that_point_in_a_circle_or_at_nothing_do_no_harm() -> None:
    about = [fix(1, corrects=2, clock="15:00"), fix(2, corrects=1, clock="16:00"), fix(3, "gone", clock="12:00")]
    found = corrected(punches(IN_AND_OUT), about)
    assert [punch.at_ms for punch in found.punches] == [at("08:00"), at("17:00")]
    assert found.astray == (3,)


def test_a_long_chain_is_no_trouble() -> None:
    chain = [fix(1, action="void")] + [fix(n, action="void", corrects=n - 1) for n in range(2, 5_001)]
    (punch,) = corrected(
        punches("in 08:00")[:1], [Correction(**{**_fields(c), "punch_id": "p1"}) for c in chain]
    ).punches
    assert not punch.voided  # 5,000 voids: an even number


def _fields(one: Correction) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}
