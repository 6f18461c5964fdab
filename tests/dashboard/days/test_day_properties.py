"""What holds for every day: sums, order, and that no punch is lost or counted twice."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboard.days.breaks import AutomaticBreak, Breaks
from dashboard.days.calendar import Plan, begins_ms
from dashboard.days.clock import MINUTE_MS, minutes
from dashboard.days.corrections import Corrected, Correction, Punch, corrected
from dashboard.days.day import STATUSES, Day
from dashboard.days.days_off import Holiday, Leave
from dashboard.days.month import days_in_row, totals, turns_of
from dashboard.days.notes import CODES
from dashboard.days.overtime import INDONESIA_5_DAYS, Overtime
from dashboard.days.policy import AutoOut, Policy
from dashboard.days.punches import collapse
from dashboard.days.rounding import Rounding
from dashboard.days.shifts import Shift
from tests.dashboard.days.sheet import BERLIN, JAKARTA, NEW_YORK, wall_ms

QUICK = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIRST = date(2026, 10, 22)
"""Around the end of summer time in Berlin, the 25th, and before New York's."""
SPAN_MS = 8 * 86_400_000
START_MS = wall_ms(FIRST, 0, BERLIN)

HALVES = st.sampled_from([None, "first", "second"])
WAYS = st.sampled_from(["nearest", "up", "down"])


@st.composite
def shifts(draw: Any) -> Shift | None:
    if draw(st.integers(0, 3)) == 0:
        return None
    start = draw(st.integers(0, 1_439))
    length = draw(st.integers(30, min(1_440, 2_520 - start)))
    if draw(st.booleans()):
        return Shift(start, start + length, break_min=draw(st.integers(0, 29)), count_before=draw(st.booleans()))
    required = draw(st.integers(1, length))
    return Shift(start, start + length, "flexible", required, count_after=draw(st.booleans()))


policies = st.builds(
    Policy,
    reading=st.sampled_from(["kiosk", "alternate", "first_last"]),
    cooldown_s=st.sampled_from([0, 60, 600]),
    grace_in_min=st.integers(0, 30),
    grace_out_min=st.integers(0, 30),
    rounding=st.builds(Rounding, st.sampled_from([1, 5, 15, 30, 60]), WAYS, WAYS),
    breaks=st.sampled_from([Breaks(), Breaks((AutomaticBreak(240, 60),), paid_min=15), Breaks(longest_min=0)]),
    overtime=st.sampled_from([Overtime(), INDONESIA_5_DAYS, Overtime(least_min=30, unit_min=15)]),
    minimum_min=st.sampled_from([0, 120]),
    maximum_min=st.sampled_from([None, 300, 600]),
    auto_out=st.builds(AutoOut, st.sampled_from(["never", "shift_end", "limit"]), st.integers(1, 900)),
    turns_at_min=st.integers(0, 720),
    before_min=st.integers(0, 720),
    after_min=st.integers(0, 720),
)


@st.composite
def plans(draw: Any) -> list[Plan]:
    """Eight days in a row; rules, zone and shift may change from one day to the next."""
    zone, policy = draw(st.sampled_from([BERLIN, NEW_YORK, JAKARTA])), draw(policies)
    found = []
    for number in range(8):
        if draw(st.integers(0, 5)) == 0:
            zone, policy = draw(st.sampled_from([BERLIN, NEW_YORK, JAKARTA])), draw(policies)
        found.append(
            Plan(
                FIRST + timedelta(days=number),
                zone,
                draw(shifts()),
                policy,
                tuple(Holiday("Feast", half) for half in draw(st.lists(HALVES, max_size=1))),
                tuple(Leave("annual", half=half) for half in draw(st.lists(HALVES, max_size=2))),
                has_pattern=draw(st.integers(0, 4)) > 0,
            )
        )
    return found


moments = st.integers(0, SPAN_MS).map(lambda ms: START_MS + ms)
directions = st.sampled_from(["in", "out"])


@st.composite
def some_punches(draw: Any) -> list[Punch]:
    made = draw(st.lists(st.tuples(moments, directions, st.booleans()), max_size=25))
    near = [(at + draw(st.integers(0, 120_000)), way, sure) for at, way, sure in made if draw(st.booleans())]
    return [Punch(f"e{i}", at, way, "door", sure) for i, (at, way, sure) in enumerate([*made, *near])]


@st.composite
def some_corrections(
    draw: Any, states: tuple[str, ...] = ("asked", "approved", "refused", "withdrawn")
) -> list[Correction]:
    """Of punches e0 … e9, of one another, or of punches that they add."""
    found: list[Correction] = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        older = draw(st.sampled_from([None, *found]))
        action = draw(st.sampled_from(["void", "change"] if older else ["void", "change", "add"]))
        punch_id = older.punch_id if older else f"a{number}" if action == "add" else f"e{draw(st.integers(0, 9))}"
        new_ms = draw(moments) if action == "add" else draw(st.none() | moments)
        new_direction = draw(directions) if action == "add" else draw(st.none() | directions)
        state, decided_ms = draw(st.sampled_from(states)), draw(st.integers(1, 5))
        corrects = older.id if older else None
        found.append(Correction(number, punch_id, action, state, decided_ms, new_ms, new_direction, corrects))
    return found


