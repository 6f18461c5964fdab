"""The month tables: what a clerk reads, and links that can't be."""

import re
from datetime import timedelta

import pytest

from dashboard.days import notes
from dashboard.days.day import STATUSES, Minutes
from dashboard.days.overtime import OvertimePart
from dashboard.models import Holiday, Leave
from dashboard.months import day_words
from tests.dashboard.days.sheet import MONDAY, at
from tests.dashboard.site import Browser, Site
from tests.dashboard.support import dock_in_office_hours

pytest_plugins = ["tests.dashboard.pages"]


@pytest.fixture
def person(site: Site, add_person) -> str:
    """Late on Monday the 23rd of November 2026, and gone without an out on Tuesday."""
    with site.sessions.begin() as session:
        found: str = add_person(session, "E1", templates=0)
        dock_in_office_hours(session)
    site.punch(found, at("08:10"))
    site.punch(found, at("08:00+1"))
    return found


def test_a_month(browser: Browser, person: str) -> None:
    page = browser.get("/months?month=2026-11&department=Dock").text
    assert f"/people/{person}/month?month=2026-11" in page
    assert "168:00" in page  # 21 workdays of 8 hours
    assert "Nobody found" in browser.get("/months?month=2026-11&department=Elsewhere").text
    page = browser.get(f"/people/{person}/month?month=2026-11").text
    assert "08:10 in" in page
    assert "Late 0:10" in page
    assert "Mon 23" in page
    assert "month=2026-10" in page
    assert "month=2026-12" in page


def test_the_figures_of_a_month_add_up(site: Site, browser: Browser, person: str) -> None:
    """168:00 are required; nothing is worked without an out but on Friday, which ends late."""
    with site.sessions.begin() as session:
        entered = {"entered_ms": 1, "entered_by": "hr"}
        session.add(Holiday(day=MONDAY + timedelta(days=2), name="Feast", source="entered", **entered))
        away = MONDAY + timedelta(days=3)
        session.add(Leave(employee_id=person, first_day=away, last_day=away, kind="annual", paid=True, **entered))
    site.punch(person, at("08:00+4"))
    site.punch(person, at("19:10+4"), direction="out")
    page = browser.get(f"/people/{person}/month?month=2026-11").text
    assert '<td data-label="Leave, holiday" class="number">16:00</td>' in page
    assert "<h1>Name of E1, November 2026</h1>" in page
    sums = re.findall(r"Required (\S+) − regular (\S+) − leave (\S+) − holidays (\S+)", page)
    assert sums == [("168:00", "8:00", "8:00", "8:00")]
    m = Minutes(required=960, worked=575, regular=480, overtime=(OvertimePart(150, 90),), uncounted=5, missing=480)
    assert day_words.sums(m) == [
        "Worked 9:35 − overtime 1:30 − 0:05 that count as neither = regular 8:00.",
        "Required 16:00 − regular 8:00 − leave 0:00 − holidays 0:00 = missing 8:00.",
    ]
    assert day_words.sums(Minutes(required=960, worked=480, regular=480, leave=60)) == [
        "Required 16:00 − regular 8:00 − leave 1:00 − holidays 0:00 − 7:00 of days that aren’t over = missing 0:00."
    ]
    assert day_words.sums(Minutes(required=480, worked=960, regular=960), unplanned=480) == [
        "Required 8:00 − regular 8:00 − leave 0:00 − holidays 0:00 = missing 0:00.",
        "8:00 were worked on days without a shift pattern, where nothing is required.",
    ]


@pytest.mark.parametrize("month", ["2026-13", "november", "1066-10", "2026-11-01", "٢٠٢٦-١١", "9" * 5000])
def test_a_month_that_cannot_be(browser: Browser, month: str) -> None:
    answer = browser.get("/months", query_string={"month": month})
    assert answer.status_code == 400
    assert "month “" in answer.text


def test_a_month_of_nobody(browser: Browser) -> None:
    assert browser.get("/people/nobody/month").status_code == 404
    assert browser.get("/months").status_code == 200


def test_every_status_and_note_has_words() -> None:
    assert set(day_words.STATUSES) == set(STATUSES)
    assert set(day_words.NOTES) == set(notes.CODES) - {"no_pattern"}
    assert (day_words.hours(450), day_words.hours(0), day_words.hours(-5)) == ("7:30", "", "-0:05")
