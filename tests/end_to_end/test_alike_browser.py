"""Who looks alike, in a real browser: HR and operator in one account find two people who do, and set a limit."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dashboard.database import now_ms
from dashboard.models import EnrolmentPicture, Template
from dashboard.people.employees import create_employee
from deploy.demo_scene import ENROLLED, STRANGER, portrait_jpeg
from tests.conftest import RedisPair
from tests.dashboard.site import MODEL
from tests.end_to_end.album import Album
from tests.end_to_end.conftest import PageOpener
from tests.end_to_end.desk import Desk
from tests.end_to_end.office import Office, open_office
from tests.worker.fakes import away, axis

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.timeout(120)]

NAMES = ("Eileen Collins", "Grace Hopper", "Katherine Johnson", "Margaret Hamilton")
TEMPLATES = (axis(1), away(1, 7.41847), axis(2), axis(3))
"""All but the first two are farther apart than the threshold of 8.5."""


def enrol(office: Office) -> None:
    with office.sessions.begin() as session:
        for number, (name, vector) in enumerate(zip(NAMES, TEMPLATES, strict=True)):
            template = Template(model_id=MODEL, vector=vector.tobytes(), created_ms=now_ms())
            jpeg = portrait_jpeg(STRANGER if number == 1 else ENROLLED)
            who = create_employee(session, f"E-{number}", name, consent_by="hr", now_ms=1).id
            picture = {"sha256": f"{number:064}", "jpeg": jpeg, "created_ms": 1, "templates": [template]}
            session.add(EnrolmentPicture(employee_id=who, **picture))


def test_two_who_look_alike_are_found_and_parted(redis_pair: RedisPair, open_page: PageOpener, tmp_path: Path) -> None:
    album = Album("who-looks-alike")
    with open_office(tmp_path / "home", redis_pair) as office:
        enrol(office)
        admin = Desk(open_page(office.url), album)
        admin.first_log_in("admin", office.one_time_password)
        admin.go("Kiosks", "Models")
        admin.shoot("models-before")
        admin.press("See who looks alike")
        admin.arrived("Who looks alike")
        nearest = admin.page.get_by_role("table").get_by_role("row").nth(1)
        for words in ("Eileen Collins", "Grace Hopper", "Within it"):
            expect(nearest).to_contain_text(words)
        for image in admin.page.locator(".pair img").all():
            image.scroll_into_view_if_needed()
            admin.page.wait_for_function("image => image.naturalWidth > 0", arg=image.element_handle())
        assert admin.page.locator(".pair img").count() == 2
        assert Axe().run(admin.page).response["violations"] == []
        admin.shoot("who-looks-alike")

        admin.press("Make 7.4184 the site’s limit")
        admin.told("7.4184 is the site’s limit now.")
        expect(admin.page.locator("#look-title")).to_be_in_viewport()
        admin.shoot("models-with-a-limit")
        admin.page.get_by_text("Take the limit back", exact=True).click()
        admin.page.get_by_label("The model’s rule alone shall serve again").check()
        assert Axe().run(admin.page).response["violations"] == []
        admin.press("Take it back")
        admin.told("is taken back")
        expect(admin.page.get_by_text("Take the limit back", exact=True)).to_have_count(0)
    assert album.troubles == []
