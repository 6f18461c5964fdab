"""Arrivals by time of day: each person's first punch in of each day, in quarters of an hour of the site's clock."""

from collections import Counter
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from dashboard.charts.quarters import QUARTER_MS, offsets_ms, place
from dashboard.charts.scope import Scope
from dashboard.models import AttendanceEvent

DAY_MS = 86_400_000


def read(session: Session, scope: Scope) -> dict[int, int]:
    """How many first punches in there are in each quarter since 1970. Counted by the database: at most 96 rows a day."""
    event = AttendanceEvent
    day = (event.captured_ms + _ahead_ms(scope)) // DAY_MS
    first = func.min(event.captured_ms) // QUARTER_MS
    each = select(first.label("quarter")).where(event.direction == "in", *scope.punches())
    found = each.group_by(event.employee_id, day).subquery()
    rows = session.execute(select(found.c.quarter, func.count()).group_by(found.c.quarter))
    return {row[0]: row[1] for row in rows}


def _ahead_ms(scope: Scope) -> Any:
    """How far ahead of UTC the clock is at a punch, for the database: the offset itself, or by when it changes."""
    offsets = offsets_ms(scope.start_ms, scope.end_ms, scope.zone)
    if len(offsets) == 1:
        return offsets[0][1]
    later = [(AttendanceEvent.captured_ms >= from_ms, ahead_ms) for from_ms, ahead_ms in reversed(offsets[1:])]
    return case(*later, else_=offsets[0][1])


def by_time(found: Mapping[int, int], zone: tzinfo) -> dict[int, int]:
    """The same by quarter of the clock (0 to 95), all days together, without gaps from the first to the last."""
    counts: Counter[int] = Counter()
    for quarter, count in found.items():
        counts[place(quarter, zone)[1]] += count
    return {quarter: counts[quarter] for quarter in range(min(counts), max(counts) + 1)} if counts else {}
