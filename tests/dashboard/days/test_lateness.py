"""Lateness alone says the same as the whole day."""

from datetime import timedelta

from hypothesis import given

from dashboard.days.corrections import corrected
from dashboard.days.due import due_of
from dashboard.days.lateness import planned_days
from dashboard.days.month import turns_of
from tests.dashboard.days.sheet import LONG_AFTER_MS, MONDAY, OFFICE, at, plan
from tests.dashboard.days.test_day_properties import QUICK, in_row, moments, plans, some_corrections, some_punches


@QUICK
@given(plans(), some_punches(), some_corrections(), moments)
def test_minutes_late_are_those_of_the_day(plan, punches, corrections, as_of_ms) -> None:
    row = corrected(punches, corrections)
    for now_ms in (as_of_ms, LONG_AFTER_MS):
        late = {one.day: one.late_min for one in planned_days(plan, turns_of(plan), row, now_ms)}
        for of, day in zip(plan[1:-1], in_row(plan, row, now_ms), strict=True):
            due = due_of(of)
            begun = due.punctual and due.start_ms is not None and due.start_ms <= now_ms
            assert (day.day in late) is begun
            assert not begun or late[day.day] == day.minutes.late


def test_a_shift_that_has_not_begun_is_not_planned_yet() -> None:
    row = [plan(OFFICE, day=MONDAY + timedelta(days=number)) for number in (-1, 0, 1)]
    for now, begun in (("07:59", 0), ("08:00", 1)):
        assert len(planned_days(row, turns_of(row), corrected([], []), at(now))) == begun
