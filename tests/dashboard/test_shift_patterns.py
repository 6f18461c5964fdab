"""The pages of shift patterns: saved, shown again, refused with what was typed, and assigned."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.days.overtime import INDONESIA_5_DAYS
from dashboard.days.policy import Policy, weekly
from dashboard.models import Assignment, ShiftPattern, ShiftPatternVersion
from dashboard.planning import pattern_form
from dashboard.planning.patterns import rules_of, save_pattern
from dashboard.web.forms import Form
from tests.dashboard.days.sheet import NIGHT, OFFICE
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
    assert browser.post("/shifts/1", typed(start_0="22:00", end_0="06:00", seen="1")).status_code == 302
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
        ({"start_0": "25:00"}, "write a time as 08:30"),
        ({"start_0": "<b>"}, "&lt;b&gt;"),
        ({"start_0": ""}, "Monday: give both a start and an end"),
        ({"start_0": "17:00"}, "start and end are the same"),
        ({"kind": "flexible"}, "required_min: missing"),
        ({"kind": "round"}, "choose one of fixed, flexible"),
        ({"grace_in": "-1"}, "from 0 to 240"),
        ({"grace_in": "٣"}, "a whole number"),
        ({"favour": "employer", "unit": "7"}, "must divide an hour"),
        ({"break_length": ""}, "or neither"),
        ({"minimum": "500", "maximum": "400"}, "maximum_min 400"),
        ({"break_min": "480", "start_0": "08:00", "end_0": "09:00"}, "break_min 480"),
        ({"start_0": "20:00", "end_0": "17:00"}, "ends after the shift of the next day starts"),
        ({f"{what}_{day}": "" for what in ("start", "end") for day in range(5)}, "at least one day"),
    ],
)
def test_what_cannot_be_is_refused_and_kept(browser: Browser, changes: dict[str, str], said: str) -> None:
    answer = browser.post("/shifts/new", typed(**changes))
    assert answer.status_code == 422
    assert said in answer.text
    assert browser.get("/shifts/1").status_code == 404


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


def test_the_form_gives_back_what_it_was_given() -> None:
    for pattern in (weekly(OFFICE, policy=Policy(grace_in_min=5)), weekly(NIGHT, 3)):
        form = Form(pattern_form.fields_of(pattern))
        assert pattern_form.read_pattern(form) == pattern, form.problems


def test_rules_that_the_form_cannot_show_are_not_lost_unsaid(site: Site, browser: Browser) -> None:
    rules = weekly(OFFICE, policy=Policy(cooldown_s=5))
    with site.sessions.begin() as session:
        save_pattern(session, "Special", rules, date(2026, 1, 1), by="hr", now_ms=1)
    assert "rules that the form can’t show" in browser.get("/shifts/1").text
