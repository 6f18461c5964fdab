"""Days of a calendar as a filter's query names them, and the first and last that any of the product's lists and forms knows."""

from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


def day_range(texts: Mapping[str, str], problems: list[str]) -> tuple[date | None, date | None]:
    """`from` and `to` of a query, both included; None for what is empty or wrong, and words about it in `problems`."""
    start, end = one_day(_("From"), texts["from"], problems), one_day(_("To"), texts["to"], problems)
    if start and end and start > end:
        problems.append(_("From %(start)s is after to %(end)s; swap them.", start=start, end=end))
    return start, end


def one_day(name: str, text: str, problems: list[str]) -> date | None:
    """None for what is empty or wrong, and words about it in `problems`."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:40])
    except ValueError:
        problems.append(_("%(name)s “%(text)s” is not a date; write it as 2026-11-23.", name=name, text=text[:40]))
        return None
    if not FIRST_DAY <= day <= LAST_DAY:
        problems.append(
            _(
                "%(name)s “%(text)s” is outside %(first)s to %(last)s.",
                name=name,
                text=text[:40],
                first=FIRST_DAY.year,
                last=LAST_DAY.year,
            )
        )
        return None
    return day
