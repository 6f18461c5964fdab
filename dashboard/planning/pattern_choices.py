"""What a shift pattern's form lets somebody choose from: codes, and their words; and rotas that fill its cycle."""

from flask_babel import lazy_gettext as _

from dashboard.days.overtime import INDONESIA_5_DAYS, INDONESIA_6_DAYS, Overtime

WEEKDAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
KINDS = {"fixed": _("Fixed: from start to end"), "flexible": _("Flexible: so many minutes in between")}
READINGS = {
    "kiosk": _("As the door says"),
    "alternate": _("In and out in turn"),
    "first_last": _("First punch in, last punch out"),
}
ARRIVALS = {
    "down": _("Down, to the earlier time: for the employee"),
    "nearest": _("To the nearest: for neither"),
    "up": _("Up, to the later time: for the employer"),
}
DEPARTURES = {
    "down": _("Down, to the earlier time: for the employer"),
    "nearest": _("To the nearest: for neither"),
    "up": _("Up, to the later time: for the employee"),
}
UNITS = {str(unit): str(unit) for unit in range(1, 61) if 60 % unit == 0}
OWN = "own"
OVERTIMES: dict[str, Overtime] = {"plain": Overtime(), "id5": INDONESIA_5_DAYS, "id6": INDONESIA_6_DAYS}
OVERTIME_WORDS = {
    "plain": _("Without factors: all at 100 percent"),
    "id5": _("Indonesia, five-day week (PP 35/2021)"),
    "id6": _("Indonesia, six-day week (PP 35/2021)"),
    OWN: _("Figures of your own"),
}
BANDS = {"work": _("Workdays"), "rest": _("Rest days"), "holiday": _("Holidays")}
AUTO_OUTS = {
    "never": _("It stays open until somebody corrects it"),
    "shift_end": _("The end of the shift"),
    "limit": _("So many minutes after the last in"),
}
ROTAS = {
    "week5": (_("Week, Monday to Friday"), "AAAAA--"),
    "week6": (_("Week, Monday to Saturday"), "AAAAAA-"),
    "4on4off": (_("4 on, 4 off"), "AAAA----"),
    "6on2off": (_("6 on, 2 off"), "AAAAAA--"),
    "223": (_("2-2-3: two on, two off, three on"), "AA--AAA--AA---"),
    "2222": (_("2 days, 2 nights, 4 off (A and B)"), "AABB----"),
    "weeks2": (_("Two weeks in turn (A and B)"), "AAAAA--BBBBB--"),
    "weeks3": (_("Three weeks in turn (A, B and C)"), "AAAAA--BBBBB--CCCCC--"),
}
"""Words, and the cycle by letters of shifts; `-` is a rest day."""
