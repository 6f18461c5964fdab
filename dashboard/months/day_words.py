"""A day's figures, states and notes in words."""

from datetime import date, datetime

from dashboard.days.day import Day
from dashboard.days.notes import Note
from dashboard.web.words import local

STATUSES = {
    "upcoming": ("Upcoming", ""),
    "incomplete": ("Not over", "accent"),
    "holiday": ("Holiday", ""),
    "rest_day": ("Rest day", ""),
    "unplanned": ("No shift pattern", "warn"),
    "on_leave": ("Leave", ""),
    "present": ("Present", "good"),
    "absent": ("Absent", "bad"),
    "late": ("Late", "warn"),
    "early_leave": ("Left early", "warn"),
    "missing_in": ("In missing", "bad"),
    "missing_out": ("Out missing", "bad"),
    "auto_out": ("Out assumed", "warn"),
    "too_short": ("Too short", "warn"),
}
"""Words and the kind of tag."""
NOTES = {
    "time_uncertain": "The kiosk’s clock couldn’t be trusted",
    "in_future": "A punch is later than now",
    "corrected": "A punch was corrected",
    "correction_waiting": "A correction waits for a decision",
    "moved_away": "A punch was moved to another day",
    "already_in": "In again while in: was an out forgotten?",
    "already_out": "Out again while out: was an in forgotten?",
    "no_in": "Out without an in",
    "early_in": "Came {hours} before the shift",
    "not_in_yet": "Due since {hours}",
    "clock_change": "The clocks changed: the shift is {minutes} minutes different",
    "leave_on_holiday": "Leave isn’t used up: it is a holiday",
    "leave_on_rest_day": "Leave isn’t used up: it is a rest day",
    "worked_on_leave": "Worked {hours} of the leave",
    "worked_on_holiday": "Worked {hours} on a holiday",
    "over_maximum": "{hours} over the day’s maximum don’t count",
    "below_minimum": "{hours} under the day’s minimum",
    "overtime_over_limit": "{hours} of overtime over the day’s limit",
}
"""What is shown of each code; `no_pattern` says nothing that the status doesn't."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hours(minutes: int) -> str:
    """`7:30`; empty for none."""
    sign = "-" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}" if minutes else ""


def day_name(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.day}"


def status(code: str) -> tuple[str, str]:
    return STATUSES.get(code, (code, ""))


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
    return NOTES[note.code].format(hours=hours(note.value), minutes=abs(note.value))


def punches(day: Day) -> list[tuple[str, str]]:
    """Clock time at the site and what became of the punch, in order; `+1` marks the next calendar day."""
    return [(clock(local(use.punch.at_ms, day.zone_name), day.day), use.role) for use in day.punches]


ROLES = {
    "in": "in",
    "out": "out",
    "between": "passed over",
    "collapsed": "repeated",
    "voided": "voided",
    "already_in": "in again",
    "already_out": "out again",
    "no_in": "out",
}
