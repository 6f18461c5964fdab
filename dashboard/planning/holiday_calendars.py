"""Holidays from elsewhere: an iCalendar file, or a country's calendar in the `holidays` package. Nothing is stored here."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import holidays
import icalendar
from flask_babel import gettext as _

from dashboard.web.locales import number_words

MOST_BYTES = 1_000_000
MOST_EVENTS = 5_000
LONGEST_DAYS = 31
"""A longer event is somebody's project, not a holiday."""
LONGEST_NAME = 200
MOST_PROBLEMS = 20
FIRST_YEAR, LAST_YEAR = 2000, 2099


class CalendarError(ValueError):
    """A calendar that can't be read; the message says why and what to do."""


@dataclass(frozen=True, order=True)
class FoundHoliday:
    day: date
    name: str


@dataclass(frozen=True)
class FoundHolidays:
    """Those of the year that was asked for, by day, and in words what was left out."""

    days: tuple[FoundHoliday, ...]
    problems: tuple[str, ...] = ()


def countries() -> dict[str, list[str]]:
    """Codes of the countries that are known, each with its subdivisions."""
    return {code: list(parts) for code, parts in holidays.list_supported_countries(include_aliases=False).items()}


def of_country(country: str, subdivision: str, year: int, joint_leave: bool = False) -> FoundHolidays:
    """Public holidays in the country's own language; `joint_leave` adds days that its government declares free besides
    (Indonesia's cuti bersama). Raises CalendarError for a country, subdivision or year that isn't known.

    Names say where a date is an estimate: those that go by the moon are settled each year by the government.
    """
    _known_year(year)
    known = countries()
    if country not in known:
        raise CalendarError(
            _("country “%(country)s”: not known; use a code of two letters such as ID", country=country[:40])
        )
    if subdivision and subdivision not in known[country]:
        words = (
            _("subdivision “%(subdivision)s” of %(country)s: not known; use one of %(known)s")
            if known[country]
            else _("subdivision “%(subdivision)s” of %(country)s: not known; leave it empty")
        )
        values = {"subdivision": subdivision[:40], "country": country, "known": ", ".join(known[country])}
        raise CalendarError(words % values)
    kind: Any = getattr(holidays, country)
    wanted = ("public", "government") if joint_leave and "government" in kind.supported_categories else ("public",)
    found = holidays.country_holidays(
        country,
        subdiv=subdivision or None,
        years=year,
        language=kind.default_language or "en_US",  # otherwise the machine's own language decides
        categories=wanted,
    )
    return FoundHolidays(
        tuple(sorted(FoundHoliday(day, _name(name)) for day, name in found.items() if day.year == year))
    )


def of_icalendar(data: bytes, year: int) -> FoundHolidays:
    """The whole-day events of `year` in an .ics file. Raises CalendarError for what isn't one."""
    _known_year(year)
    if len(data) > MOST_BYTES:
        raise CalendarError(
            _(
                "the file has %(count)s bytes; at most %(most)s are read",
                count=number_words(len(data)),
                most=number_words(MOST_BYTES),
            )
        )
    if data.upper().count(b"BEGIN:") > MOST_EVENTS:
        raise CalendarError(
            _(
                "the file has more than %(most)s entries; export the holidays alone",
                most=number_words(MOST_EVENTS),
            )
        )
    try:
        events = [
            one for calendar in icalendar.Calendar.from_ical(data, multiple=True) for one in calendar.walk("VEVENT")
        ]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise CalendarError(
            _("the file is not an iCalendar file; export one (.ics) from the calendar program")
        ) from error
    if not events:
        raise CalendarError(_("the file holds no events; is it an iCalendar file (.ics)?"))
    days: set[FoundHoliday] = set()
    problems: list[str] = []
    for event in events:
        try:
            days.update(_days_of(event, year))
        except CalendarError as problem:
            problems.append(str(problem))
        except (ValueError, TypeError, AttributeError, OverflowError):
            problems.append(_("an event whose dates can’t be read was left out"))
    left_out = len(problems) - MOST_PROBLEMS
    if left_out > 0:
        problems[MOST_PROBLEMS:] = [f"and {left_out} more"]
    return FoundHolidays(tuple(sorted(days)), tuple(problems))


def _known_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarError(
            _(
                "year %(year)s: from %(first)s to %(last)s",
                year=year,
                first=FIRST_YEAR,
                last=LAST_YEAR,
            )
        )


def _name(text: str) -> str:
    """One line of printable text."""
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join(plain.split())[:LONGEST_NAME]


def _days_of(event: Any, year: int) -> list[FoundHoliday]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return []
    name = _name(str(event.get("SUMMARY", "")))
    if not name:
        raise CalendarError(_("an event without a name was left out"))
    start = event["DTSTART"].dt if "DTSTART" in event else None
    if not isinstance(start, date) or isinstance(start, datetime):
        raise CalendarError(_("“%(name)s” has a time of day or no date: only whole days are read", name=name))
    end = event["DTEND"].dt if "DTEND" in event else start + timedelta(days=1)
    length = (end - start).days if isinstance(end, date) and not isinstance(end, datetime) else 0
    if not 1 <= length <= LONGEST_DAYS:
        raise CalendarError(
            _(
                "“%(name)s” lasts %(length)s days: from 1 to %(longest)s can be a holiday",
                name=name,
                length=length,
                longest=LONGEST_DAYS,
            )
        )
    starts = [start]
    if "RRULE" in event:
        rule = {key.upper(): value for key, value in event["RRULE"].items()}
        if set(rule) != {"FREQ"} or [str(way).upper() for way in rule["FREQ"]] != ["YEARLY"]:
            raise CalendarError(_("“%(name)s” repeats by a rule: only every year on the same day is read", name=name))
        starts = [start.replace(year=one) for one in (year - 1, year) if one >= start.year and _exists(start, one)]
    days = [one + timedelta(days=number) for one in starts for number in range(length)]
    return [FoundHoliday(day, name) for day in days if day.year == year]


def _exists(day: date, year: int) -> bool:
    try:
        day.replace(year=year)
    except ValueError:  # 29 February
        return False
    return True
