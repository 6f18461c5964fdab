"""Who is in: by the rules, by the last punch where there are many, at each door, and kept for a few seconds."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from dashboard.database import reading
from dashboard.days.policy import weekly
from dashboard.live import live_pages, who_is_in
from dashboard.live.who_is_in import Group, is_awaited, is_here, is_late
from dashboard.models import EventPicture, Leave
from dashboard.models import Site as SiteRow
from dashboard.people.employees import create_employee
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import JAKARTA, NIGHT, OFFICE, at, one_day, plan
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

TEN_MS = at("10:00")
NAMES = ("Punctual", "Late", "Gone", "Awaited", "Away", "Nightly", "Missed")


@pytest.fixture
def ids(any_site: Site) -> dict[str, str]:
    """At ten on Monday 23 November 2026 in Jakarta."""
    by: dict[str, Any] = {"by": "hr", "now_ms": 1}
    with any_site.sessions.begin() as session:
        found = {name: create_employee(session, name, name, "Dock", now_ms=1).id for name in NAMES}
        found["Other"] = create_employee(session, "Other", "Other", "Flight", now_ms=1).id
        session.add(SiteRow(id=7, name="Plant", time_zone="Asia/Jakarta"))
        session.flush()
        office = save_pattern(session, "Office", weekly(OFFICE), date(2026, 1, 1), **by).pattern_id
        night = save_pattern(session, "Night", weekly(NIGHT), date(2026, 1, 1), **by).pattern_id
        assign(session, date(2026, 1, 1), department="Dock", pattern_id=office, site_id=7, **by)
        assign(session, date(2026, 1, 1), employee_id=found["Nightly"], pattern_id=night, site_id=7, **by)
        day = date(2026, 11, 23)
        away = Leave(employee_id=found["Away"], first_day=day, last_day=day, kind="annual", paid=True)
        away.entered_ms, away.entered_by = 1, "hr"
        session.add(away)
    any_site.punch(found["Punctual"], at("07:55"))
    any_site.punch(found["Late"], at("08:20"))
    any_site.punch(found["Gone"], at("07:50"))
    any_site.punch(found["Gone"], at("09:00"), kiosk="side-door")
    with any_site.sessions.begin() as session:
        session.query(who_is_in.AttendanceEvent).filter_by(kiosk="side-door").update({"direction": "out"})
    any_site.punch(found["Other"], at("09:30"))
    return found


def seen(site: Site, only: frozenset[str] | None = None, at_ms: int = TEN_MS) -> who_is_in.Who:
    with reading(site.sessions) as session:
        return who_is_in.look(session, only, at_ms, JAKARTA)


def test_by_the_rules(any_site: Site, ids: dict[str, str]) -> None:
    who = seen(any_site)
    # awaited: Awaited, Missed and, tonight, Nightly; late: Late, and the two who should be there
    assert who.groups == (Group("", "Flight", 1, 0, 0), Group("Plant", "Dock", 2, 3, 3))
    assert who.sums == Group("", "", 3, 3, 3)
    assert seen(any_site, frozenset({"Flight"})).groups == (Group("", "Flight", 1, 0, 0),)
    assert seen(any_site, frozenset()).groups == ()


def test_many_by_their_last_punch(any_site: Site, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who_is_in, "MOST_BY_RULES", 3)
    who = seen(any_site)
    assert who.groups == (Group("", "Dock", 2, None, None), Group("", "Flight", 1, None, None))
    assert who.sums == Group("", "", 3, None, None)
    assert seen(any_site, at_ms=at("10:00+2")).sums.here == 0


def test_the_last_at_each_door(any_site: Site, ids: dict[str, str]) -> None:
    def last(only: frozenset[str] | None = None) -> dict[str, str | None]:
        return {door.name: door.last.name if door.last else None for door in seen(any_site, only).doors}

    assert last() == {"front-door": "Other", "side-door": "Gone"}
    assert last(frozenset({"Dock"})) == {"front-door": "Late", "side-door": "Gone"}
    assert last(frozenset()) == {"front-door": None, "side-door": None}


@pytest.mark.parametrize(
    ("words", "clock", "more", "here", "awaited", "late"),
    [
        ("", "07:00", {}, False, True, False),
        ("", "08:30", {}, False, True, True),
        ("in 08:00", "09:00", {}, True, False, False),
        ("in 08:10", "09:00", {}, True, False, True),
        ("in 08:00, out 09:00", "10:00", {}, False, False, False),
        ("in 08:00, out 12:00, in 13:00", "14:00", {"reading": "first_last"}, True, False, False),
        ("in 08:00, in 12:00", "13:00", {"reading": "alternate"}, False, False, False),
        ("", "10:00", {"shift": None}, False, False, False),
    ],
)
def test_a_day_of_one(words: str, clock: str, more: dict[str, Any], here: bool, awaited: bool, late: bool) -> None:
    day = one_day(plan(**more), words, as_of_ms=at(clock))
    assert (is_here(day, at(clock)), is_awaited(day), is_late(day)) == (here, awaited, late)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (who_is_in, live_pages):
        monkeypatch.setattr(module, "now_ms", lambda: TEN_MS)


def test_the_board(any_site: Site, ids: dict[str, str], clock: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with any_site.sessions.begin() as session:
        add_user(session, "boss", ["supervisor"], departments=["Dock"])
        newest = session.query(who_is_in.AttendanceEvent).filter_by(employee_id=ids["Late"]).one().event_id
        session.add(EventPicture(event_id=newest, jpeg=b"\xff\xd8", expires_ms=TEN_MS * 2))
    boss, admin = any_site.browser_of("boss"), any_site.browser()
    page = boss.get("/live").text
    assert "<dt>In now</dt><dd>2</dd>" in page
    assert "<dt>Not in yet</dt><dd>3</dd>" in page
    assert "Late, in, 08:20" in page
    assert "Other" not in page
    part = boss.get("/live/who").text
    assert f"/attendance/{newest}.jpg" not in part  # faces are for HR and auditors
    assert "<dt>In now</dt><dd>3</dd>" in admin.get("/live/who").text
    any_site.punch(ids["Late"], TEN_MS - 1000)
    monkeypatch.setattr(who_is_in, "look", lambda *_: pytest.fail("kept for a while"))
    assert "Late, in, 08:20" in boss.get("/live/who").text


def test_a_face_for_who_may_see_it(site: Site, browser: Browser, clock: None) -> None:
    with site.sessions.begin() as session:
        one = create_employee(session, "E1", "<b>Grace</b>", "Dock", now_ms=1).id
    event_id = site.punch(one, TEN_MS - 60_000)
    with site.sessions.begin() as session:
        session.add(EventPicture(event_id=event_id, jpeg=b"\xff\xd8", expires_ms=TEN_MS * 2))
    part = browser.get("/live/who").text
    assert f"/attendance/{event_id}.jpg" in part
    assert "&lt;b&gt;Grace" in part


@pytest.mark.parametrize(("came", "words"), [("04:03+1", "04:03"), ("23:50", "23:50 yesterday")])
def test_a_door_where_it_is_another_day_than_in_the_office(
    site: Site, monkeypatch: pytest.MonkeyPatch, came: str, words: str
) -> None:
    """Jakarta's small hours are the evening before in the office, which is on UTC."""
    office = site.with_settings(time_zone="UTC")
    for module in (who_is_in, live_pages):
        monkeypatch.setattr(module, "now_ms", lambda: at("04:05+1"))
    with office.sessions.begin() as session:
        grace = create_employee(session, "E1", "Grace", "Dock", now_ms=1).id
    office.punch(grace, at(came))
    said = " ".join(office.browser().get("/live/who").text.split())
    assert f"Grace, in, {words}</p>" in said


def test_many_people_and_doors_are_looked_up_through_indexes(site: Site) -> None:
    asked: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append(statement)
        seen_parameters.append(parameters)

    seen_parameters: list[Any] = []
    with reading(site.sessions) as session:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", keep)
        who_is_in._by_last_punch(session, None, TEN_MS)
        who_is_in._doors(session, None, TEN_MS)
        event.remove(engine, "before_cursor_execute", keep)
        plans = [
            " ".join(row[-1] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", given))
            for one, given in zip(asked, seen_parameters, strict=True)
            if "attendance_events" in one
        ]
    assert "event_by_employee" in plans[0]
    assert "event_by_kiosk" in plans[1]
    assert "SCAN attendance_events" not in " ".join(plans[:2])
