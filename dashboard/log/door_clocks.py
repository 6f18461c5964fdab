"""Days of the log are those of each door's own clock, as its rows show them, wherever the doors are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from dashboard.models import AttendanceEvent, DecisionRecord, Kiosk, Site
from dashboard.recording.attendance_rules import day_bounds_ms, zone_named

EARLIEST_MS, LATEST_MS = 14 * 3_600_000, 12 * 3_600_000
"""No place begins a day longer before UTC does, or longer after it."""


@dataclass(frozen=True)
class Span:
    """A range of days: `start_ms` and `end_ms` bound it at every door (None: without end), `conditions` say it exactly.

    Each condition is one that an index over captured_ms serves; only rows near its edges are asked for their clock.
    """

    start_ms: int | None
    end_ms: int | None
    conditions: tuple[Any, ...]


def span(session: Session, first: date | None, last: date | None, main: ZoneInfo) -> Span:
    """From `first` to `last`, both included; `main` is the clock of doors without a site."""
    after = date.fromordinal(last.toordinal() + 1) if last else None
    zones = _zones(session, [day for day in (first, after) if day], main) if first or after else {}
    time, conditions = DecisionRecord.captured_ms, list[Any]()
    starts, ends = _turns(first, zones, main), _turns(after, zones, main)
    if starts:
        conditions += [time >= min(starts.values()), *_at_its_door(starts, main, time.__ge__)]
    if ends:
        conditions += [time < max(ends.values()), *_at_its_door(ends, main, time.__lt__)]
    return Span(min(starts.values(), default=None), max(ends.values(), default=None), tuple(conditions))


def _zones(session: Session, edges: Iterable[date], main: ZoneInfo) -> dict[str, ZoneInfo]:
    """By name those of the sites, and those that punches near the edges were recorded by: a site's may have changed."""
    names = {main.key, *session.scalars(select(Site.time_zone).distinct())}
    event = AttendanceEvent
    for day in edges:
        turn = day_bounds_ms(day, UTC)[0]
        near = event.captured_ms.between(turn - EARLIEST_MS, turn + LATEST_MS)
        names |= set(
            session.scalars(select(event.time_zone).where(near, event.time_zone.not_in(sorted(names))).distinct())
        )
    return {name: zone_named(name, main) for name in names}


def _turns(day: date | None, zones: dict[str, ZoneInfo], main: ZoneInfo) -> dict[str, int]:
    """When `day` begins by each clock."""
    return {name: day_bounds_ms(day, zone)[0] for name, zone in zones.items()} if day else {}


def _at_its_door(turns: dict[str, int], main: ZoneInfo, compared: Any) -> list[Any]:
    """`compared` with the moment at the row's own clock, which is looked up only between the first and the last turn."""
    first, last = min(turns.values()), max(turns.values())
    if first == last:
        return []
    time = DecisionRecord.captured_ms
    moments = {name: literal(ms, time.type) for name, ms in turns.items()}
    own = case(moments, value=shown_zone(), else_=moments[main.key])
    beyond = ((time < first, literal(first, time.type)), (time >= last, literal(last, time.type)))
    return [compared(case(*beyond, else_=own))]


def shown_zone() -> Any:
    """The name that log_query.rows has as `time_zone`, for conditions."""
    punched = select(AttendanceEvent.time_zone).where(AttendanceEvent.event_id == DecisionRecord.event_id)
    here = select(Site.time_zone).join(Kiosk, Kiosk.site_id == Site.id).where(Kiosk.name == DecisionRecord.kiosk)
    return func.coalesce(
        punched.correlate(DecisionRecord).scalar_subquery(), here.correlate(DecisionRecord).scalar_subquery()
    )


def of_doors(session: Session, kiosk: str, main: ZoneInfo) -> set[str]:
    """Names of the clocks of all doors, or of the `kiosk`; never empty."""
    query = select(Site.time_zone).select_from(Kiosk).outerjoin(Site, Site.id == Kiosk.site_id).distinct()
    if kiosk:
        query = query.where(Kiosk.name == kiosk)
    return {zone_named(name, main).key for name in session.scalars(query)} or {main.key}


def of_rows(rows: Iterable[Any], main: ZoneInfo) -> set[str]:
    """Names of the clocks that these rows of the log show."""
    return {zone_named(row.time_zone, main).key for row in rows}
