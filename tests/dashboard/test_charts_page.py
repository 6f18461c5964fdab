"""The page of charts: what it is asked, whom it shows, the same figures in sentence and table, and the library it draws with."""

import hashlib
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from dashboard.charts import chart_tables, lateness, scope
from dashboard.charts.chart_filter import MOST_DAYS, quick_ranges, read_filter
from dashboard.charts.outcomes import MOST_DOORS
from dashboard.models import Site as SiteRow
from dashboard.people.employees import create_employee
from tests.dashboard.days.sheet import MONDAY, at
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

TODAY = date(2026, 11, 25)
VENDOR = Path(chart_tables.__file__).parents[1] / "static" / "vendor"
DOCS = Path(chart_tables.__file__).parents[2] / "docs" / "charts.md"
ON_MONDAY = f"/charts?from={MONDAY}&to={MONDAY}"


@pytest.fixture
def peopled(site: Site) -> Site:
    """Two departments with a person each, who came on Monday, and a stranger; a supervisor of Flight."""
    with site.sessions.begin() as session:
        grace = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
        eileen = create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1).id
        add_user(session, "chief", ["supervisor"], ["Flight"])
    for person, come, go in ((grace, "07:50", "16:00"), (eileen, "09:05", "17:00")):
        site.punch(person, at(come))
        site.punch(person, at(go), direction="out")
    site.punch(None, at("10:00"), status="not_a_punch")
    return site


def chart(page: str, name: str) -> str:
    return page.split(f'id="{name}" aria')[1].split("</section>")[0]


