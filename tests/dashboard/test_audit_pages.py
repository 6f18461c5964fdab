"""The audit trail's page: filtered, paged by where the page before ended, exported, and safe against what it shows."""

import csv
import io
from typing import Any

import pytest

from dashboard.auditing import audit
from dashboard.auditing.audit import Actor, Subject
from dashboard.auditing.audit_actions import Action
from dashboard.models import Employee
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

DOOR = Subject("kiosk", "front-door")


def fill(site: Site) -> None:
    with site.sessions.begin() as session:
        for number in range(12):
            audit.add(session, Actor(1, "hr", "192.0.2.1"), Action.KIOSK_CHANGED, DOOR, after={"label": f"<b>{number}"})
        audit.add(session, audit.COMMAND, Action.MODEL_USED, Subject("model", "m1"))
        audit.add(session, Actor(1, "hr"), Action.PERSON_CREATED, Subject("person", "x1"))
        session.add(Employee(id="x1", code="=E-1", name="Grace Hopper", created_ms=1))


def numbers(page: str) -> list[int]:
    return [int(part.split("<")[0]) for part in page.split('<th scope="row" class="number">')[1:]]


def test_pages_go_on_where_the_last_ended_whatever_is_written_meanwhile(any_site: Site) -> None:
    browser = any_site.browser()
    fill(any_site)
    page, seen = browser.get("/audit").text, []
    while True:
        seen += numbers(page)
        if 'rel="next"' not in page:
            break
        with any_site.sessions.begin() as session:
            audit.add(session, audit.COMMAND, Action.CALIBRATION_LOOKED)
        link = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        page = browser.get(link).text
    assert seen == list(range(15, 0, -1))
    assert 'rel="first"' in page


def test_roles_and_times_are_words(site: Site) -> None:
    with site.sessions.begin() as session:
        told = {"what": "add", "ms": 1_765_274_400_000}
        audit.add(session, Actor(1, "hr,operator,guard"), Action.CORRECTION_ASKED, DOOR, after=told)
    page = site.browser().get("/audit").text
    assert "HR, Operator, guard" in page
    assert "time: Tue 9 Dec 2025, 17:00:00 WIB" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=admin&action=login", [1]),
        ("who=adm", []),
        ("action=model.used", [14]),
        ("whom=m1", [14]),
        ("whom=%3DE-1", [15]),
        ("whom=x1", [15]),
        ("whom=admin", [1]),
        ("whom=1", []),
        ("whom=front-door&before=4", [3, 2]),
        ("from=2020-01-01&to=2020-12-31", []),
        ("before=1", []),
    ],
)
def test_filters(any_site: Site, query: str, found: list[int]) -> None:
    browser = any_site.browser()
    fill(any_site)
    page = browser.get(f"/audit?{query}")
    assert page.status_code == 200
    assert numbers(page.text) == found


@pytest.mark.parametrize(
    "query",
    [
        "action=nothing",
        "from=soon",
        "from=1999-01-01",
        "from=2026-02-01&to=2026-01-01",
        "before=x",
        "before=99999999999999999999",
        "before=²",
        f"whom={'x' * 129}",
    ],
)
def test_filters_that_make_no_sense_are_said(browser: Browser, query: str) -> None:
    for path in ("/audit", "/audit.csv"):
        assert browser.get(f"{path}?{query}").status_code == 400


def test_the_export_has_every_row_and_no_formula(site: Site, browser: Browser) -> None:
    fill(site)
    answer = browser.get("/audit.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert [int(row["Number"]) for row in rows] == list(range(16, 0, -1))
    assert rows[0]["Action"] == "export.trail"
    assert rows[1]["Code"] == "'=E-1"
    assert rows[1]["Previous hash"] == rows[2]["Hash"]
    assert (rows[-1]["Account or key"], rows[-1]["By"]) == ("admin", "dashboard")


def test_what_is_shown_is_escaped(site: Site, browser: Browser) -> None:
    fill(site)
    page = browser.get("/audit?action=kiosk.changed").text
    assert "label: &lt;b&gt;11" in page
    assert "<b>1" not in page
    assert "kiosk front-door" in page
    assert "192.0.2.1" in page
