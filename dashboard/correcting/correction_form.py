"""What somebody typed to ask for a correction, read into a time and a direction, or into words about what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from dashboard.correcting.corrections import AHEAD_MS, LONGEST_TEXT
from dashboard.days.clock import wall_ms, whole_minute
from dashboard.days.corrections import CorrectedPunch, Direction
from dashboard.recording.attendance_rules import local_datetime
from dashboard.web.forms import Form

WHATS = {
    "change": lazy_gettext("Change its time or direction"),
    "void": lazy_gettext("It wasn’t me, or must not count"),
}
DIRECTIONS = {"in": lazy_gettext("In"), "out": lazy_gettext("Out")}
ZoneOf = Callable[[date], ZoneInfo]
"""The clock that a person’s day goes by."""
FARTHEST_MS = 31 * 86_400_000
"""A punch is moved to a day nearby; what was meant for another month is voided, and added there."""


@dataclass(frozen=True)
class Asked:
    """None: not said."""

    what: str
    new_ms: int | None = None
    direction: Direction | None = None
    reason: str = ""


def fields_of(punch: CorrectedPunch, zone: ZoneInfo) -> dict[str, str]:
    """A form about a punch begins with it as it counts."""
    moment = local_datetime(punch.at_ms, zone)
    return {
        "what": "change",
        "day": moment.date().isoformat(),
        "time": f"{moment:%H:%M}",
        "direction": punch.direction,
    }


def read(form: Form, punch: CorrectedPunch | None, zone_of: ZoneOf, now_ms: int) -> Asked | None:
    """None where `form.problems` says what is wrong. `punch` is what it is about; without one, a punch is to be added."""
    reason = form.text("reason", _("Reason"), LONGEST_TEXT)
    what = form.choice("what", _("What is wrong"), WHATS) if punch else "add"
    if what == "void":
        return None if form.problems else Asked(what, reason=reason)
    direction: Direction = "out" if form.choice("direction", _("In or out"), DIRECTIONS) == "out" else "in"
    at_ms = _time(form, zone_of, now_ms)
    if form.problems or at_ms is None:
        return None
    if punch is None:
        return Asked(what, at_ms, direction, reason)
    new_ms = None if at_ms == whole_minute(punch.at_ms) else at_ms
    new_direction = None if direction == punch.direction else direction
    if punch.voided:
        new_ms, new_direction = at_ms, direction  # what was voided counts again, so all of it is said
    if new_ms is None and new_direction is None:
        form.problems["time"] = _("Time: nothing is different; type the right time, or choose the right direction")
    elif new_ms is not None and abs(new_ms - punch.at_ms) > FARTHEST_MS:
        form.problems["day"] = _("Day: more than 31 days from the punch; void this one, and add the missing one there")
    return None if form.problems else Asked(what, new_ms, new_direction, reason)


def _time(form: Form, zone_of: ZoneOf, now_ms: int) -> int | None:
    day, minute = form.day("day", _("Day")), form.minute("time", _("Time"))
    if minute is None:
        form.problems.setdefault("time", _("Time: is missing; write it as 08:30"))
    if day is None or minute is None:
        return None
    zone = zone_of(day)
    at_ms = wall_ms(day, minute, zone)
    moment = local_datetime(at_ms, zone)
    if moment.date() != day or moment.hour * 60 + moment.minute != minute:
        typed = f"{minute // 60:02}:{minute % 60:02}"
        form.problems["time"] = _(
            "Time %(time)s: the clocks of %(zone)s skip it on %(day)s; it was never that time",
            time=typed,
            zone=zone.key,
            day=day,
        )
    elif at_ms > now_ms + AHEAD_MS:
        form.problems["time"] = _("Time: %(day)s %(time)s is in the future", day=day, time=moment.strftime("%H:%M"))
    return at_ms
