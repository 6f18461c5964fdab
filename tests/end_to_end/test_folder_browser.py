"""Enrolling from a folder in a real browser, with a played worker: the dry run, stopping, going on, and a lost answer."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import func, select

from dashboard.database import reading
from dashboard.models import Employee, EnrolmentPicture
from dashboard.people.employees import create_employee
from tests.conftest import RedisPair
from tests.end_to_end.conftest import PASSWORD, PageOpener
from tests.end_to_end.office import Office, open_office
from worker.protocol.entries import EnrolRequest
from worker.protocol.outcomes import Outcome

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.timeout(120)]
pytest_plugins = ["tests.dashboard.pages"]
PlayedWorker = Callable[..., list[EnrolRequest]]
VERDICTS = (Outcome.ENROLLED, Outcome.ENROLLED, Outcome.ALREADY_ENROLLED, Outcome.NO_FACE, Outcome.ENROLLED)
"""In the order of the folder: A1's two pictures, A5's, A6's and N4's; then over again."""
PHONE_PX = 390
LOSE_THE_FIRST_ANSWER = """() => {
  const real = window.fetch;
  window.fetch = async (...asked) => {
    await real(...asked);
    window.fetch = real;
    throw new TypeError("Failed to fetch");
  };
}"""
"""As a browser tells of a connection that broke after the request came through."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = (
        "A1_Ann_Lee/1.jpg",
        "A1_Ann_Lee/2.jpg",
        "A2.jpg",
        "A3.jpg",
        "A5_Eve/1.jpg",
        "A6/1.jpg",
        "N4_New_Person/1.jpg",
    )
    for number, name in enumerate(names):
        path = tmp_path / "people" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (number * 30, 40, 40)).save(path, "JPEG")
    (tmp_path / "people" / "notes.txt").write_text("=1+1")
    return tmp_path / "people"


def add_people(office: Office) -> str:
    """A2 has a picture, A3 no consent; returns the id of A2."""
    with office.sessions.begin() as session:
        ids = {
            code: create_employee(session, code, name, consent_by=None if code == "A3" else "hr", now_ms=1).id
            for code, name in {"A1": "Ann Lee", "A2": "Bob", "A3": "Cyd", "A5": "Eve", "A6": "Fay"}.items()
        }
        session.add(EnrolmentPicture(employee_id=ids["A2"], sha256="0" * 64, jpeg=b"x", created_ms=1))
        return ids["A2"]


def pictures(office: Office) -> dict[str, int]:
    with reading(office.sessions) as session:
        counted = select(Employee.code, func.count(EnrolmentPicture.id)).join(EnrolmentPicture).group_by(Employee.code)
        return dict(session.execute(counted).all())


def log_in(page: Page, one_time: str) -> None:
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(one_time)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("One-time password").fill(one_time)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_text("Your new password is set.")).to_be_visible()


def row(page: Page, code: str) -> Locator:
    return page.locator("#people tr").filter(has=page.locator("td.code", has_text=code))


def choose(page: Page, folder: Path) -> None:
    page.get_by_label("Folder", exact=True).set_input_files(folder)
    expect(page.get_by_role("heading", name="What would become of them")).to_be_focused()


def test_a_folder_is_looked_at_sent_stopped_and_gone_on_with(
    redis_pair: RedisPair, worker: PlayedWorker, open_page: PageOpener, folder: Path, tmp_path: Path
) -> None:
    with open_office(tmp_path / "home", redis_pair) as office:
        seen = worker(*VERDICTS, similar=add_people(office))
        page = open_page(office.url)
        log_in(page, office.one_time_password)
        page.goto(f"{office.url}/people")
        page.get_by_role("link", name="Enrol from a folder").click()

        choose(page, folder)
        states = {
            "A1": "To enrol",
            "A2": "Has pictures already",
            "A3": "No consent recorded",
            "N4": "New, to be entered",
        }
        for code, state in states.items():
            expect(row(page, code)).to_contain_text(state)
        expect(page.locator("#no-consent")).to_contain_text("left out: 1.")
        page.get_by_role("button", name="Left out: 1").click()
        expect(page.locator("#people tr")).to_have_text(
            ["notes.txt Left out not a picture by its name; JPEG, PNG and WebP are"]
        )
        assert (seen, Axe().run(page).response["violations"]) == ([], [])

        page.get_by_label("have agreed to the storing of face data").check()
        send_until_stopped(page)
        assert pictures(office) == {"A1": 2, "A2": 1}
        page.get_by_role("button", name="Go on (3)").click()
        expect(page.locator("#told")).to_have_text("Done: 2 enrolled, 3 left to do.")
        expect(page.locator("#people td.code")).to_have_text(["N4", "A6", "A5", "A1"])
        expect(row(page, "A5")).to_contain_text("1.jpg: looks like Bob (A2)")
        expect(row(page, "A6")).to_contain_text("No face was found")
        expect(row(page, "N4").get_by_role("link", name="New Person")).to_be_visible()
        assert pictures(office) == {"A1": 2, "A2": 1, "N4": 1}
        assert Axe().run(page).response["violations"] == []
        page.set_viewport_size({"width": PHONE_PX, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_PX
        left = saved_left(page)
        assert [line[0] for line in left] == ["Code", "A3", "A5", "A6", ""]
        assert left[-1][1:3] == ["notes.txt", "Left out"]

        page.reload()
        choose(page, folder)
        expect(row(page, "N4")).to_contain_text("Has pictures already")
        page.evaluate(LOSE_THE_FIRST_ANSWER)
        page.get_by_role("button", name="Enrol (2)").click()
        expect(page.locator("#told")).to_have_text("Done: 1 enrolled, 1 left to do.")
        expect(row(page, "A5")).to_contain_text("Has pictures already")
        assert pictures(office) == {"A1": 2, "A2": 1, "A5": 1, "A6": 1, "N4": 1}


def send_until_stopped(page: Page) -> None:
    """Stop is pressed while A1's pictures are on their way: these still arrive, nobody else's go."""
    held: list[Route] = []
    page.route("**/from-folder/person", lambda route: held.append(route))
    with page.expect_request("**/from-folder/person"):
        page.get_by_role("button", name="Enrol (4)").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#told")).to_have_text("Stops after this person …")
    held[0].continue_()
    expect(page.locator("#told")).to_contain_text("Stopped.")
    expect(page.locator("#bar-words")).to_have_text("1 of 4 people")
    expect(page.locator("#people td.code")).to_have_text(["A1"])
    page.unroute("**/from-folder/person")
    assert len(held) == 1


def saved_left(page: Page) -> list[list[str]]:
    with page.expect_download() as begun:
        page.get_by_role("button", name="Who is left to do, as CSV").click()
    assert begun.value.suggested_filename == "left-to-enrol.csv"
    return list(csv.reader(io.StringIO(Path(begun.value.path()).read_text(encoding="utf-8-sig"))))