def table(page: str, name: str) -> dict[str, list[str]]:
    """The cells' values by the row's title."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', chart(page, name), re.DOTALL)
    return {title: re.findall(r'data-value="(.*?)"', cells) for title, cells in rows}


def summary(page: str, name: str) -> str:
    found = re.search(rf'id="{name}-summary">(.*?)</p>', page, re.DOTALL)
    assert found
    return found[1]


def test_four_charts_with_their_sentences_and_tables(peopled: Site) -> None:
    page = peopled.browser().get(ON_MONDAY).text
    assert summary(page, "arrivals") == "2 arrivals; the quarter of an hour with the most is 07:45–08:00, with 1."
    assert table(page, "arrivals")["09:00–09:15"] == ["1"]
    assert summary(page, "lateness").startswith("Nobody was due at a fixed time")
    assert "canvas" not in chart(page, "lateness"), "nothing to draw"
    assert summary(page, "occupancy") == "The most at once were 2 people, on Mon 23 Nov at 09:15."
    assert table(page, "occupancy")["09:15"] == ["2"], "one day needs no mean"
    assert summary(page, "outcomes") == (
        "5 decisions: 80.0% recorded, 0.0% repeated."
        " 20.0% were not recognised or looked wrong, the largest share at front-door: 1 of 5."
    )
    assert table(page, "outcomes") == {"front-door": ["4", "0", "1", "0", "0", "0"]}
    whole_week = peopled.browser().get(f"/charts?from={MONDAY}&to={MONDAY + timedelta(days=6)}").text
    assert table(whole_week, "occupancy")["09:15"] == ["2.0", "2"]
    one_day = peopled.browser().get(f"/charts?from={MONDAY}&to={MONDAY + timedelta(days=6)}&day={MONDAY}").text
    assert table(one_day, "occupancy")["09:15"] == ["2"]


def test_nothing_happened(site: Site) -> None:
    page = site.browser().get("/charts").text
    words = ["Nobody came in.", "Nobody was in.", "Nobody stood in front of a kiosk."]
    assert [summary(page, name) for name in ("arrivals", "occupancy", "outcomes")] == words
    assert "<canvas" not in page


def test_a_supervisor_sees_their_departments_alone(peopled: Site) -> None:
    browser = peopled.browser_of("chief")
    page = browser.get(ON_MONDAY).text
    assert list(table(page, "arrivals")) == ["09:00–09:15"]
    assert table(page, "outcomes") == {"front-door": ["2", "0", "0", "0", "0", "0"]}
    assert "Computing" not in page
    other = browser.get(f"{ON_MONDAY}&department=Computing").text
    assert summary(other, "arrivals") == "Nobody came in."
    assert list(table(peopled.browser().get(f"{ON_MONDAY}&department=Computing").text, "arrivals")) == ["07:45–08:00"]


def test_too_much_is_said_and_not_waited_for(peopled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MOST_PUNCHES", 3)
    monkeypatch.setattr(lateness, "MOST_PERSON_DAYS", 1)
    page = peopled.browser().get(ON_MONDAY).text
    for name in ("arrivals", "occupancy"):
        assert summary(page, name).startswith("The period holds more than 3 punches")
    assert summary(page, "lateness").startswith(
        "Lateness is worked out for up to 1,000 people, and 1 people times days"
    )
    assert table(page, "outcomes") != {}


HOSTILE = [
    ("from=2026-11-31", "is not a date"),
    ("from=1999-12-31&to=2000-01-05", "is outside 2000 to 2099"),
    ("from=2026-11-25&to=2026-11-23", "swap them"),
    ("from=2026-01-01&to=2026-12-31", "are 365 days; charts hold at most 92"),
    ("from=2000-01-01&to=2099-12-31", "charts hold at most 92"),
    ("site=7", "Site “7” is not known"),
    ("site=1%20OR%201=1", "is not known"),
    ("site=%F0%9F%92%A9", "is not known"),
    (f"site={'9' * 190}", "is not known"),
    ("day=yesterday", "is not a date"),
    ("from=2026-11-23&to=2026-11-24&day=2026-11-25", "is not in the period"),
    (f"department={'x' * 201}", "at most 200 characters, got 201"),
    ("from=%3Cscript%3Ealert(1)%3C/script%3E", "&lt;script&gt;"),
    ("department=%00", "can’t be stored"),
]


@pytest.mark.parametrize(("query", "words"), HOSTILE)
def test_values_that_cannot_be(browser: Browser, query: str, words: str) -> None:
    answer = browser.get(f"/charts?{query}")
    assert answer.status_code == 400
    assert words in answer.text
    assert "<script>alert" not in answer.text


def test_departments_are_text_and_nothing_else(peopled: Site) -> None:
    page = peopled.browser().get(ON_MONDAY + "&department=%27%3B+DROP+TABLE+employees%3B--%22%3E%3Ci%3E").text
    assert summary(page, "arrivals") == "Nobody came in."
    assert "&#39;; DROP TABLE employees;--&#34;&gt;&lt;i&gt;" in page


def test_a_chosen_site_gives_its_clock(peopled: Site) -> None:
    browser = peopled.browser()
    assert 'name="site"' not in browser.get("/charts").text
    with peopled.sessions.begin() as session:
        session.add(SiteRow(name="Plant", time_zone="Asia/Makassar", country="ID", subdivision=""))
    page = browser.get(f"{ON_MONDAY}&site=1").text
    assert "Times are those of Asia/Makassar." in page
    assert summary(page, "outcomes") == "Nobody stood in front of a kiosk."
    assert list(table(browser.get(f"{ON_MONDAY}&site=none").text, "outcomes")) == ["front-door"]


def test_the_period_that_is_meant(peopled: Site) -> None:
    with peopled.app.test_request_context():
        for query, start, end in (
            ({}, "2026-11-19", "2026-11-25"),
            ({"from": "2026-11-01"}, "2026-11-01", "2026-11-25"),
            ({"to": "2026-10-31"}, "2026-10-25", "2026-10-31"),
            ({"from": "2026-12-01"}, "2026-12-01", "2026-12-07"),
        ):
            chosen, problems = read_filter(query, TODAY, ())
            assert (chosen.start.isoformat(), chosen.end.isoformat(), problems) == (start, end, [])
        assert [(first.isoformat(), last.isoformat()) for _, first, last in quick_ranges(TODAY)] == [
            ("2026-11-23", "2026-11-25"),
            ("2026-11-16", "2026-11-22"),
            ("2026-11-01", "2026-11-25"),
            ("2026-10-01", "2026-10-31"),
        ]


def test_the_page_holds_no_script_or_style_of_its_own(peopled: Site) -> None:
    answer = peopled.browser().get(ON_MONDAY)
    assert re.findall(r"<script(?![^>]* src=)", answer.text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", answer.text) == []
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "/static/charts.js" in answer.text
    assert 'import "./vendor/chart.umd.min.js";' in (VENDOR.parent / "charts.js").read_text()


def test_the_library_is_the_one_that_its_readme_names() -> None:
    readme, library = (VENDOR / "README.md").read_text(), (VENDOR / "chart.umd.min.js").read_bytes()
    version = re.search(rb"Chart\.js v([0-9.]+)", library)
    assert version
    assert f"| {version[1].decode()} | MIT" in readme
    assert hashlib.sha256(library).hexdigest() in readme
    assert "The MIT License" in (VENDOR / "chart.umd.min.js.LICENSE").read_text()


def test_the_document_names_the_limits_of_the_code() -> None:
    text = " ".join(DOCS.read_text().split())
    assert f"at most {MOST_DAYS} days" in text
    assert f"up to {scope.MOST_PUNCHES:,} punches" in text
    assert f"{lateness.MOST_PEOPLE:,} people and {lateness.MOST_PERSON_DAYS:,} people times days" in text
    assert f"The {MOST_DOORS} busiest kiosks" in text
