"""A person's leave on its page: entered, refused in words, withdrawn, and what a month makes of it."""

import pytest
from sqlalchemy import select

from dashboard.models import Leave
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]
WEEK = {
    "first_day": "2026-11-23",
    "last_day": "2026-11-27",
    "half": "",
    "kind": "annual",
    "paid": "yes",
    "note": "Home",
}


@pytest.fixture
def person(site: Site, add_person) -> str:
    with site.sessions.begin() as session:
        found: str = add_person(session, "E1", templates=0)
    return found


def test_leave_is_entered_and_withdrawn(site: Site, browser: Browser, person: str) -> None:
    path = f"/people/{person}/leave"
    assert "No leave is entered" in browser.get(path).text
    assert browser.post(path, WEEK).status_code == 302
    assert "Home" in browser.get(path).text
    for said in ("is withdrawn", "admin has withdrawn it already"):
        answer = browser.post(f"{path}/1/withdraw", follow_redirects=True)
        assert said in answer.text
    with site.sessions() as session:
        (row,) = session.scalars(select(Leave)).all()
    assert (row.withdrawn_by, row.note) == ("admin", "Home")
    assert browser.post("/people/nobody/leave/1/withdraw").status_code == 404
    assert browser.post("/people/nobody/leave", WEEK).status_code == 404
    assert browser.get("/people/nobody/leave").status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"last_day": "2026-11-22"}, "from the first day 2026-11-23 on"),
        ({"last_day": "2028-11-22"}, "at most 366 days"),
        ({"first_day": ""}, "write a date as"),
        ({"kind": "gardening"}, "choose one of annual"),
        ({"half": "third"}, "choose one of first, second"),
        ({"paid": ""}, "choose one of yes, no"),
        ({"note": "x" * 501}, "at most 500"),
    ],
)
def test_what_cannot_be_is_refused_and_kept(browser: Browser, person: str, changes: dict[str, str], said: str) -> None:
    answer = browser.post(f"/people/{person}/leave", {**WEEK, "note": "kept words", **changes})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert "kept words" in answer.text or "note" in changes
