"""The rules of a punch, as pure functions: in or out, twice or once, and the site's own clock."""

from datetime import UTC, date, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from worker.protocol.outcomes import Direction

KioskDirection = Literal["in", "out", "alternate"]


def known_zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name; None without one, or where this machine doesn't know it."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_named(name: str | None, default: ZoneInfo) -> ZoneInfo:
    """The same, with `default` instead of None."""
    return known_zone(name) or default


def local_datetime(captured_ms: int, zone: tzinfo) -> datetime:
    """`captured_ms` (UTC milliseconds) on the site's clock."""
    return datetime.fromtimestamp(captured_ms / 1000, UTC).astimezone(zone)


def local_date(captured_ms: int, zone: tzinfo) -> date:
    """The site's calendar day of `captured_ms`."""
    return local_datetime(captured_ms, zone).date()


def local_time(captured_ms: int, zone: tzinfo) -> str:
    """HH:MM on the site's clock."""
    return f"{local_datetime(captured_ms, zone):%H:%M}"


def day_bounds_ms(day: date, zone: tzinfo) -> tuple[int, int]:
    """First millisecond of the site's calendar day, and of the next one. A day may have 23 or 25 hours."""
    following = date.fromordinal(day.toordinal() + 1)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, following))
    return round(start.timestamp() * 1000), round(end.timestamp() * 1000)


def is_duplicate(captured_ms: int, other_ms: int, gap_s: float) -> bool:
    """Whether two captures of one person at one kiosk are one presence: at most `gap_s` apart, whichever came first."""
    return abs(captured_ms - other_ms) <= gap_s * 1000


def direction_for(kiosk: KioskDirection, last_today: Direction | None) -> Direction:
    """What a punch means: the door's own direction, or on an alternating door in first, then the opposite of the last.

    `last_today` is of the person's own day (planning/plans.py), so that leaving at 01:30 of a night shift is out.
    """
    if kiosk != "alternate":
        return Direction(kiosk)
    return Direction.OUT if last_today is Direction.IN else Direction.IN
