"""Quarters of an hour since 1970, and where they are on a site's calendar and clock.

Every zone's offset since 2000 is a multiple of 15 minutes, so a quarter of UTC is one of each clock.
"""

from datetime import date, tzinfo

from dashboard.recording.attendance_rules import local_datetime

QUARTER_MS = 15 * 60_000
A_DAY = 96
"""Quarters on a clock; a day on which clocks change has more or fewer."""


def place(quarter: int, zone: tzinfo) -> tuple[date, int]:
    """The day, and the quarter of its clock (0 to 95), at which `quarter` begins."""
    moment = local_datetime(quarter * QUARTER_MS, zone)
    return moment.date(), moment.hour * 4 + moment.minute // 15


def clock(quarter: int) -> str:
    """`07:45` of 31; `24:00` of 96."""
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def offsets_ms(start_ms: int, end_ms: int, zone: tzinfo) -> list[tuple[int, int]]:
    """From when on the zone's clock is how far ahead of UTC, both in milliseconds; the first is that at `start_ms`."""
    found: list[tuple[int, int]] = []
    for at_ms in range(start_ms - start_ms % QUARTER_MS, end_ms, QUARTER_MS):
        offset = local_datetime(at_ms, zone).utcoffset()
        ahead_ms = round(offset.total_seconds() * 1000) if offset else 0
        if not found or found[-1][1] != ahead_ms:
            found.append((at_ms, ahead_ms))
    return found
