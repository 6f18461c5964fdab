"""A row of days of one person, and their totals."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import pairwise

from dashboard.days.calendar import Plan, begins_ms
from dashboard.days.corrections import Corrected, CorrectedPunch
from dashboard.days.day import Day, Minutes, day_of
from dashboard.days.notes import Note
from dashboard.days.overtime import OvertimePart


def turns_of(plans: Sequence[Plan]) -> list[int]:
    """When the days of `plans` begin, from the second one on; `plans` are of consecutive days, or ValueError is raised."""
    if len(plans) < 3 or any(b.day - a.day != timedelta(days=1) for a, b in pairwise(plans)):
        raise ValueError("plans: at least three days in a row are needed, with the day before and the day after")
    return [begins_ms(a, b) for a, b in pairwise(plans)]


def days_in_row(plans: Sequence[Plan], turns: Sequence[int], given: Corrected, as_of_ms: int) -> tuple[Day, ...]:
    """The days of `plans`, without the first and the last, which only say where their neighbours begin and end.

    `turns` are turns_of(plans), which people with the same plans share. Punches outside these days are left to others.
    """
    punches: list[list[CorrectedPunch]] = [[] for _ in turns]
    hints: list[list[Note]] = [[] for _ in turns]
    last = len(turns) - 1
    for punch in given.punches:
        place = bisect_right(turns, punch.at_ms) - 1
        if 0 <= place < last:
            punches[place].append(punch)
        if punch.original_ms is not None and punch.original_ms != punch.at_ms:
            was = bisect_right(turns, punch.original_ms) - 1
            if 0 <= was < last and was != place:
                hints[was].append(Note("moved_away", about=punch.id))
    for number, at_ms in given.asked:
        place = bisect_right(turns, at_ms) - 1
        if 0 <= place < last:
            hints[place].append(Note("correction_waiting", number))
    return tuple(
        day_of(plan, turns[i], turns[i + 1], punches[i], as_of_ms, hints[i]) for i, plan in enumerate(plans[1:-1])
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """`minutes` are the days' sums, overtime by percent from the lowest; `statuses` counts days."""

    days: int
    minutes: Minutes
    statuses: dict[str, int]


def totals(days: Iterable[Day]) -> Totals:
    days = tuple(days)
    sums: Counter[str] = Counter()
    overtime: Counter[int] = Counter()
    statuses: Counter[str] = Counter()
    for day in days:
        for name in _SUMMED:
            sums[name] += getattr(day.minutes, name)
        for part in day.minutes.overtime:
            overtime[part.percent] += part.minutes
        statuses.update(day.statuses)
    parts = tuple(OvertimePart(percent, overtime[percent]) for percent in sorted(overtime))
    return Totals(len(days), Minutes(overtime=parts, **sums), dict(statuses))


_SUMMED = tuple(field.name for field in fields(Minutes) if field.name != "overtime")
