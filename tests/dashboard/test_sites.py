"""The pages of sites and their holidays: entered, previewed, imported, removed, and refused in words."""

import io
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.models import Holiday
from dashboard.models import Site as SiteRow
from tests.dashboard.site import Browser, Site
from tests.dashboard.test_holiday_calendars import ics

pytest_plugins = ["tests.dashboard.pages"]
PLANT = {"name": "Plant", "time_zone": "Asia/Makassar", "country": "id"}


def test_a_site_gets_its_countrys_holidays(site: Site, browser: Browser) -> None:
    assert browser.post("/sites", PLANT).status_code == 302
    assert "Holidays of Plant" in browser.get("/sites").text
    shown = browser.post("/sites/1/holidays/preview", {"year": "2026", "country": "ID"}).text
    picks = [unescape(value) for value in re.findall(r'name="pick" value="([^"]+)"', shown)]
    assert "2026-08-17 Hari Kemerdekaan Republik Indonesia" in picks
    assert "No holidays in 2026 so far" in shown
    assert "Import them below" not in shown
    with site.sessions() as session:
        assert session.scalars(select(Holiday)).all() == []  # a preview stores nothing
    done = browser.post("/sites/1/holidays/import", {"pick": picks[:2], "source": "country"}, follow_redirects=True)
    assert "2 holidays are entered." in done.text
    with site.sessions() as session:
        assert session.scalars(select(Holiday.source)).all() == ["country", "country"]
    assert browser.post("/sites/1/holidays/1/remove").status_code == 302
    assert browser.post("/sites/1/holidays/1/remove").status_code == 404
    assert browser.post("/sites/0/holidays/2/remove").status_code == 404  # of another site


def test_a_file_is_previewed(browser: Browser) -> None:
    data = ics("SUMMARY:<b>Feast</b>|DTSTART;VALUE=DATE:20260817", "SUMMARY:Meeting|DTSTART:20260817T080000Z")
    shown = browser.post("/sites/0/holidays/preview", {"year": "2026", "file": (io.BytesIO(data), "x.ics")})
    assert "&lt;b&gt;Feast&lt;/b&gt;" in shown.text
    assert "“Meeting” has a time of day" in shown.text
    bad = browser.post("/sites/0/holidays/preview", {"year": "2026", "file": (io.BytesIO(b"\x89PNG"), "x.ics")})
    assert bad.status_code == 422
    large = browser.post("/sites/0/holidays/preview", {"year": "2026", "file": (io.BytesIO(b"x" * 1_000_002), "x.ics")})
    assert (large.status_code, "at most 1,000,000" in large.text) == (422, True)


def test_a_half_day_is_entered_once(site: Site, browser: Browser) -> None:
    eve = {"day": "2026-12-24", "name": "Eve", "half": "second"}
    for _ in range(2):
        assert browser.post("/sites/0/holidays", eve).status_code == 302
    with site.sessions() as session:
        assert session.scalars(select(Holiday.half)).all() == ["second"]
    assert "Second half" in browser.get("/sites/0/holidays?year=2026").text


@pytest.mark.parametrize(
    ("path", "values", "code", "said"),
    [
        ("/sites", {**PLANT, "name": ""}, 422, "Name: is missing"),
        ("/sites", {**PLANT, "time_zone": "../etc/passwd"}, 422, "not known; use a name such as"),
        ("/sites", {**PLANT, "country": "XX"}, 422, "Country “XX”"),
        ("/sites", {**PLANT, "subdivision": "ZZ"}, 422, "Region “ZZ” of ID"),
        ("/sites/0/holidays", {"day": "2026-02-30", "name": "x", "half": ""}, 422, "write a date as"),
        ("/sites/0/holidays", {"day": "2026-02-01", "name": "x", "half": "third"}, 422, "choose one of first, second"),
        ("/sites/9/holidays", {"day": "2026-02-01", "name": "x", "half": ""}, 404, "nothing at this address"),
        ("/sites/0/holidays/preview", {"year": "1"}, 400, "from 2000 to 2099"),
        ("/sites/0/holidays/preview", {"year": "2026", "country": "__"}, 422, "country “__”"),
        ("/sites/0/holidays/import", {"pick": ["2026-13-01 x"]}, 400, "write a date as"),
        ("/sites/0/holidays/import", {"pick": ["2026-12-01"]}, 400, "Name: is missing"),
        ("/sites/9/holidays/import", {"pick": ["2026-12-01 x"]}, 404, "nothing at this address"),
    ],
)
def test_what_cannot_be(browser: Browser, path: str, values: dict[str, Any], code: int, said: str) -> None:
    answer = browser.post(path, values)
    assert (answer.status_code, said in answer.text) == (code, True), answer.text


def test_a_site_is_changed_and_the_second_clerk_is_told(site: Site, browser: Browser) -> None:
    browser.post("/sites", PLANT)
    page = browser.get("/sites/1").text
    assert 'value="Asia/Makassar"' in page
    seen = {"seen": page.split('name="seen" value="')[1].split('"')[0]}
    assert browser.post("/sites/1", {**PLANT, **seen, "time_zone": "Asia/Jayapura"}).status_code == 302
    second = browser.post("/sites/1", {**PLANT, **seen, "name": "Mine"})
    assert (second.status_code, "somebody has changed it meanwhile" in second.text) == (422, True)
    assert 'value="Mine"' in second.text
    wrong = browser.post("/sites/1", {**PLANT, **seen, "time_zone": "Mars"})
    assert (wrong.status_code, "not known; use a name" in wrong.text) == (422, True)
    with site.sessions() as session:
        assert session.execute(select(SiteRow.name, SiteRow.time_zone)).all() == [("Plant", "Asia/Jayapura")]
    assert browser.get("/sites/9").status_code == 404
    assert browser.post("/sites/9", PLANT).status_code == 404


def test_a_name_is_given_once(site: Site, browser: Browser) -> None:
    assert browser.post("/sites", PLANT).status_code == 302
    again = browser.post("/sites", PLANT)
    assert (again.status_code, "another site has it already" in again.text) == (422, True)
    with site.sessions() as session:
        assert session.scalars(select(SiteRow.country)).all() == ["ID"]
    assert browser.get("/sites/7/holidays").status_code == 404
