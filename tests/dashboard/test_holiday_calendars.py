"""Holidays from files and countries: what is read, what is refused in words, and what an import changes."""

import contextlib
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboard.database import SessionFactory
from dashboard.models import Site
from dashboard.planning import holiday_store
from dashboard.planning.holiday_calendars import CalendarError, FoundHoliday, of_country, of_icalendar

INDEPENDENCE = date(2026, 8, 17)


def ics(*events: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", *event.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def test_indonesia() -> None:
    names = {one.day: one.name for one in of_country("ID", "", 2026).days}
    assert names[INDEPENDENCE] == "Hari Kemerdekaan Republik Indonesia"
    assert names[date(2026, 1, 1)]
    assert len(of_country("ID", "", 2025, joint_leave=True).days) > len(of_country("ID", "", 2025).days)


def test_a_subdivision_has_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in {one.day for one in of_country("DE", "BY", 2026).days}
    assert epiphany not in {one.day for one in of_country("DE", "", 2026).days}


@pytest.mark.parametrize(
    ("country", "subdivision", "year", "said"),
    [
        ("XX", "", 2026, "country “XX”"),
        ("__class__", "", 2026, "not known"),
        ("DE", "ZZ", 2026, "use one of"),
        ("ID", "", 1, "year 1"),
    ],
)
def test_a_country_that_is_not_known(country: str, subdivision: str, year: int, said: str) -> None:
    with pytest.raises(CalendarError, match=said):
        of_country(country, subdivision, year)


def test_a_file() -> None:
    found = of_icalendar(
        ics(
            "SUMMARY:Independence|DTSTART;VALUE=DATE:20260817",
            "SUMMARY:Two days|DTSTART;VALUE=DATE:20261224|DTEND;VALUE=DATE:20261226",
            "SUMMARY:Every year|DTSTART;VALUE=DATE:20200501|RRULE:FREQ=YEARLY",
            "SUMMARY:Over New Year|DTSTART;VALUE=DATE:20251231|DTEND;VALUE=DATE:20260102",
            "SUMMARY:Called off|DTSTART;VALUE=DATE:20260601|STATUS:CANCELLED",
            "SUMMARY:Last year|DTSTART;VALUE=DATE:20250601",
        ),
        2026,
    )
    assert [(f"{one.day:%m-%d}", one.name) for one in found.days] == [
        ("01-01", "Over New Year"),
        ("05-01", "Every year"),
        ("08-17", "Independence"),
        ("12-24", "Two days"),
        ("12-25", "Two days"),
    ]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("SUMMARY:Meeting|DTSTART:20260817T080000Z", "“Meeting” has a time of day"),
        ("SUMMARY:Nowhere", "no date"),
        ("DTSTART;VALUE=DATE:20260817", "without a name"),
        ("SUMMARY:Project|DTSTART;VALUE=DATE:20260101|DTEND;VALUE=DATE:20270101", "lasts 365 days"),
        ("SUMMARY:Backwards|DTSTART;VALUE=DATE:20260105|DTEND;VALUE=DATE:20260101", "lasts -4 days"),
        ("SUMMARY:Weekly|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=WEEKLY", "repeats by a rule"),
        ("SUMMARY:Counted|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY;COUNT=3", "repeats by a rule"),
        ("SUMMARY:Odd|DTSTART;VALUE=DATE:20261399", "“Odd”|can’t be read"),
    ],
)
def test_events_that_are_no_holidays_are_left_out_with_words(event: str, said: str) -> None:
    found = of_icalendar(ics(event, "SUMMARY:Good|DTSTART;VALUE=DATE:20260817"), 2026)
    assert found.days == (FoundHoliday(INDEPENDENCE, "Good"),)
    assert re.search(said, " ".join(found.problems))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no events|not an iCalendar"),
        (b"\x89PNG\r\n", "not an iCalendar|no events"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "not an iCalendar|no events"),
        ("\ufeffÿ".encode("utf-16"), "not an iCalendar|no events"),
        (b"x" * 1_000_001, "1,000,001 bytes"),
        (b"BEGIN:VEVENT\r\n" * 5_001, "more than 5,000 entries"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "holds no events"),
    ],
    ids=["empty", "picture", "cut off", "utf-16", "large", "many", "no events"],
)  # fmt: skip
def test_what_is_no_calendar_is_refused_with_words(data: bytes, said: str) -> None:
    with pytest.raises(CalendarError, match=said):
        of_icalendar(data, 2026)


def test_entries_within_entries_do_no_harm() -> None:
    deep = b"BEGIN:VEVENT\r\n" * 4_000 + b"END:VEVENT\r\n" * 4_000
    with contextlib.suppress(CalendarError):
        found = of_icalendar(b"BEGIN:VCALENDAR\r\n" + deep + b"END:VCALENDAR\r\n", 2026)
        assert (found.days, len(found.problems)) == ((), 21)


LINES = (
    *(b"BEGIN:VEVENT", b"END:VEVENT", b"SUMMARY:x", b"DTSTART:", b"DTSTART;VALUE=DATE:20260817", b" \xff"),
    *(b"DTSTART;TZID=No/Where:20260101T000000", b"DTEND;VALUE=DATE:99991231", b"RRULE:FREQ=YEARLY", b"RRULE:;;"),
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_no_file_breaks_the_import(lines: list[bytes]) -> None:
    with contextlib.suppress(CalendarError):
        of_icalendar(b"\r\n".join([b"BEGIN:VCALENDAR", *lines, b"END:VCALENDAR", b""]), 2026)


def test_names_are_one_printable_line() -> None:
    found = of_icalendar(ics(r"SUMMARY:Feast\nof‮ the" + "\x07" + "x" * 300 + "|DTSTART;VALUE=DATE:20260817"), 2026)
    assert found.days[0].name.isprintable()
    assert len(found.days[0].name) == 200


def test_an_import_is_previewed_and_done_once(factory: SessionFactory) -> None:
    found = [FoundHoliday(INDEPENDENCE, "Independence"), FoundHoliday(date(2026, 5, 1), "Labour Day")]
    with factory.begin() as session:
        site = Site(name="Plant", time_zone="Asia/Jakarta", country="ID", subdivision="")
        session.add(site)
        session.flush()
        entered = {"by": "hr", "now_ms": 1}
        holiday_store.add(session, [FoundHoliday(date(2026, 3, 3), "Ours")], site.id, source="entered", **entered)
        holiday_store.add(session, found[:1], None, source="entered", **entered)
        shown = holiday_store.preview(session, found, 2026, site.id)
        assert (shown.new, shown.known, [one.name for one in shown.only_here]) == ((found[1],), (found[0],), ["Ours"])
        assert holiday_store.add(session, shown.new, site.id, source="country", **entered) == 1
        assert holiday_store.add(session, shown.new, site.id, source="country", **entered) == 0
        assert holiday_store.preview(session, found, 2026, site.id).new == ()
        assert [one.name for one in holiday_store.of_year(session, 2026, None)] == ["Independence"]
        (labour,) = [one for one in holiday_store.of_year(session, 2026, site.id) if one.name == "Labour Day"]
        assert holiday_store.remove(session, labour.id)
        assert not holiday_store.remove(session, labour.id)
