"""A day's figures, states and notes in words."""

from collections.abc import Iterable
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from dashboard.days.day import Day, Minutes
from dashboard.days.notes import Note
from dashboard.days.overtime import OvertimePart
from dashboard.days.punches import PunchUse
from dashboard.web.locales import day_of_month, number_words
from dashboard.web.words import local

STATUSES = {
    "upcoming": (lazy_gettext("Upcoming"), ""),
    "incomplete": (lazy_gettext("Not over"), "accent"),
    "holiday": (lazy_gettext("Holiday"), ""),
    "rest_day": (lazy_gettext("Rest day"), ""),
    "unplanned": (lazy_gettext("No shift pattern"), "warn"),
    "on_leave": (lazy_gettext("Leave"), ""),
    "present": (lazy_gettext("Present"), "good"),
    "absent": (lazy_gettext("Absent"), "bad"),
    "late": (lazy_gettext("Late"), "warn"),
    "early_leave": (lazy_gettext("Left early"), "warn"),
    "missing_in": (lazy_gettext("In missing"), "bad"),
    "missing_out": (lazy_gettext("Out missing"), "bad"),
    "auto_out": (lazy_gettext("Out assumed"), "warn"),
    "too_short": (lazy_gettext("Too short"), "warn"),
}
"""Words and the kind of tag."""
NOTES = {
    "time_uncertain": lazy_gettext("The kiosk’s clock couldn’t be trusted"),
    "in_future": lazy_gettext("A punch is later than now"),
    "corrected": lazy_gettext("A punch was corrected"),
    "correction_waiting": lazy_gettext("A correction waits for a decision"),
    "moved_away": lazy_gettext("A punch was moved to another day"),
    "already_in": lazy_gettext("In again while in: was an out forgotten?"),
    "already_out": lazy_gettext("Out again while out: was an in forgotten?"),
    "no_in": lazy_gettext("Out without an in"),
    "early_in": lazy_gettext("Came %(hours)s before the shift"),
    "not_in_yet": lazy_gettext("Due since %(hours)s"),
    "clock_change": lazy_gettext("The clocks changed: the shift is %(minutes)s minutes different"),
    "leave_on_holiday": lazy_gettext("Leave isn’t used up: it is a holiday"),
    "leave_on_rest_day": lazy_gettext("Leave isn’t used up: it is a rest day"),
    "worked_on_leave": lazy_gettext("Worked %(hours)s of the leave"),
    "worked_on_holiday": lazy_gettext("Worked %(hours)s on a holiday"),
    "over_maximum": lazy_gettext("%(hours)s over the day’s maximum don’t count"),
    "below_minimum": lazy_gettext("%(hours)s under the day’s minimum"),
    "overtime_over_limit": lazy_gettext("%(hours)s of overtime over the day’s limit"),
}
"""What is shown of each code; `no_pattern` says nothing that the status doesn't."""


def hours(minutes: int) -> str:
    """`7:30`; empty for none."""
    sign = "-" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}" if minutes else ""


def day_name(day: date) -> str:
    return day_of_month(day)


def status(code: str) -> tuple[str, str]:
    words, kind = STATUSES.get(code, (code, ""))
    return str(words), kind


def states(day: Day) -> list[str]:
    """All but that somebody was there, with how late or how early."""
    lengths = {"late": day.minutes.late, "early_leave": day.minutes.early}
    return [f"{status(code)[0]} {hours(lengths.get(code, 0))}".rstrip() for code in day.statuses if code != "present"]


def first_in(day: Day) -> datetime | None:
    """When the day's first stretch began, at the site's clock."""
    return next((local(use.punch.at_ms, day.zone_name) for use in day.punches if use.role == "in"), None)


def last_out(day: Day) -> datetime | None:
    """When the last one ended; None while it is open."""
    last = next((use for use in reversed(day.punches) if use.role in ("in", "out")), None)
    return local(last.punch.at_ms, day.zone_name) if last is not None and last.role == "out" else None


def clock(moment: datetime | None, day: date) -> str:
    """`06:00+1` on the day after; empty for none."""
    if moment is None:
        return ""
    later = (moment.date() - day).days
    return f"{moment:%H:%M}{f'{later:+}' if later else ''}"


def notes(day: Day) -> list[str]:
    """Each once, in words."""
    known = (_note(note) for note in day.notes if note.code in NOTES)
    return list(dict.fromkeys(known))


def _note(note: Note) -> str:
    return str(NOTES[note.code]) % {"hours": hours(note.value), "minutes": number_words(abs(note.value))}


def overtime(parts: Iterable[OvertimePart]) -> str:
    """Such as `1:00 at 150 %, 2:00 at 200 %`."""
    said = [_("%(hours)s at %(percent)s %%", hours=hours(one.minutes), percent=one.percent) for one in parts]
    return ", ".join(said)


def punches(day: Day) -> list[tuple[str, str]]:
    """Clock time at the site and what became of the punch, in order; `+1` marks the next calendar day."""
    return [(clock(local(use.punch.at_ms, day.zone_name), day.day), use.role) for use in day.punches]


def sums(m: Minutes, unplanned: int = 0) -> list[str]:
    """Sentences that say how the figures of some days add up; see the sums in dashboard/days/day.py.

    `unplanned` minutes of the regular ones are of days without a shift pattern, where nothing is required.
    """
    names = ("required", "worked", "regular", "leave", "holiday", "missing", "uncounted")
    told = {name: hours(getattr(m, name)) or "0:00" for name in names} | {"overtime": hours(m.overtime_total) or "0:00"}
    ahead = m.required - (m.regular - unplanned) - m.leave - m.holiday - m.missing
    against = {**told, "regular": hours(m.regular - unplanned) or "0:00"}
    owed = _(
        "Required %(required)s − regular %(regular)s − leave %(leave)s − holidays %(holiday)s = missing %(missing)s.",
        **against,
    )
    if ahead:
        owed = _(
            "Required %(required)s − regular %(regular)s − leave %(leave)s − holidays %(holiday)s"
            " − %(ahead)s of days that aren’t over = missing %(missing)s.",
            ahead=hours(ahead),
            **against,
        )
    said = [owed]
    if unplanned:
        said.append(
            _(
                "%(hours)s were worked on days without a shift pattern, where nothing is required.",
                hours=hours(unplanned),
            )
        )
    if m.worked == m.regular:
        return said
    done = _("Worked %(worked)s − overtime %(overtime)s = regular %(regular)s.", **told)
    if m.uncounted:
        done = _(
            "Worked %(worked)s − overtime %(overtime)s − %(uncounted)s that count as neither = regular %(regular)s.",
            **told,
        )
    return [done, *said]


def unplanned(days: Iterable[Day]) -> int:
    """Regular minutes of days without a shift pattern."""
    return sum(day.minutes.regular for day in days if "unplanned" in day.statuses)


def direction(use: PunchUse, recorded: str) -> str:
    """In or out as the day understands a punch; as it was recorded where the day says neither, or HR said another."""
    return recorded if use.punch.direction_set else DIRECTIONS.get(use.role, recorded)


DIRECTIONS = {"in": "in", "already_in": "in", "out": "out", "already_out": "out", "no_in": "out"}
ROLES = {
    "in": lazy_gettext("in"),
    "out": lazy_gettext("out"),
    "between": lazy_gettext("passed over"),
    "collapsed": lazy_gettext("repeated"),
    "voided": lazy_gettext("voided"),
    "already_in": lazy_gettext("in again"),
    "already_out": lazy_gettext("out again"),
    "no_in": lazy_gettext("out"),
}
