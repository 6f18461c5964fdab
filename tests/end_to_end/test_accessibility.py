"""axe-core (WCAG 2 A and AA, contrast included) finds nothing on any page, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from dashboard.database import reading
from dashboard.models import Employee
from deploy.demo_scene import ENROLLED_CODE
from tests.end_to_end.conftest import PageOpener
from tests.end_to_end.dashboard_pages import paths
from tests.end_to_end.running_site import RunningSite

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]


CONTRAST = {"runOnly": ["color-contrast"]}


def test_every_page_is_accessible(site: RunningSite, open_page: PageOpener, logged_in: object, enrolled: str) -> None:
    page = open_page(site.dashboard_url, storage_state=logged_in, color_scheme="light")
    with reading(site.sessions) as session:
        person = session.scalars(select(Employee.id).where(Employee.code == ENROLLED_CODE)).one()
    found = []
    for path in paths(person):
        page.emulate_media(color_scheme="light")
        page.goto(f"{site.dashboard_url}/{path}")
        expect(page.locator("h1")).to_be_visible()
        broken = Axe().run(page).response["violations"]
        page.emulate_media(color_scheme="dark")
        broken += Axe().run(page, options=CONTRAST).response["violations"]
        found += [(path, one["id"], one["nodes"][0]["html"][:120]) for one in broken]
    assert found == []


def test_the_log_in_page_is_accessible(site: RunningSite, open_page: PageOpener) -> None:
    page = open_page(f"{site.dashboard_url}/login")
    assert Axe().run(page).response["violations"] == []