def in_row(plan: list[Plan], given_punches: Corrected, as_of_ms: int) -> tuple[Day, ...]:
    return days_in_row(plan, turns_of(plan), given_punches, as_of_ms)


def whole(days: tuple[Day, ...]) -> list[str]:
    return [use.punch.id for day in days for use in day.punches]


@QUICK
@given(plans(), some_punches(), some_corrections(), moments)
def test_the_parts_of_every_day_are_its_whole(plan, punches, corrections, as_of_ms) -> None:
    days = in_row(plan, corrected(punches, corrections), as_of_ms)
    for day in days:
        sums = day.minutes
        assert sums.attended == minutes(sum(one.end_ms - one.start_ms for one in day.intervals))
        assert sums.attended + sums.break_paid == sums.worked + sums.break_automatic + sums.over_maximum
        assert sums.worked == sums.regular + sums.overtime_total + sums.uncounted
        owed = sums.required - sums.holiday - sums.regular - sums.leave
        assert sums.missing == (max(0, owed) if as_of_ms >= day.ends_ms else 0)
        assert all(value >= 0 for value in (getattr(sums, f) for f in sums.__dataclass_fields__ if f != "overtime"))
        assert all(one.start_ms < one.end_ms and one.start_ms % MINUTE_MS == 0 for one in day.intervals)
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(day.intervals))
        assert list(day.statuses) == [status for status in STATUSES if status in day.statuses] != []
        assert {note.code for note in day.notes} <= set(CODES)
    assert totals(days).minutes.worked == sum(day.minutes.worked for day in days)
    assert totals(days).minutes.overtime_total == sum(day.minutes.overtime_total for day in days)


@QUICK
@given(plans(), some_punches(), some_corrections(), st.randoms(use_true_random=False))
def test_the_same_events_in_any_order_give_the_same_days(plan, punches, corrections, random) -> None:
    before = in_row(plan, corrected(punches, corrections), START_MS + SPAN_MS)
    punches, corrections = list(punches), list(corrections)
    random.shuffle(punches)
    random.shuffle(corrections)
    assert in_row(plan, corrected(punches, corrections), START_MS + SPAN_MS) == before


@QUICK
@given(plans(), some_punches(), some_corrections())
def test_every_punch_is_in_exactly_one_day(plan, punches, corrections) -> None:
    given_punches = corrected(punches, corrections)
    days = in_row(plan, given_punches, START_MS + SPAN_MS)
    from_ms, to_ms = begins_ms(plan[0], plan[1]), begins_ms(plan[-2], plan[-1])
    inside = [punch.id for punch in given_punches.punches if from_ms <= punch.at_ms < to_ms]
    assert sorted(whole(days)) == sorted(inside)
    for day in days:
        assert all(day.begins_ms <= use.punch.at_ms < day.ends_ms for use in day.punches)
    assert all(a.ends_ms == b.begins_ms for a, b in pairwise(days))


@QUICK
@given(plans(), some_punches(), st.integers(1, 5))
def test_a_day_is_the_same_in_whatever_range_it_is_asked_for(plan, punches, cut) -> None:
    given_punches, as_of_ms = corrected(punches, ()), START_MS + SPAN_MS
    together = in_row(plan, given_punches, as_of_ms)
    apart = in_row(plan[: cut + 2], given_punches, as_of_ms) + in_row(plan[cut:], given_punches, as_of_ms)
    assert apart == together


@QUICK
@given(plans(), some_punches(), some_corrections(("asked", "refused", "withdrawn")))
def test_corrections_that_were_not_approved_change_nothing(plan, punches, corrections) -> None:
    def counts(about: list[Correction]) -> list[Any]:
        days = in_row(plan, corrected(punches, about), START_MS + SPAN_MS)
        return [
            (d.minutes, d.intervals, d.statuses, [(u.punch.id, u.role, u.repeats) for u in d.punches]) for d in days
        ]

    assert counts(corrections) == counts([])


@QUICK
@given(some_punches(), some_corrections(), st.sampled_from(["kiosk", "alternate", "first_last"]), st.integers(0, 600))
def test_collapsing_what_was_collapsed_changes_nothing(punches, corrections, reading, cooldown_s) -> None:
    kept, repeated = collapse(corrected(punches, corrections).punches, reading, cooldown_s)
    assert collapse(kept, reading, cooldown_s) == (kept, [])
    assert {use.repeats for use in repeated} <= {punch.id for punch in kept}
    assert len(kept) + len(repeated) == len(corrected(punches, corrections).punches)
