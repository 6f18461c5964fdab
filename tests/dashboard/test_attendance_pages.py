"""The attendance log: filters, stable pages, and the export of the same rows."""

import csv
import io
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.database import now_ms
from dashboard.log import log_export, log_query
from dashboard.log.log_walk import LogWalk
from dashboard.models import Kiosk
from dashboard.models import Site as Place
from dashboard.people.employees import create_employee
from dashboard.tables import csv_export
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

SEVEN = round(datetime(2026, 11, 24, 0, 0, tzinfo=UTC).timestamp() * 1000)
"""2026-11-24 07:00 in Jakarta."""
HOUR = 3_600_000


def add(site: Site, code: str, name: str, department: str = "") -> str:
    with site.sessions.begin() as session:
        return create_employee(session, code, name, department, now_ms=now_ms()).id


def exported(browser: Browser, query: str = "") -> list[dict[str, str]]:
    answer = browser.get(f"/attendance.csv?{query}")
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_what_is_no_punch_has_the_clock_of_its_door_too(any_site: Site) -> None:
    grace = add(any_site, "E-1", "Grace Hopper")
    with any_site.sessions.begin() as session:
        tokyo = Place(name="Tokyo", time_zone="Asia/Tokyo")
        session.add(tokyo)
        session.flush()
        session.add(Kiosk(name="lab", site_id=tokyo.id))
    any_site.punch(grace, SEVEN, status="duplicate", kiosk="lab")
    any_site.punch(grace, SEVEN, status="duplicate")
    page = any_site.browser().get("/attendance?kind=duplicates").text
    assert sorted(re.findall(r"\d\d:00:00", page)) == ["07:00:00", "09:00:00"]


