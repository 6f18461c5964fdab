"""Days of a calendar as a filter's query names them, and the first and last that any of the product's lists and forms knows."""

from collections.abc import Mapping
from datetime import date

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


def day_range(texts: Mapping[str, str], problems: list[str]) -> tuple[date | None, date | None]:
    """`from` and `to` of a query, both included; None for what is empty or wrong, and words about it in `problems`."""
    start, end = _day("From", texts["from"], problems), _day("To", texts["to"], problems)
    if start and end and start > end:
        problems.append(f"From {start} is after to {end}; swap them.")
    return start, end


def _day(name: str, text: str, problems: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:40])
    except ValueError:
        problems.append(f"{name} “{text[:40]}” is not a date; write it as 2026-11-23.")
        return None
    if not FIRST_DAY <= day <= LAST_DAY:
        problems.append(f"{name} “{text[:40]}” is outside {FIRST_DAY.year} to {LAST_DAY.year}.")
        return None
    return day
