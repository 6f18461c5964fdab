"""The month that a page is asked for by `?month=2026-11`: its days, its words, and the months beside it."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from flask import abort, request
from flask_babel import gettext as _

from dashboard.database import now_ms
from dashboard.months.asked_days import FIRST_DAY, LAST_DAY
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import services
from dashboard.web.locales import month_words

WRITTEN = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class BadMonth(ValueError):
    """A text that is no month; the message says how to write one."""


@dataclass(frozen=True)
class AskedMonth:
    """Of the site's calendar."""

    first: date

    @property
    def last(self) -> date:
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    @property
    def words(self) -> str:
        return month_words(self.first)

    @property
    def text(self) -> str:
        """As a page's address has it."""
        return f"{self.first.year}-{self.first.month:02}"

    @property
    def before(self) -> "AskedMonth | None":
        """None where no earlier one can be asked for; likewise `after`."""
        return of(self.first - timedelta(days=1)) if self.first > FIRST_DAY else None

    @property
    def after(self) -> "AskedMonth | None":
        return of(self.last + timedelta(days=1)) if self.last < LAST_DAY else None


def of(day: date) -> AskedMonth:
    return AskedMonth(day.replace(day=1))


def read(text: str, today: date) -> AskedMonth:
    """`2026-11`, or today's month without a text. Raises BadMonth."""
    if not text:
        return of(today)
    found = WRITTEN.fullmatch(text)
    if found is None or not FIRST_DAY.year <= int(found[1]) <= LAST_DAY.year:
        raise BadMonth(
            _(
                "month “%(text)s”: write it as 2026-11, of %(first)s to %(last)s.",
                text=text[:40],
                first=FIRST_DAY.year,
                last=LAST_DAY.year,
            )
        )
    return AskedMonth(date(int(found[1]), int(found[2]), 1))


def asked() -> AskedMonth:
    """That of this request; 400 with words for what is none."""
    try:
        return read(request.args.get("month", "").strip(), local_date(now_ms(), services().settings.zone))
    except BadMonth as error:
        abort(400, str(error))
