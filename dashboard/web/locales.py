"""Numbers, dates and weeks as the page's language writes them, by Unicode's locale data; English outside of a request."""

from datetime import date

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import get_locale

LOCALES = {"en": Locale("en"), "id": Locale("id", "ID")}
"""By language; the country says on which day a week begins (English is no one country's: Monday, as ISO 8601 has it)."""


def locale() -> Locale:
    chosen = get_locale()
    return LOCALES.get(chosen.language if chosen else "en", LOCALES["en"])


def number_words(n: float, digits: int = 0) -> str:
    """`12,345` or `12.345`, with so many digits after the decimal sign."""
    return format_decimal(n, "#,##0" + ("." + "0" * digits if digits else ""), locale())


def day_of_year(day: date) -> str:
    """`Mon 23 Nov 2026`, `Sen 23 Nov 2026`."""
    return format_date(day, "EEE d MMM y", locale())


def day_of_some_year(day: date) -> str:
    """`Mon 23 Nov`."""
    return format_date(day, "EEE d MMM", locale())


def day_of_month(day: date) -> str:
    """`Mon 23`."""
    return format_date(day, "EEE d", locale())


def month_words(day: date) -> str:
    """`November 2026`."""
    return format_date(day, "LLLL y", locale())


def weekday_name(weekday: int) -> str:
    """`Monday` for 0."""
    return str(locale().days["stand-alone"]["wide"][weekday])


def weekday_short(weekday: int) -> str:
    """`Mon` for 0."""
    return str(locale().days["stand-alone"]["abbreviated"][weekday])


def first_weekday() -> int:
    """The day on which a calendar's weeks begin; 0 is Monday."""
    return int(locale().first_week_day)


def weekdays() -> list[tuple[str, str]]:
    """Names and short names, in the order of a calendar's columns."""
    order = [(first_weekday() + place) % 7 for place in range(7)]
    return [(weekday_name(day), weekday_short(day)) for day in order]
