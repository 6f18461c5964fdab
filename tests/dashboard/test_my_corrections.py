"""An employee asks for corrections of their own punches, and of nobody else's; what can't be is refused in words."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from dashboard.correcting.correction_form import read
from dashboard.database import now_ms, reading
from dashboard.days.corrections import CorrectedPunch
from dashboard.models import AuditEntry, Correction, Employee
from dashboard.people.employees import create_employee
from dashboard.web.forms import Form
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

DAY_MS = 86_400_000
SEVEN_MS = now_ms() // DAY_MS * DAY_MS - 3 * DAY_MS
"""07:00 in Jakarta, three days ago."""
DAY = date.fromtimestamp(SEVEN_MS // 1000 + 7 * 3600).isoformat()
CHANGE = {"what": "change", "day": DAY, "time": "06:45", "direction": "in", "reason": "The queue was long"}
NEW = "/my-corrections/new"


@pytest.fixture
def events(any_site: Site) -> list[str]:
    with any_site.sessions.begin() as session:
        grace = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
        other = create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1).id
        add_user(session, "grace", ["employee"], employee_id=grace)
        add_user(session, "eileen", ["employee"], employee_id=other)
        add_user(session, "nobody", ["employee"])
    return [any_site.punch(grace, SEVEN_MS), any_site.punch(other, SEVEN_MS)]


@pytest.fixture
def own(any_site: Site, events: list[str]) -> Browser:
    return any_site.browser_of("grace")


def rows(site: Site) -> list[Correction]:
    with reading(site.sessions) as session:
        return list(session.scalars(select(Correction).order_by(Correction.id)))


def test_from_the_month_to_a_request_and_back(any_site: Site, own: Browser, events: list[str]) -> None:
    month = own.get("/me", query_string={"month": DAY[:7]}).text
    assert f"{NEW}?punch={events[0]}" in month
    assert f"{NEW}?day={DAY}" in month
    form = own.get(f"{NEW}?punch={events[0]}").text
    assert 'value="07:00"' in form
    assert f'value="{DAY}"' in form
    assert '<option value="out" selected>' in own.get(f"{NEW}?day={DAY}").text, "who came and never left lacks an out"
    assert '<option value="in" selected>' in own.get(f"{NEW}?day=2026-01-05").text
    assert '<option value="in" selected>' in own.get(f"{NEW}?day=<b>").text
    assert own.post(f"{NEW}?punch={events[0]}", CHANGE).status_code == 302
    (row,) = rows(any_site)
    assert (row.action, row.new_ms, row.new_direction) == ("change", SEVEN_MS - 15 * 60_000, None)
    assert (row.asked_by, row.state, row.event_id) == ("grace", "asked", events[0])
    listed = own.get("/my-corrections").text
    assert "The queue was long" in listed
    assert "06:45:00" in listed
    assert "Correction asked for" in own.get("/me", query_string={"month": DAY[:7]}).text
    assert own.post(f"/my-corrections/{row.id}/withdraw").status_code == 302
    assert rows(any_site)[0].state == "withdrawn"
    again = own.post(f"/my-corrections/{row.id}/withdraw", follow_redirects=True)
    assert "grace has withdrawn it already" in again.text
    with reading(any_site.sessions) as session:
        actions = session.scalars(select(AuditEntry).where(AuditEntry.action.like("correction.%"))).all()
    assert [entry.action for entry in actions] == ["correction.asked", "correction.withdrawn"]
    assert all(entry.actor_id is not None and "queue" not in entry.details for entry in actions)


def test_a_missing_punch_and_one_that_must_not_count(any_site: Site, own: Browser, events: list[str]) -> None:
    missing = {"day": DAY, "time": "16:00", "direction": "out", "reason": "The kiosk was dark"}
    assert own.post(NEW, missing).status_code == 302
    void = {"what": "void", "reason": "That was my sister"}  # neither time nor direction are looked at
    assert own.post(f"{NEW}?punch={events[0]}", void).status_code == 302
    assert [(row.action, row.new_direction) for row in rows(any_site)] == [("add", "out"), ("void", None)]
    assert "has asked about this already" in own.post(NEW, missing).text
    twice = own.post(f"{NEW}?punch={events[0]}", CHANGE)
    assert (twice.status_code, "grace has asked about this already" in twice.text) == (422, True)
    assert 'value="06:45"' in twice.text
    assert len(rows(any_site)) == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"day": "2099-01-01"}, "is in the future"),
        ({"day": "2026-02-30"}, "write a date as"),
        ({"day": "1999-12-31"}, "outside 2000"),
        ({"day": "2001-01-01"}, "more than 31 days"),
        ({"time": "25:00"}, "write a time as 08:30"),
        ({"time": ""}, "is missing; write it as 08:30"),
        ({"time": "²3:00"}, "write a time as 08:30"),
        ({"time": "07:00"}, "nothing is different"),
        ({"direction": "sideways"}, "choose one of in, out"),
        ({"what": "add"}, "choose one of change, void"),
        ({"reason": "  "}, "Reason: is missing"),
        ({"reason": "r" * 5_000}, "at most 500 printable characters, got 5000"),
        ({"reason": "a\x1b[2J"}, "at most 500 printable"),
    ],
)
def test_what_cannot_be_is_refused_and_kept(any_site: Site, own: Browser, events, typed: dict[str, str], said) -> None:
    answer = own.post(f"{NEW}?punch={events[0]}", CHANGE | typed)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert 'value="The queue was long"' in answer.text or "reason" in typed
    assert rows(any_site) == []


def test_nobody_reaches_the_punches_and_requests_of_others(any_site: Site, own: Browser, events: list[str]) -> None:
    for punch in (events[1], "nothing", "' OR 1=1"):
        where = {"punch": punch}
        assert own.get(NEW, query_string=where).status_code == 404
        assert own.post(NEW, CHANGE, query_string=where).status_code == 404
    assert own.get(NEW, query_string={"punch": "x" * 65}).status_code == 400
    other = any_site.browser_of("eileen")
    assert other.post(f"{NEW}?punch={events[1]}", CHANGE).status_code == 302
    (row,) = rows(any_site)
    assert own.post(f"/my-corrections/{row.id}/withdraw").status_code == 404
    assert "The queue" not in own.get("/my-corrections").text
    assert own.post("/my-corrections/99/withdraw").status_code == 404
    unlinked = any_site.browser_of("nobody")
    assert "No corrections" in unlinked.get("/my-corrections").text
    assert unlinked.post(NEW, CHANGE).status_code == 404
    assert rows(any_site)[0].state == "asked"


def test_many_are_paged(any_site: Site, own: Browser) -> None:
    with any_site.sessions.begin() as session:
        grace = session.query(Employee).filter_by(code="E-1").one().id
        for number in range(7):
            decided: dict[str, Any] = {"state": "asked"} if number < 2 else {"state": "refused", "decided_ms": 1}
            values = {"punch_id": f"p{number}", "punch_ms": SEVEN_MS, "action": "add", "new_ms": SEVEN_MS}
            asked = {"new_direction": "in", "reason": f"reason {number}.", "asked_ms": 1, "asked_by": "grace"}
            session.add(Correction(employee_id=grace, **values, **asked, **decided))
    first = own.get("/my-corrections").text
    assert [first.index(f"reason {number}.") for number in (1, 0, 6, 5, 4)] == sorted(
        first.index(f"reason {number}.") for number in (1, 0, 6, 5, 4)
    )
    after = first.split('rel="next" href="')[1].split('"')[0]
    second = own.get(after).text
    assert [f"reason {number}." in second for number in range(7)] == [False, False, True, True, *[False] * 3]
    before = second.split('rel="prev" href="')[1].split('"')[0]
    assert "reason 1." in own.get(before).text
    assert own.get("/my-corrections?after=rubbish").status_code == 400


@pytest.mark.parametrize(("day", "time", "fine"), [("2026-03-29", "02:30", False), ("2026-03-29", "03:00", True)])
def test_a_time_that_the_clocks_skip(day: str, time: str, fine: bool) -> None:
    form = Form({"day": day, "time": time, "direction": "in", "reason": "r"})
    asked = read(form, None, lambda _day: ZoneInfo("Europe/Berlin"), now_ms())
    assert (asked is not None) == fine
    assert fine or "the clocks of Europe/Berlin skip it on 2026-03-29" in form.problems["time"]


def test_a_voided_punch_can_count_again() -> None:
    punch = CorrectedPunch("p", SEVEN_MS, "in", original_ms=SEVEN_MS, voided=True)
    form = Form(CHANGE | {"time": "07:00"})
    asked = read(form, punch, lambda _day: ZoneInfo("Asia/Jakarta"), now_ms())
    assert asked is not None
    assert (asked.new_ms, asked.direction) == (SEVEN_MS, "in")


def test_two_clicks_at_once_ask_once(any_site: Site, own: Browser, events: list[str]) -> None:
    browsers = [own, any_site.browser_of("grace")]
    tokens = [browser.token() for browser in browsers]
    missing = {"day": DAY, "time": "16:00", "direction": "out", "reason": "The kiosk was dark"}
    together = threading.Barrier(2)

    def click(number: int) -> int:
        together.wait(10)
        answer = browsers[number].client.post(NEW, data={"csrf_token": tokens[number], **missing})
        return int(answer.status_code)

    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(click, (0, 1)))
    assert codes == [302, 422]
    assert len(rows(any_site)) == 1
