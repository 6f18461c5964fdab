"""Enrolment guided by a browser's camera and at a kiosk, with a real worker that looks at every frame."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from sqlalchemy import func, select

from dashboard.database import reading
from dashboard.models import AttendanceEvent, Employee, EnrolmentPicture, LikenessDecision, Template
from dashboard.people.employees import withdraw_consent
from deploy.demo_scene import ENROLLED, ENROLLED_CODE, portrait_picture
from tests.end_to_end.conftest import BROWSER_OPTIONS, CHROMIUM, PageOpener, Watch, create_person
from tests.end_to_end.running_site import DOOR, RunningSite

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]
Picture = np.ndarray[Any, Any]
CLIP_PX, CLIP_FPS, POSE_S = (640, 480), 5, 3
NOSE, EYES_APART_PX = (325, 206), 68
"""Of the clip's face, as MTCNN finds them."""
PHONE, TABLET = {"width": 390, "height": 844}, {"width": 820, "height": 1180}


@pytest.fixture(autouse=True)
def _only_the_enrolled_one(site: RunningSite, enrolled: str) -> Iterator[None]:
    yield
    with site.sessions.begin() as session:
        for employee in session.scalars(select(Employee).where(Employee.code != enrolled)):
            withdraw_consent(session, employee.id)


def facing() -> Picture:
    """The portrait's head in the middle of a grey picture."""
    person = cv2.resize(portrait_picture(ENROLLED)[0:300, 72:372], (480, 480), interpolation=cv2.INTER_CUBIC)
    picture = np.full((CLIP_PX[1], CLIP_PX[0], 3), 128, np.uint8)
    picture[:, 80:560] = person
    return picture


