"""Holidays in the database: what an import would change, and the import."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from dashboard.models import Holiday
from dashboard.planning.holiday_calendars import FoundHoliday

Source = Literal["entered", "icalendar", "country"]


@dataclass(frozen=True)
class Preview:
    new: tuple[FoundHoliday, ...]
    known: tuple[FoundHoliday, ...]
    """Free already, whatever the day is called here: an import changes nothing about them."""
    only_here: tuple[Holiday, ...]
    """Of the same year, but not in what was found; an import leaves them as they are."""


def of_year(session: Session, year: int, site_id: int | None) -> list[Holiday]:
    """The holidays that count at a site, those of all sites too; without one, only those of all sites."""
    where = Holiday.site_id.is_(None) if site_id is None else or_(Holiday.site_id.is_(None), Holiday.site_id == site_id)
    query = select(Holiday).where(Holiday.day.between(date(year, 1, 1), date(year, 12, 31)), where)
    return list(session.scalars(query.order_by(Holiday.day, Holiday.id)))


def preview(session: Session, found: Iterable[FoundHoliday], year: int, site_id: int | None) -> Preview:
    here = of_year(session, year, site_id)
    free = {one.day for one in here if one.half is None}
    found = tuple(found)
    days = {one.day for one in found}
    return Preview(
        tuple(one for one in found if one.day not in free),
        tuple(one for one in found if one.day in free),
        tuple(one for one in here if one.day not in days),
    )


def add(
    session: Session,
    found: Iterable[FoundHoliday],
    site_id: int | None,
    *,
    source: Source,
    by: str,
    now_ms: int,
    half: Literal["first", "second"] | None = None,
) -> int:
    """Store those that aren't there yet by day, name and half; returns how many were new."""
    found = tuple(found)
    same_site = Holiday.site_id.is_(None) if site_id is None else Holiday.site_id == site_id
    known = select(Holiday.day, Holiday.name).where(same_site, Holiday.day.in_([one.day for one in found]))
    known = known.where(Holiday.half.is_(None) if half is None else Holiday.half == half)
    there = {(row.day, row.name) for row in session.execute(known)}
    new = [one for one in dict.fromkeys(found) if (one.day, one.name) not in there]
    entered = {"site_id": site_id, "half": half, "source": source, "entered_ms": now_ms, "entered_by": by}
    session.add_all(Holiday(day=one.day, name=one.name, **entered) for one in new)
    return len(new)


def remove(session: Session, holiday_id: int) -> bool:
    """Whether it was there."""
    return session.execute(delete(Holiday).where(Holiday.id == holiday_id).returning(Holiday.id)).scalar() is not None