def test_days_and_words_are_of_the_doors_clock(any_site: Site) -> None:
    """06:30 in Jakarta is the day before in UTC, where the main clock is."""
    any_site = any_site.with_settings(time_zone="UTC", zone=ZoneInfo("UTC"))
    browser, grace = any_site.browser(), add(any_site, "E-1", "Grace Hopper")
    any_site.punch(grace, SEVEN - HOUR // 2)
    with any_site.sessions.begin() as session:
        jakarta = Place(name="Jakarta", time_zone="Asia/Jakarta")
        session.add(jakarta)
        session.flush()
        session.get_one(Kiosk, "front-door").site_id = jakarta.id
    day, before = "from=2026-11-24&to=2026-11-24", "from=2026-11-23&to=2026-11-23"
    page = browser.get(f"/attendance?{day}").text
    assert "1 record, newest first, times of Asia/Jakarta" in page
    assert "Times are those of Asia/Jakarta." in browser.get(f"/attendance?{before}").text
    (row,) = exported(browser, day)
    assert (row["Date"], row["Time"], row["Time zone"]) == ("2026-11-24", "06:30:00", "Asia/Jakarta")
    assert exported(browser, before) == []
    any_site.punch(None, SEVEN, status="not_a_punch", kiosk="lab")
    assert "2 records, newest first, each at its door’s clock" in browser.get("/attendance?kind=all").text
    assert "Each door’s days are those of its own clock." in browser.get(f"/attendance?{before}").text
    assert "Times are those of UTC." in browser.get(f"/attendance?kiosk=lab&{before}").text


def test_filters_on_page_and_export(any_site: Site) -> None:
    browser = any_site.browser()
    grace = add(any_site, "E-1", "Grace Hopper", "Computing")
    eileen = add(any_site, "E-2", "Eileen Collins", "Flight")
    ids = {
        "early": any_site.punch(grace, SEVEN - 8 * HOUR),  # the day before at the site, the same day in UTC − 1
        "grace": any_site.punch(grace, SEVEN),
        "eileen": any_site.punch(eileen, SEVEN + HOUR, kiosk="lab", late=True, time_uncertain=True),
        "twice": any_site.punch(grace, SEVEN + 10_000, status="duplicate"),
        "unknown": any_site.punch(None, SEVEN + 20_000, status="not_a_punch"),
        "inactive": any_site.punch(eileen, SEVEN + 30_000, status="inactive"),
    }

    def found(query: str) -> list[str]:
        names = {event_id: name for name, event_id in ids.items()}
        rows = [names[row["Event id"]] for row in exported(browser, query)]
        words = "No records" if not rows else f"{len(rows)} record{'s' if len(rows) > 1 else ''}"
        assert words in browser.get(f"/attendance?{query}").text
        return rows

    assert found("") == ["eileen", "grace", "early"]
    assert found("person=hopper") == ["grace", "early"]
    assert found("person=e-2") == ["eileen"]
    assert found("person=%25") == []
    assert found("department=Flight") == ["eileen"]
    assert found("kiosk=lab") == ["eileen"]
    assert found("from=2026-11-24") == ["eileen", "grace"]
    assert found("to=2026-11-23") == ["early"]
    assert found("from=2026-11-24&to=2026-11-24&person=grace") == ["grace"]
    assert found("kind=duplicates") == ["twice"]
    assert found("kind=unrecognised") == ["unknown"]
    assert found("kind=inactive") == ["inactive"]
    assert len(found("kind=all")) == 6
    page = browser.get("/attendance").text
    for words in (
        "Tue 24 Nov 2026",
        "07:00:00",
        "4.50",
        "of 9.25",
        "Not checked",
        "Late",
        "Time uncertain",
        "Asia/Jakarta",
    ):
        assert words in page


def test_the_export_holds_local_and_utc_time(site: Site, browser: Browser) -> None:
    site.punch(add(site, "E-1", "Grace Hopper", "Computing"), SEVEN + 5)
    (row,) = exported(browser, "from=2026-11-01&to=2026-11-30")
    assert row["Date"] == "2026-11-24"
    assert row["Time"] == "07:00:00"
    assert row["Time (UTC)"] == "2026-11-24T00:00:00.005Z"
    assert (row["Name"], row["Code"], row["Direction"], row["Result"]) == ("Grace Hopper", "E-1", "in", "Recorded")
    assert (row["Distance"], row["Threshold"], row["Liveness"], row["Late"]) == ("4.500", "9.250", "Not checked", "no")
    name = browser.get("/attendance.csv?from=2026-11-01&to=2026-11-30").headers["Content-Disposition"]
    assert name == 'attachment; filename="attendance_2026-11-01_2026-11-30.csv"'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_formulas_are_neutralised(start: str) -> None:
    assert csv_export.safe(f"{start}1+1") == f"'{start}1+1"
    assert csv_export.safe(f"a{start}") == f"a{start}"


def test_formulas_in_names_reach_the_export_as_text(site: Site, browser: Browser) -> None:
    site.punch(add(site, "@SUM(A1)", '=HYPERLINK("http://x","y")', '-2+3, "quoted"'), SEVEN)
    (row,) = exported(browser)
    assert row["Name"] == '\'=HYPERLINK("http://x","y")'
    assert row["Code"] == "'@SUM(A1)"
    assert row["Department"] == '\'-2+3, "quoted"'


def test_a_large_export_comes_in_pieces(site: Site) -> None:
    person = add(site, "E-1", "Grace Hopper")
    for n in range(3):
        site.punch(person, SEVEN + n)
    with site.sessions() as session:
        rows = list(
            log_export.found(session, LogWalk(session, log_query.LogFilter(), site.settings.zone), site.settings.zone)
        )
    pieces = list(csv_export.lines(log_export.texts(rows * 200)))
    assert len(pieces) > 3
    assert "".join(pieces).count("\r\n") == 601


def test_pages_are_complete_and_do_not_shift(any_site: Site) -> None:
    browser = any_site.browser()
    person = add(any_site, "E-1", "Grace Hopper")
    codes = {any_site.punch(person, SEVEN) for _ in range(12)}  # all in the same millisecond

    def link(page: str, rel: str) -> str:
        return page.split(f'rel="{rel}" href="')[1].split('"')[0].replace("&amp;", "&")

    def ids(page: str) -> list[str]:
        return re.findall(r'data-event="([^"]+)"', page)

    first = browser.get("/attendance").text
    assert "12 records" in first
    any_site.punch(person, now_ms() + HOUR)  # somebody walks in between two clicks
    second = browser.get(link(first, "next")).text
    third = browser.get(link(second, "next")).text
    shown = [ids(page) for page in (first, second, third)]
    assert [len(page) for page in shown] == [5, 5, 2]
    assert {one for page in shown for one in page} == codes
    assert "further records" in third
    assert 'rel="next"' not in third
    assert ids(browser.get(link(third, "prev")).text) == shown[1]
    assert ids(browser.get(link(second, "prev")).text) == shown[0]
    as_of = link(first, "next").split("as_of=")[1].split("&")[0]
    assert {row["Event id"] for row in exported(browser, f"as_of={as_of}")} == codes


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=yesterday", "“yesterday” is not a date"),
        ("to=2026-02-30", "“2026-02-30” is not a date"),
        ("from=0001-01-01", "outside 2000 to 2099"),
        ("to=9999-12-31", "outside 2000 to 2099"),
        ("from=2026-11-24&to=2026-11-23", "swap them"),
        ("kiosk=garage", "“garage”: not known; known are none yet"),
        ("kiosk=../etc", "not known"),
        ("kind=everything", "choose one of punches"),
        ("as_of=-1", "not a time"),
        ("as_of=99999999999999", "not a time"),
        ("person=" + "x" * 201, "at most 200"),
    ],
)
def test_wrong_filters_are_answered_in_words(browser: Browser, query: str, words: str) -> None:
    for path in ("/attendance", "/attendance.csv"):
        answer = browser.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert words in answer.text


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "W10",
        "WzEsMl0",
        "WyJhIiwiYiJd",
        "bnVsbA",
        "W" * 5000,
        "WzFlMzAsImEiXQ",
        "WzEsIlx1MDAwMCJd",
        "WzEsIlx1ZDgwMCJd",
    ],
)
def test_a_place_that_is_none_is_answered_in_words(browser: Browser, place: str) -> None:
    for name in ("after", "before"):
        answer = browser.get(f"/attendance?{name}={place}")
        assert answer.status_code == 400
        assert "not a place in this list" in answer.text
