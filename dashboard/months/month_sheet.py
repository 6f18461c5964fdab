"""Month sheets for signature, as PDF: A4, one page a person, with the days, their totals and lines to sign on.

Lengths are in points (1/72 inch), from the bottom left. Pages are compressed as they are made: about 5 KB of memory each.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from dashboard.days.day import Day
from dashboard.days.month import totals
from dashboard.months import day_words
from dashboard.months.asked_month import AskedMonth
from dashboard.months.month_rows import Person
from dashboard.months.sheet_fonts import fitting
from dashboard.web.locales import locale
from dashboard.web.words import local

WIDTH, HEIGHT = A4
MARGIN = 42.0
RIGHT = WIDTH - MARGIN
COLUMNS = (
    (lazy_gettext("Day"), 40.0),
    (lazy_gettext("Shift"), 70.0),
    (lazy_gettext("In"), 42.0),
    (lazy_gettext("Out"), 46.0),
    (lazy_gettext("Worked"), 42.0),
    (lazy_gettext("Overtime"), 46.0),
    (lazy_gettext("Notes"), 0.0),
)
"""Titles and widths; the last has what is left."""
TABLE_TOP = HEIGHT - 128.0
ROW = 17.2
BODY, SMALL, SMALLEST = 8.0, 7.0, 5.5
NOTE_SIZES = ((7.0, 1), (6.6, 2), (5.0, 3))
"""Sizes of type that notes are tried in, and how many lines of it a row holds."""
GREY = 0.55


@dataclass(frozen=True)
class Sheet:
    person: Person
    site: str
    days: Sequence[Day]


def write(month: AskedMonth, sheets: Iterable[Sheet], pages: int, made: str, running: bool) -> IO[bytes]:
    """A temporary file with a page for each sheet, at its beginning; closing it deletes it.

    `made` says in words when; `running`: the month isn't over. `pages` is how many there will be.
    """
    file: IO[bytes] = tempfile.TemporaryFile(prefix="attendance-", suffix=".pdf")  # noqa: SIM115 the caller closes it
    canvas = Canvas(file, pagesize=A4, pageCompression=1, lang=locale().language)
    title = _("Month sheet, %(month)s") if pages == 1 else _("Month sheets, %(month)s")
    canvas.setTitle(title % {"month": month.words})
    canvas.setCreator(_("Attendance"))
    for number, sheet in enumerate(sheets, 1):
        if pages > 1:
            canvas.bookmarkPage(sheet.person.id)
            canvas.addOutlineEntry(f"{sheet.person.name} ({sheet.person.code})", sheet.person.id)
        _page(canvas, month, sheet, made, running, _("Page %(number)s of %(pages)s", number=number, pages=pages))
        canvas.showPage()
    canvas.save()
    file.seek(0)
    return file


def _page(canvas: Canvas, month: AskedMonth, sheet: Sheet, made: str, running: bool, number: str) -> None:
    complete = _head(canvas, month, sheet)
    y = _table(canvas, sheet.days)
    _sums(canvas, sheet.days, y - 14)
    _signatures(canvas)
    _foot(canvas, sheet.days, made, running, complete, number)


def _put(canvas: Canvas, x: float, y: float, text: str, size: float, bold: bool = False, room: float = 0) -> bool:
    """Write `text`, where it is wider than `room` in smaller type, and cut with an ellipsis at last.

    Returns whether all of its characters could be printed.
    """
    fit = fitting(text, bold)
    shown = fit.text
    while room and size > SMALLEST and stringWidth(shown, fit.font, size) > room:
        size -= 0.5
    while room and len(shown) > 1 and stringWidth(shown, fit.font, size) > room:
        shown = shown.rstrip("…")[:-1] + "…"
    canvas.setFont(fit.font, size)
    canvas.drawString(x, y, shown)
    return fit.complete


def _put_right(canvas: Canvas, x: float, y: float, text: str, size: float, bold: bool = False) -> None:
    fit = fitting(text, bold)
    canvas.setFont(fit.font, size)
    canvas.drawRightString(x, y, fit.text)


def _head(canvas: Canvas, month: AskedMonth, sheet: Sheet) -> bool:
    """Whether everything of it could be printed."""
    person, top = sheet.person, HEIGHT - MARGIN
    _put(canvas, MARGIN, top - 12, _("Month sheet, %(month)s", month=month.words), 15, bold=True)
    lines = ((_("Name"), person.name, True), (_("Department"), person.department or _("none"), False))
    more = ((_("Code"), person.code, False), (_("Site"), sheet.site or _("not said"), False))
    complete = True
    for x, group, room in ((MARGIN, lines, 290.0), (MARGIN + 355, more, 100.0)):
        for place, (label, value, bold) in enumerate(group):
            y = top - 36 - place * 15
            _put(canvas, x, y, label, BODY)
            complete &= _put(canvas, x + 56, y, value, 10, bold=bold, room=room)
    return complete


def _table(canvas: Canvas, days: Sequence[Day]) -> float:
    """Where it ends."""
    starts = [MARGIN + sum(width for title, width in COLUMNS[:place]) for place in range(len(COLUMNS))]
    for x, (title, _width) in zip(starts, COLUMNS, strict=True):
        _put(canvas, x + 2, TABLE_TOP + 4, str(title), BODY, bold=True)
    canvas.setLineWidth(0.8)
    canvas.line(MARGIN, TABLE_TOP, RIGHT, TABLE_TOP)
    y: float = TABLE_TOP
    for day in days:
        y -= ROW
        for x, text in zip(starts, _cells(day), strict=False):
            _put(canvas, x + 2, y + 5.7, text, BODY)
        _notes(canvas, starts[-1] + 2, y, RIGHT - starts[-1] - 2, notes_words(day))
        canvas.setLineWidth(0.25)
        canvas.setStrokeGray(GREY)
        canvas.line(MARGIN, y, RIGHT, y)
        canvas.setStrokeGray(0)
    return y


def _cells(day: Day) -> tuple[str, ...]:
    def at(ms: int | None) -> str:
        return day_words.clock(None if ms is None else local(ms, day.zone_name), day.day)

    shift = f"{at(day.shift_start_ms)} – {at(day.shift_end_ms)}" if day.shift_start_ms is not None else ""
    came, left = day_words.first_in(day), day_words.last_out(day)
    return (
        day_words.day_name(day.day),
        shift,
        day_words.clock(came, day.day),
        day_words.clock(left, day.day),
        day_words.hours(day.minutes.worked),
        day_words.hours(day.minutes.overtime_total),
    )


def notes_words(day: Day) -> str:
    """What the day is, the punches between the first in and the last out, and what is to be said about them."""
    used = [(clock, role) for clock, role in day_words.punches(day) if role in ("in", "out")]
    between = [
        f"{clock} {day_words.ROLES[role]}" for clock, role in used[1 : -1 if used and used[-1][1] == "out" else None]
    ]
    return "; ".join([*day_words.states(day), *([", ".join(between)] if between else []), *day_words.notes(day)])


def _notes(canvas: Canvas, x: float, y: float, room: float, text: str) -> None:
    """In the largest type that it fits in; the smallest one cuts it with an ellipsis."""
    fit = fitting(text)
    for size, most in NOTE_SIZES:
        lines = simpleSplit(fit.text, fit.font, size, room)
        if len(lines) <= most:
            break
    else:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    canvas.setFont(fit.font, size)
    leading = size * 1.15
    top = y + (ROW + len(lines) * leading) / 2
    for place, line in enumerate(lines):
        canvas.drawString(x, top - place * leading - size * 0.93, line)


def _sums(canvas: Canvas, days: Sequence[Day], y: float) -> None:
    sums = totals(days)
    m, count = sums.minutes, sums.statuses.get
    lengths = (
        (_("Required"), m.required),
        (_("Worked"), m.worked),
        (_("Overtime"), m.overtime_total),
        (_("Regular"), m.regular),
        (_("Leave"), m.leave),
        (_("Holiday"), m.holiday),
        (_("Missing"), m.missing),
        (_("Late"), m.late),
    )
    step = (RIGHT - MARGIN) / len(lengths)
    for place, (label, value) in enumerate(lengths):
        _put(canvas, MARGIN + place * step + 2, y, label, SMALL)
        _put(canvas, MARGIN + place * step + 2, y - 13, day_words.hours(value) or "0:00", 11, bold=True)
    present, absent = count("present", 0), count("absent", 0)
    words = [
        ngettext("%(num)s day present", "%(num)s days present", present),
        ngettext("%(num)s day absent", "%(num)s days absent", absent),
    ]
    if m.overtime:
        words.append(_("overtime %(rates)s", rates=day_words.overtime(m.overtime)))
    _put(canvas, MARGIN + 2, y - 26, ", ".join(words), BODY, room=RIGHT - MARGIN)


def _signatures(canvas: Canvas) -> None:
    canvas.setLineWidth(0.6)
    middle = (MARGIN + RIGHT) / 2
    for x, who in ((MARGIN, _("Employee’s signature")), (middle + 12, _("Supervisor’s name and signature"))):
        wide = middle - MARGIN - 12
        canvas.line(x, 94, x + wide * 0.68, 94)
        canvas.line(x + wide * 0.74, 94, x + wide, 94)
        _put(canvas, x, 84, who, SMALL)
        _put(canvas, x + wide * 0.74, 84, _("Date"), SMALL)


def _foot(canvas: Canvas, days: Sequence[Day], made: str, running: bool, complete: bool, number: str) -> None:
    punches = ngettext("%(num)s punch", "%(num)s punches", sum(len(day.punches) for day in days))
    legend = _("Times are hours and minutes at the site; +1: on the day after.")
    if running:
        legend += " " + _("The month isn’t over: what comes later isn’t in it.")
    words = [
        _("Made on %(made)s from the attendance records as they stood then: %(punches)s.", made=made, punches=punches),
        legend,
    ]
    if not complete:
        words.append(
            _("“?” stands for letters that this sheet’s fonts lack; the code says who it is. Write the name by hand:")
        )
    for place, line in enumerate(words):
        _put(canvas, MARGIN, 66 - place * 10, line, SMALL, room=RIGHT - MARGIN)
    if not complete:
        canvas.line(MARGIN, 32, MARGIN + 300, 32)
    _put_right(canvas, RIGHT, 30, number, BODY)
