"""The pages of shift patterns: saved, shown again, refused with what was typed, and assigned."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.days.overtime import INDONESIA_5_DAYS
from dashboard.days.policy import weekly
from dashboard.models import Assignment, ShiftPattern, ShiftPatternVersion
from dashboard.models import Site as Place
from dashboard.planning import pattern_form
from dashboard.planning.patterns import rules_of, save_pattern
from tests.dashboard.days.sheet import OFFICE
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

FRESH = {**pattern_form.today_fields(date(2026, 11, 23)), "name": "Office"}


def typed(**changes: Any) -> dict[str, Any]:
    return {**FRESH, **changes}


def saved(site: Site) -> list[Any]:
    with site.sessions() as session:
        return [
            rules_of(row.rules_json)
            for row in session.scalars(select(ShiftPatternVersion).order_by(ShiftPatternVersion.id))
        ]


def test_a_pattern_is_made_changed_and_assigned(site: Site, browser: Browser, add_person) -> None:
    assert "No shift pattern yet" in browser.get("/shifts").text
    assert browser.post("/shifts/new", typed(grace_in="10", overtime="id5")).status_code == 302
    assert (saved(site)[0].policy.grace_in_min, saved(site)[0].policy.overtime) == (10, INDONESIA_5_DAYS)
    assert "Mon–Fri 08:00–17:00" in browser.get("/shifts").text
    page = browser.get("/shifts/1").text
    assert 'value="10"' in page
    assert 'name="seen" value="1"' in page
    assert (
        browser.post(
            "/shifts/1", typed(shift_0_start="22:00", shift_0_end="06:00", shift_0_next_day="yes", seen="1")
        ).status_code
        == 302
    )
    assert saved(site)[1].cycle[0].overnight
    second = browser.post("/shifts/1", typed(seen="1", name="Mine"))  # somebody else's page is still open
    assert second.status_code == 422
    assert "admin has saved this pattern meanwhile" in second.text
    assert 'value="Mine"' in second.text
    with site.sessions.begin() as session:
        add_person(session, "E1", templates=0)
    for whom in ({"of_department": "Dock"}, {"code": "E1"}):
        assert browser.post("/shifts/assign", {"pattern": "1", "from_day": "2026-11-23", **whom}).status_code == 302
    with site.sessions() as session:
        assert [row.department for row in session.scalars(select(Assignment).order_by(Assignment.id))] == ["Dock", None]
    assert "Name of E1" in browser.get("/shifts").text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Name: is missing"),
        ({"name": "x" * 201}, "at most 200"),
        ({"first_day": "tomorrow"}, "write a date as"),
        ({"first_day": "1066-10-14"}, "outside 2000 to 2099"),
        ({"shift_0_start": "<b>"}, "&lt;b&gt;"),
        ({"grace_in": "<b>" + "9" * 10_000}, 'value="&lt;b&gt;999'),
        ({"cycle_days": "400"}, "from 1 to 56"),
    ],
)
def test_what_cannot_be_is_refused_and_kept(browser: Browser, changes: dict[str, str], said: str) -> None:
    answer = browser.post("/shifts/new", typed(**changes))
    assert answer.status_code == 422
    assert said in answer.text
    assert browser.get("/shifts/1").status_code == 404


def test_the_site_of_an_assignment(site: Site, browser: Browser, add_person) -> None:
    """The only one is chosen; of several the one of the assignment before. The page says what the main one is."""
    with site.sessions.begin() as session:
        add_person(session, "E1", templates=0)
        save_pattern(session, "Day", weekly(OFFICE), date(2026, 1, 1), by="hr", now_ms=1)
        session.add(Place(id=7, name="Jakarta", time_zone="Asia/Jakarta"))
    page = browser.get("/shifts").text
    assert '<option value="7" selected>Jakarta' in page
    assert "Its clock is Asia/Jakarta, by the setting ATTENDANCE_DASHBOARD_TIME_ZONE." in page
    assert "Its clock is Asia/Jakarta" in browser.get("/sites").text
    with site.sessions.begin() as session:
        session.add(Place(id=8, name="Medan", time_zone="Asia/Jakarta"))
    assert "selected>Jakarta" not in browser.get("/shifts").text
    form = {"of_department": "Dock", "pattern": "1", "from_day": "2026-11-23"}
    for chosen in ("8", ""):
        page = browser.post("/shifts/assign", {**form, "site": chosen}, follow_redirects=True).text
        assert 'id="from_day" name="from_day" type="date" value="2026-11-23"' in page
        assert ('<option value="8" selected>' in page) is bool(chosen)
    assert browser.get("/shifts", query_string={"site": "<b>" * 9, "pattern": "x"}).status_code == 200


def test_assigning_what_cannot_be(site: Site, browser: Browser) -> None:
    browser.post("/shifts/new", typed())
    for values, said in (
        ({}, "a department or a person’s code"),
        ({"code": "E1", "of_department": "Dock"}, "one of them"),
        ({"code": "Nobody"}, "nobody has it"),
        ({"of_department": "Dock", "pattern": "9"}, "shift pattern 9: not known"),
        ({"of_department": "Dock", "site": "9"}, "site 9: not known"),
        ({"of_department": "Dock", "from_day": "x"}, "write a date as"),
    ):
        answer = browser.post("/shifts/assign", {"pattern": "1", "from_day": "2026-11-23", **values})
        assert (answer.status_code, said in answer.text) == (422, True), values
    assert browser.post("/shifts/new", typed()).status_code == 422  # the name is taken
    with site.sessions() as session:
        assert session.scalars(select(ShiftPattern.name)).all() == ["Office"]


def test_rules_that_the_form_cannot_show_are_not_lost_unsaid(site: Site, browser: Browser) -> None:
    rules = replace(weekly(OFFICE), first_day=date(1990, 1, 1))  # before the days that pages know
    with site.sessions.begin() as session:
        save_pattern(session, "Special", rules, date(2026, 1, 1), by="hr", now_ms=1)
    assert "rules that the form can’t show" in browser.get("/shifts/1").text


def test_a_look_shows_what_the_rules_make_of_a_day_and_saves_nothing(site: Site, browser: Browser) -> None:
    changes = {"grace_in": "10", "overtime": "id5", "first_day": "2026-11-23", "try_in": "09:00", "try_out": "03:00"}
    answer = browser.post("/shifts/look", typed(**changes, name="", do="preview"))
    assert answer.status_code == 200
    page = " ".join(answer.text.split())
    for words in ("10 minutes late, within the grace", "15 minutes late", "Late 0:15", "Forgets to punch out", "Out missing",
                  "Worked on a holiday", "Overtime at 150 %", "Worked on a rest day", "Your own example", "03:00+1"):  # fmt: skip
        assert words in page
    assert 'id="grace_in" name="grace_in" inputmode="numeric" autocomplete="off" maxlength="200" value="10"' in page
    refused = browser.post("/shifts/look", typed(grace_in="-1", do="preview"))
    assert refused.status_code == 422
    assert 'href="#grace_in"' in refused.text
    assert "then preview again" in refused.text
    assert saved(site) == []


def test_a_cycle_that_is_no_week(site: Site, browser: Browser) -> None:
    page = browser.post("/shifts/look", typed(do="cycle", rota="4on4off")).text
    assert page.count('<select id="day_') == 8
    fields = {**typed(cycle_days="8", cycle_start="2026-11-25"), **{f"day_{day}": "AAAA----"[day] for day in range(8)}}
    assert browser.post("/shifts/new", fields).status_code == 302
    (rules,) = saved(site)
    assert [bool(rules.shift_on(date(2026, 11, day))) for day in range(23, 31)] == [False] * 2 + [True] * 4 + [
        False
    ] * 2
    assert "8 days: 1–4 08:00–17:00" in browser.get("/shifts").text
    assert ">Day 8</label>" in browser.get("/shifts/1").text


def test_hostile_looks_are_answered(browser: Browser) -> None:
    for values in ({}, {"do": "cycle", "rota": "nothing", "cycle_days": "9" * 5_000}, {"try_in": "25:00", **typed()},
                   dict.fromkeys(FRESH, "x" * 10000), {f"shift_{n}_start": "NaN" for n in range(500)},
                   {**typed(), "first_day": "2099-12-31", "cycle_start": "2000-01-01"}):  # fmt: skip
        assert browser.post("/shifts/look", values).status_code in (200, 422)
    assert browser.post("/shifts/look?pattern=x", typed()).status_code == 400
