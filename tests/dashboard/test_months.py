"""The month tables: what a clerk reads, and links that can't be."""

from datetime import date

import pytest

from dashboard.days import notes
from dashboard.days.day import STATUSES
from dashboard.days.policy import weekly
from dashboard.months import day_words
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import OFFICE, at
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]


@pytest.fixture
def person(site: Site, add_person) -> str:
    """Late on Monday the 23rd of November 2026, and gone without an out on Tuesday."""
    with site.sessions.begin() as session:
        found: str = add_person(session, "E1", templates=0)
        version = save_pattern(session, "Office", weekly(OFFICE), date(2026, 1, 1), by="hr", now_ms=1)
        assign(session, date(2026, 1, 1), department="Dock", pattern_id=version.pattern_id, by="hr", now_ms=1)
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
