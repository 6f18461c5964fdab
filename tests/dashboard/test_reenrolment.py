"""Who is due to be enrolled again, on both databases, and what HR sees of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from dashboard.database import SessionFactory
from dashboard.employees import deactivate
from dashboard.models import EnrolmentPicture
from dashboard.reenrolment import MONTH_MS, count_due, is_due, list_due, newest_before
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

NOW = 1_800_000_000_000
AddPerson = Callable[..., str]


def age(factory: SessionFactory, employee_id: str, months: float, only: str | None = None) -> None:
    with factory.begin() as session:
        query = update(EnrolmentPicture).where(EnrolmentPicture.employee_id == employee_id)
        if only:
            query = query.where(EnrolmentPicture.sha256 == only)
        session.execute(query.values(created_ms=round(NOW - months * MONTH_MS)))


def test_the_newest_picture_counts(factory: SessionFactory, add_person: AddPerson) -> None:
    with factory.begin() as session:
        old, renewed, gone, none, oldest = (add_person(session, f"E-{n}", t) for n, t in enumerate((1, 2, 1, 0, 1)))
        deactivate(session, gone, 1)
    for person, months in ((old, 25), (renewed, 30), (gone, 40), (oldest, 60)):
        age(factory, person, months)
    age(factory, renewed, 3, only=f"{1:064x}")
    with factory() as session:
        assert count_due(session, 24, NOW) == 2
        assert [row.id for row in list_due(session, 24, NOW, 10, 0)] == [oldest, old]
        assert [row.id for row in list_due(session, 24, NOW, 10, 1)] == [old]
        assert (count_due(session, 0, NOW), list_due(session, 0, NOW, 10, 0)) == (0, [])
    assert none


@pytest.mark.parametrize(
    ("newest_ms", "months", "due"),
    [
        (NOW - round(24 * MONTH_MS) - 1, 24, True),
        (NOW - round(24 * MONTH_MS), 24, False),
        (None, 24, False),
        (0, 0, False),
    ],
)
def test_to_the_millisecond(newest_ms: int | None, months: int, due: bool) -> None:
    assert is_due(newest_ms, months, NOW) is due
    assert newest_before(12, NOW) - newest_before(24, NOW) == pytest.approx(365.2425 * 86_400_000, abs=1)


def test_hr_sees_who_is_due(site: Site, browser: Browser, add_person: AddPerson) -> None:
    with site.sessions.begin() as session:
        people = [add_person(session, f"E-{n}") for n in range(6)]
    for person in people:
        age(site.sessions, person, 600)
    assert "due to be enrolled again" not in browser.get("/people").text
    assert "The reminder is off" in browser.get("/people/enrol-again").text
    settings = site.settings.model_copy(update={"reenrol_months": 24})
    site.app.extensions["attendance"] = replace(site.app.extensions["attendance"], settings=settings)
    page = browser.get("/people").text
    assert "6 people are due to be enrolled again" in page
    assert "page 1 of 2" in browser.get("/people/enrol-again").text
    assert browser.get("/people/enrol-again?page=2").text.count('scope="row"') == 1
    assert "it is time to replace them" in browser.get(f"/people/{people[0]}").text
