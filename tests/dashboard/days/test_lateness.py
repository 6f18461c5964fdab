"""Lateness alone says the same as the whole day."""

from datetime import timedelta

from hypothesis import given

from dashboard.days.corrections import corrected
from dashboard.days.due import due_of
from dashboard.days.lateness import came_as_corrected, came_as_recorded, planned_days
from dashboard.days.month import turns_of
from tests.dashboard.days.sheet import LONG_AFTER_MS, MONDAY, OFFICE, at, plan
from tests.dashboard.days.test_day_properties import QUICK, in_row, moments, plans, some_corrections, some_punches


@QUICK
@given(plans(), some_punches(), some_corrections(), moments)
def test_minutes_late_are_those_of_the_day(plan, punches, corrections, as_of_ms) -> None:
    turns, dues = turns_of(plan), [due_of(one) for one in plan]
    recorded = sorted((one.at_ms, one.id, one.direction) for one in punches)
    ways = (
        (corrections, came_as_corrected(plan, turns, corrected(punches, corrections))),
        ([], came_as_recorded(plan, turns, [(at_ms, direction) for at_ms, _, direction in recorded])),
    )
    for said, came in ways:
        for now_ms in (as_of_ms, LONG_AFTER_MS):
            late = {one.day: one.late_min for one in planned_days(plan, dues, came, now_ms)}
            for due, day in zip(dues[1:-1], in_row(plan, corrected(punches, said), now_ms), strict=True):
                begun = due.punctual and due.start_ms is not None and due.start_ms <= now_ms
                assert (day.day in late) is begun
                assert not begun or late[day.day] == day.minutes.late


def test_a_shift_that_has_not_begun_is_not_planned_yet() -> None:
    row = [plan(OFFICE, day=MONDAY + timedelta(days=number)) for number in (-1, 0, 1)]
    for now, begun in (("07:59", 0), ("08:00", 1)):
        assert len(planned_days(row, [due_of(one) for one in row], [None], at(now))) == begun