def turned(picture: Picture, amount: float) -> Picture:
    """As if the head were turned: the nose is moved by that share of the eyes' distance, to its left where positive."""
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    away = ((columns - NOSE[0]) ** 2 + (rows - NOSE[1]) ** 2) / (2 * (0.42 * EYES_APART_PX) ** 2)
    moved = (columns - amount * EYES_APART_PX * np.exp(-away)).astype(np.float32)
    return np.asarray(cv2.remap(picture, moved, rows, cv2.INTER_LINEAR))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who looks straight, to their left and to their right, again and again; uncompressed video."""
    path = tmp_path_factory.mktemp("camera") / "three-poses.y4m"
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{CLIP_PX[0]} H{CLIP_PX[1]} F{CLIP_FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for amount in (0.0, 0.3, -0.38):
            raw = cv2.cvtColor(turned(facing(), amount), cv2.COLOR_BGR2YUV_I420).tobytes()
            file.write((b"FRAME\n" + raw) * (POSE_S * CLIP_FPS))
    return path


@pytest.fixture(scope="module")
def camera_browser(playwright: Playwright, clip: Path) -> Iterator[Browser]:
    camera = [
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        f"--use-file-for-fake-video-capture={clip}",
    ]
    with playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS + camera) as browser:
        yield browser


def count(site: RunningSite, query: Any) -> int:
    with reading(site.sessions) as session:
        return session.scalar(query) or 0


def pictures_of(code: str) -> Any:
    return select(func.count()).select_from(EnrolmentPicture).join(Employee).where(Employee.code == code)


def test_three_poses_are_chosen_compared_and_accepted_by_keyboard_on_a_phone(
    site: RunningSite, camera_browser: Browser, watch: Watch, logged_in: dict[str, object]
) -> None:
    with camera_browser.new_context(storage_state=logged_in, viewport=PHONE, locale="en-GB") as context:  # type: ignore[arg-type]
        watch.attach(context)
        page = context.new_page()
        create_person(page, site, "G1", "Guided Person")
        page.get_by_role("button", name="Use this device’s camera").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#guided")).to_be_visible()
        expect(page.get_by_role("button", name="Take this one now")).to_be_focused()
        expect(page.locator("#hint-spoken")).not_to_be_empty()
        expect(page.get_by_role("heading", name="Check the pictures")).to_be_focused(timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        expect(page.locator("#chosen img")).to_have_count(3)
        assert count(site, pictures_of("G1")) == 0, "nothing is stored before it is accepted"
        page.get_by_role("button", name="Accept and enrol").press("Enter")
        expect(page.locator("#verdicts .title", has_text="Not stored")).to_have_count(3, timeout=40_000)
        pair = page.locator("#verdicts .pair:visible").first
        expect(pair.get_by_role("link")).to_have_text(f"{ENROLLED} ({ENROLLED_CODE})")
        for face in ("mine", "theirs"):
            shown = pair.locator(f".{face}")
            shown.scroll_into_view_if_needed()
            page.wait_for_function("image => image.naturalWidth > 0", arg=shown.element_handle())
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_role("button", name="They are two people: enrol").first.press("Enter")
        expect(page.locator("#verdicts .title", has_text="Stored")).to_have_count(3, timeout=40_000)
        expect(page.locator("#stored img")).to_have_count(3)
        expect(page.locator("#review")).to_be_hidden()
        expect(page.locator("#enrol-title")).to_be_focused()
    assert count(site, pictures_of("G1")) == 3
    noted = select(func.count()).select_from(LikenessDecision).where(LikenessDecision.decision == "different")
    assert count(site, noted) >= 1
    with reading(site.sessions) as session:
        query = select(Template.vector).join(EnrolmentPicture).join(Employee).where(Employee.code == "G1")
        vectors = [np.frombuffer(raw, "<f4") for raw in session.scalars(query)]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(10, abs=0.01)
    assert len({vector.tobytes() for vector in vectors}) == 3


def test_without_a_camera_and_without_a_worker(
    site: RunningSite, camera_browser: Browser, open_page: PageOpener, watch: Watch, logged_in: dict[str, object]
) -> None:
    page = open_page(site.dashboard_url, storage_state=logged_in)
    create_person(page, site, "G2", "Second Person")
    page.get_by_role("button", name="Use this device’s camera").click()
    expect(page.locator("#camera-problem")).to_contain_text(re.compile("upload photos", re.IGNORECASE))
    expect(page.get_by_role("button", name="Upload")).to_be_visible()
    person = page.url
    with camera_browser.new_context(storage_state=logged_in, viewport=TABLET) as context:  # type: ignore[arg-type]
        watch.attach(context)
        context.route("**/guided/look*", lambda route: route.fulfill(json=NOBODY_LOOKS))
        page = context.new_page()
        page.goto(person)
        page.get_by_role("button", name="Use this device’s camera").click()
        expect(page.locator("#hint-words")).to_have_text(NOBODY_LOOKS["words"])
        page.get_by_role("button", name="Take this one now").click()
        page.get_by_role("button", name="Skip this pose").click()
        page.get_by_role("button", name="Skip this pose").click()
        expect(page.locator("#chosen img")).to_have_count(1)
        page.get_by_role("button", name="Discard").click()
        expect(page.locator("#review")).to_be_hidden()


NOBODY_LOOKS = {"hint": "no_worker", "kind": "away", "words": "No worker answers.", "score": None}


def test_at_a_kiosk_nobody_gets_a_punch_meanwhile(
    site: RunningSite, open_page: PageOpener, logged_in: dict[str, object]
) -> None:
    screen = open_page(site.screen_url)
    page: Page = open_page(site.dashboard_url, storage_state=logged_in)
    create_person(page, site, "G3", "Third Person")
    before = count(site, select(func.count()).select_from(AttendanceEvent))
    page.get_by_role("link", name="Take them at a kiosk").click()
    page.get_by_role("radio", name=DOOR).check()
    page.get_by_role("button", name="Begin").click()
    expect(screen.locator("#detail")).to_contain_text("Enrolling Third Person, 1 of 3. Nobody is recorded here")
    site.stage.enter(ENROLLED)
    try:
        expect(page.locator("[data-pose=straight] .state")).to_have_text("taken", timeout=60_000)
        expect(screen.locator("#headline")).to_have_text("Turn your head a little to your left")
        expect(page.locator("#follow-words")).to_contain_text("to your left")
        assert count(site, select(func.count()).select_from(AttendanceEvent)) == before
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("The kiosk is a door again")).to_be_visible()
        expect(screen.locator("#headline")).to_have_text(ENROLLED, timeout=30_000)
    finally:
        site.stage.leave()
    assert count(site, pictures_of("G3")) == 0
