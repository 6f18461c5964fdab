"""Who is due to be enrolled again, and what HR sees of it; which pictures are old is tested with the list of people."""

from collections.abc import Callable

from sqlalchemy import update

from dashboard.database import SessionFactory, now_ms
from dashboard.models import EnrolmentPicture
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

YEAR_MS = 365 * 86_400_000
AddPerson = Callable[..., str]


def age(factory: SessionFactory, employee_id: str, years: float) -> None:
    with factory.begin() as session:
        query = update(EnrolmentPicture).where(EnrolmentPicture.employee_id == employee_id)
        session.execute(query.values(created_ms=now_ms() - round(years * YEAR_MS)))


def test_hr_sees_who_is_due(site: Site, browser: Browser, add_person: AddPerson) -> None:
    with site.sessions.begin() as session:
        people = [add_person(session, f"E-{n}") for n in range(4)]
    for person, years in zip(people, (1.9, 2.1, 5, 9), strict=True):
        age(site.sessions, person, years)
    for path in ("/people", "/live"):
        page = browser.get(path).text
        assert "3 people are due to be enrolled again" in page
    link = page.split("due to be enrolled again")[0].rsplit('href="', 1)[1].split('"')[0]
    assert browser.get(link).text.count('scope="row"') == 3
    assert "it is time to replace them" in browser.get(f"/people/{people[1]}").text
    assert "it is time to replace them" not in browser.get(f"/people/{people[0]}").text
    with site.sessions.begin() as session:
        add_user(session, "other", ["supervisor"], ["Elsewhere"])
        add_user(session, "reader", ["auditor"])
    assert "due to be enrolled again" not in site.browser_of("other").get("/people").text
    assert "due to be enrolled again" not in site.browser_of("reader").get("/live").text, "HR’s to do"
    site.with_settings(reenrol_months=0)
    for path in ("/people", "/live"):
        assert "due to be enrolled again" not in browser.get(path).text, "turned off"
    assert "it is time to replace them" not in browser.get(f"/people/{people[3]}").text
