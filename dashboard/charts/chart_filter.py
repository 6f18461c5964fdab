"""What the charts are asked for, read from a query string: a period, a department, a site, a day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _

from dashboard.months.asked_days import day_range
from dashboard.web.filter_texts import read_texts

MOST_DAYS = 92
"""A quarter of a year."""
USUAL_DAYS = 7
FIELDS = ("from", "to", "department", "site", "day")
NO_SITE = "none"
"""Stands for the doors that belong to no site."""


@dataclass(frozen=True)
class ChartFilter:
    """`start` and `end` are calendar days, both included. `site` is the number of one as text, NO_SITE, or empty for all.

    `day` is the one whose occupancy is shown; None: all days of the period together.
    """

    start: date
    end: date
    department: str = ""
    site: str = ""
    day: date | None = None

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=number) for number in range((self.end - self.start).days + 1)]

    def query_string(self) -> dict[str, str]:
        """The filter as the page's own query."""
        values = {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "department": self.department,
            "site": self.site,
            "day": self.day.isoformat() if self.day else "",
        }
        return {name: value for name, value in values.items() if value}


def quick_ranges(today: date) -> list[tuple[str, date, date]]:
    """Words, first and last day of the periods that are asked for most. Weeks begin on Monday; none goes beyond today."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    before = first - timedelta(days=1)
    return [
        (_("This week"), monday, today),
        (_("Last week"), monday - timedelta(days=7), monday - timedelta(days=1)),
        (_("This month"), first, today),
        (_("Last month"), before.replace(day=1), before),
    ]


def read_filter(args: Mapping[str, str], today: date, sites: Collection[str]) -> tuple[ChartFilter, list[str]]:
    """The filter in `args`, and what is wrong with it in words (then what is wrong is left out of the filter).

    Without days it is the last week, today included; without its end the period ends today, or after a week if it begins
    later; without its beginning it is a week.
    """
    problems: list[str] = []
    texts = read_texts(args, FIELDS, problems)
    start, end = _period(texts, today, problems)
    if texts["site"] and texts["site"] not in sites:
        problems.append(_("Site “%(text)s” is not known; choose one of the list.", text=texts["site"][:40]))
        texts["site"] = ""
    day = _day(texts["day"], start, end, problems)
    return ChartFilter(start, end, texts["department"], texts["site"], day), problems


def _period(texts: Mapping[str, str], today: date, problems: list[str]) -> tuple[date, date]:
    wrong = len(problems)
    start, end = day_range(texts, problems)
    week = timedelta(days=USUAL_DAYS - 1)
    if len(problems) > wrong:
        return today - week, today
    if end is None:
        end = today if start is None or start <= today else start + week
    start = start or end - week
    count = (end - start).days + 1
    if count > MOST_DAYS:
        problems.append(
            _(
                "From %(start)s to %(end)s are %(count)d days; charts hold at most %(most)d. Choose a shorter period.",
                start=start,
                end=end,
                count=count,
                most=MOST_DAYS,
            )
        )
        return today - week, today
    return start, end


def _day(text: str, start: date, end: date, problems: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:40])
    except ValueError:
        problems.append(_("Day “%(text)s” is not a date; write it as 2026-11-23.", text=text[:40]))
        return None
    if not start <= day <= end:
        problems.append(_("Day %(day)s is not in the period; choose one of its days.", day=day))
        return None
    return day
