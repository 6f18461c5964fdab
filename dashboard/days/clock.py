"""From the wall clock to UTC milliseconds, the only place where a day's rules read a time zone."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
DAY_MIN = 24 * 60


@lru_cache(maxsize=65_536)
def wall_ms(day: date, minute: int, zone: ZoneInfo) -> int:
    """UTC milliseconds of `minute` minutes on the wall clock after the midnight that begins `day`.

    1,440 and more is the next day. When clocks are put forward, a time that they skip is read as if they hadn't been
    yet (02:30 is then shown as 03:30). When they are put back, a time that comes twice means the first one.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return int(wall.replace(tzinfo=zone, fold=0).timestamp()) * 1000


def whole_minute(at_ms: int) -> int:
    """`at_ms` without its seconds: the minute that the kiosk's screen showed."""
    return at_ms - at_ms % MINUTE_MS


def minutes(ms: int) -> int:
    """Whole minutes in `ms`."""
    return ms // MINUTE_MS
