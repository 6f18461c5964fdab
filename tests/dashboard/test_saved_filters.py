"""Filters that an account keeps: its own alone, at most so many, without whom somebody searched for."""

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from dashboard.database import downgrade, engine_for, reading, upgrade
from dashboard.models import SavedFilter
from dashboard.web import saved_filters
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

DOCK = {"filter_name": "Dock, all", "department": "Dock", "kind": "all", "person": "Secret Name", "days": ""}


def rows(site: Site) -> list[Any]:
    with reading(site.sessions) as session:
        return [
            (row.name, row.query, row.days) for row in session.scalars(select(SavedFilter).order_by(SavedFilter.id))
        ]


def links(page: str) -> dict[str, str]:
    """Addresses by name."""
    found = re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', page)
    return {name: href.replace("&amp;", "&") for href, name in found}


def test_a_filter_is_kept_replaced_and_removed(any_site: Site) -> None:
    browser = any_site.browser()
    answer = browser.post("/saved-filters/log", DOCK)
    assert (answer.status_code, answer.location) == (302, "/attendance?department=Dock&kind=all")
    assert rows(any_site) == [("Dock, all", "department=Dock&kind=all", "")]
    browser.post("/saved-filters/log", {**DOCK, "kind": "", "days": "week"})
    assert rows(any_site) == [("Dock, all", "department=Dock", "week")]
    page = browser.get("/attendance").text
    assert re.fullmatch(r"/attendance\?department=Dock&from=[-\d]{10}&to=[-\d]{10}", links(page)["Dock, all"])
    assert browser.get(links(page)["Dock, all"]).status_code == 200
    browser.post("/saved-filters/months", {"filter_name": "Yard", "department": "Yard", "month": "2026-11"})
    assert links(browser.get("/months").text) == {"Yard": "/months?department=Yard&month=2026-11"}
    assert browser.post("/saved-filters/1/remove").location == "/attendance"
    assert "Dock, all" not in links(browser.get("/attendance").text)
    assert browser.post("/saved-filters/1/remove").status_code == 404


def test_each_account_has_its_own(site: Site, browser: Browser) -> None:
    browser.post("/saved-filters/log", DOCK)
    with site.sessions.begin() as session:
        add_user(session, "other", ["hr"])
    other = site.browser_of("other")
    assert links(other.get("/attendance").text) == {}
    assert other.post("/saved-filters/1/remove").status_code == 404
    assert rows(site)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"filter_name": ""}, "1 to 100 printable characters"),
        ({"filter_name": "x" * 10_000}, "1 to 100 printable characters"),
        ({"filter_name": "a\x07b"}, "1 to 100 printable characters"),
        ({"days": "decade"}, "Days “decade”: not known"),
        ({"department": "y" * 10_000}, "a value of it is too long"),
        ({"kiosk": "\x1b[31m"}, "isn’t printable"),
    ],
)
def test_what_cannot_be_kept_is_said_and_the_name_stays(site: Site, browser: Browser, changes: Any, said: str) -> None:
    answer = browser.post("/saved-filters/log", {**DOCK, **changes})
    assert answer.status_code == 302
    page = browser.get(answer.location).text
    assert said in page
    if "filter_name" not in changes:
        assert 'value="Dock, all"' in page
    assert rows(site) == []


def test_the_most_is_twenty(site: Site, browser: Browser) -> None:
    for number in range(21):
        answer = browser.post("/saved-filters/log", {**DOCK, "filter_name": f"<b>{number}"})
    assert "You have 20 filters" in browser.get(answer.location).text
    assert len(rows(site)) == 20
    assert "&lt;b&gt;19" in browser.get("/attendance").text
    browser.post("/saved-filters/log", {**DOCK, "filter_name": "<b>3", "department": "Yard"})
    assert ("<b>3", "department=Yard&kind=all", "") in rows(site), "one that is there can be replaced"


def test_days_are_counted_from_when_it_is_opened(site: Site) -> None:
    today = date(2026, 11, 23)
    with site.app.test_request_context():
        for page, days, query in (
            ("log", "today", "from=2026-11-23&to=2026-11-23"),
            ("log", "week", "from=2026-11-17&to=2026-11-23"),
            ("log", "month", "from=2026-11-01&to=2026-11-23"),
            ("log", "", "from=2020-01-01"),
            ("months", "month", ""),
        ):
            row = SavedFilter(page=page, query="from=2020-01-01" if page == "log" else "month=2020-01", days=days)
            assert saved_filters.address(row, today).partition("?")[2] == query


def test_the_migration_goes_up_and_down_with_rows(empty_url: str) -> None:
    upgrade(empty_url, "0013")
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        user = "INSERT INTO users (name, password_hash, must_change_password, created_ms) VALUES ('a', 'x', false, 1)"
        connection.execute(text(user))
    for _ in range(2):
        upgrade(empty_url, "0014")
        with engine.begin() as connection:
            columns = "user_id, page, name, query, days, made_ms"
            connection.execute(text(f"INSERT INTO saved_filters ({columns}) VALUES (1, 'log', 'n', '', '', 1)"))
        downgrade(empty_url, "0013")
        assert "saved_filters" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar() == 1
    engine.dispose()
