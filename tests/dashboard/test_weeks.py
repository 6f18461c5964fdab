"""A department's week and day: the same days as the months', whose they may be, and links that can't be."""

import pytest

from tests.dashboard.days.sheet import at
from tests.dashboard.site import Browser, Site, add_user
from tests.dashboard.support import dock_in_office_hours

pytest_plugins = ["tests.dashboard.pages"]


@pytest.fixture
def person(site: Site, add_person) -> str:
    """Late on Monday the 23rd of November 2026, and there until the evening; out forgotten on Tuesday."""
    with site.sessions.begin() as session:
        found: str = add_person(session, "E1", templates=0)
        dock_in_office_hours(session)
    site.punch(found, at("08:10"))
    site.punch(found, at("17:00"), direction="out")
    site.punch(found, at("08:00+1"))
    return found


def test_a_week_and_a_day(browser: Browser, person: str) -> None:
    page = browser.get("/week?day=2026-11-25&department=Dock").text
    assert "<h1>Mon 23 Nov 2026 to Sun 29 Nov 2026</h1>" in page
    assert '<span class="number">8:50</span> <span class="tag warn">Late</span>' in page
    assert "/day?day=2026-11-23&amp;department=Dock" in page
    assert "/week?day=2026-11-16&amp;department=Dock" in page
    assert "/week?day=2026-11-30&amp;department=Dock" in page
    page = browser.get("/day?day=2026-11-23").text
    assert "<h1>Mon 23 Nov 2026</h1>" in page
    assert "08:10 in" in page
    assert "17:00 out" in page
    assert "Late 0:10" in page
    assert f"/people/{person}/month?month=2026-11" in page
    assert "Nobody found" in browser.get("/day?day=2026-11-23&department=Elsewhere").text


def test_a_week_begins_as_the_language_has_it(browser: Browser, person: str) -> None:
    page = browser.get("/week?day=2026-11-25", headers={"Accept-Language": "id"}).text
    assert "<h1>Min 22 Nov 2026 sampai Sab 28 Nov 2026</h1>" in page


def test_supervisors_see_their_departments(site: Site, person: str) -> None:
    with site.sessions.begin() as session:
        add_user(session, "dock", ["supervisor"], ["Dock"])
        add_user(session, "quay", ["supervisor"], ["Quay"])
    for path in ("/week?day=2026-11-25", "/day?day=2026-11-23"):
        assert "Name of E1" in site.browser_of("dock").get(path).text
        assert "Name of E1" not in site.browser_of("quay").get(path).text


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "1999-12-31", "2100-01-01", "٢٠٢٦-١١-٢٣", "9" * 5000])
def test_days_that_cannot_be(browser: Browser, day: str) -> None:
    for path in ("/week", "/day"):
        answer = browser.get(path, query_string={"day": day})
        assert answer.status_code == 400
        assert "Day “" in answer.text


@pytest.mark.parametrize("day", ["2000-01-01", "2099-12-31"])
def test_the_first_and_the_last_day(browser: Browser, person: str, day: str) -> None:
    for path in ("/week", "/day"):
        assert browser.get(path, query_string={"day": day}).status_code == 200
