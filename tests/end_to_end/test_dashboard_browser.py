"""The dashboard in a real browser, on a whole running site: enrolment, the live board, the log, and a phone."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dashboard.database import now_ms, reading
from dashboard.models import DecisionRecord, Employee
from dashboard.people.employees import withdraw_consent
from deploy.demo_scene import ENROLLED, ENROLLED_CODE, STRANGER, hallway, portrait_picture
from tests.end_to_end.conftest import PASSWORD, PageOpener, Watch, create_person, upload
from tests.end_to_end.dashboard_pages import paths
from tests.end_to_end.processes import wait_for
from tests.end_to_end.running_site import SHARD, RunningSite
from worker.protocol import heartbeats, keys
from worker.protocol.entries import Decision, as_any, new_id
from worker.protocol.outcomes import Outcome

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]
SIDE_DOOR = "side-door"
Picture = np.ndarray[Any, Any]


def jpeg(picture: Picture) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def as_upload(name: str, picture: Picture) -> tuple[str, str, bytes]:
    return f"{name}.jpg", "image/jpeg", jpeg(picture)


def side_by_side() -> Picture:
    """Both people in one picture, their faces about as wide."""
    collins, hopper = portrait_picture(ENROLLED), portrait_picture(STRANGER)
    hopper = cv2.resize(hopper, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    height = min(len(collins), len(hopper))
    return np.hstack([collins[:height], hopper[:height]])


@pytest.fixture(autouse=True)
def _only_the_enrolled_one(site: RunningSite, enrolled: str) -> Iterator[None]:
    """Whoever a test enrols besides is forgotten by the workers afterwards."""
    yield
    with site.sessions.begin() as session:
        for employee in session.scalars(select(Employee).where(Employee.code != enrolled)):
            withdraw_consent(session, employee.id)
    wait_for(lambda: gallery_size(site) == 1, 10, "the worker knows only the enrolled person")


def gallery_size(site: RunningSite) -> int | None:
    client = site.client("live")
    try:
        return next((beat.data["gallery_size"] for beat in heartbeats.read(client, SHARD, "worker")), None)
    finally:
        client.close()


@pytest.fixture
def page(site: RunningSite, open_page: PageOpener, logged_in: dict[str, object]) -> Page:
    """The administrator's page."""
    return open_page(site.dashboard_url, storage_state=logged_in)


def test_each_upload_is_answered_in_words(site: RunningSite, page: Page) -> None:
    portrait = portrait_picture(STRANGER)
    create_person(page, site, "H1", STRANGER)
    said = upload(
        page,
        as_upload("empty", hallway().astype(np.uint8)),
        as_upload("two", side_by_side()),
        as_upload("tiny", cv2.resize(portrait, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)),
        as_upload("blurred", cv2.GaussianBlur(portrait, (0, 0), 7)),
        ("letter.txt", "text/plain", b"I am not a picture, whatever the name of the field says."),
    )
    assert [title for title, _ in said] == ["Not stored"] * 5
    expected = ("No face was found", "more than one face", "too small", "blurred", "not a picture that can be read")
    for (_, words), part in zip(said, expected, strict=True):
        assert part in words
    assert upload(page, as_upload("portrait", portrait)) == [("Stored", "Enrolled: the face is clear.")]
    expect(page.locator("#stored img")).to_have_count(1)
    assert "already stored" in upload(page, as_upload("portrait", portrait))[0][1]

    create_person(page, site, "H2", "Somebody Else")
    wait_for(lambda: gallery_size(site) == 2, 10, "the worker knows both")
    lighter = cv2.convertScaleAbs(portrait, alpha=1.1)
    for picture, who in ((lighter, f"{STRANGER} (H1)"), (portrait_picture(ENROLLED), f"{ENROLLED} ({ENROLLED_CODE})")):
        ((title, words),) = upload(page, as_upload("again", picture))
        assert title == "Not stored"
        assert f"already enrolled as {who}" in words
    expect(page.locator("#stored img")).to_have_count(0)


def test_the_live_board_shows_an_arrival_without_a_reload(site: RunningSite, page: Page, enrolled: str) -> None:
    page.goto(f"{site.dashboard_url}/live")
    expect(page.locator("#connection")).to_have_text("Live")
    before = page.locator("#board .arrival").count()
    page.evaluate("window.notReloaded = true")
    site.stage.enter(ENROLLED)
    try:
        arrival = page.locator("#board .arrival").first
        expect(page.locator("#board .arrival")).to_have_count(before + 1, timeout=30_000)
        expect(arrival.locator("[data-part=who]")).to_have_text(ENROLLED)
        expect(arrival.locator("[data-part=where]")).to_contain_text("Flight deck · front-door")
        expect(arrival.locator("[data-part=result]")).to_have_text(re.compile("In|Out"))
        expect(arrival.locator("time")).to_have_text(re.compile(r"\d\d:\d\d"))
        expect(page.locator("#who .doors li", has_text="front-door")).to_contain_text(ENROLLED, timeout=30_000)
        expect(page.locator("#who dt", has_text="In now").locator("+ dd")).to_have_text(re.compile(r"\d+"))
        assert page.evaluate("window.notReloaded") is True
    finally:
        site.stage.leave()


@pytest.fixture(scope="module")
def side_door_records(site: RunningSite, enrolled: str) -> int:
    """Punches at another door, sent as a worker sends them and written down by the recorder. Their number."""
    with reading(site.sessions) as session:
        employee_id = session.scalars(select(Employee.id).where(Employee.code == enrolled)).one()
    ledger, number = site.client("ledger"), 7
    noon_ms = now_ms() - 24 * 3_600_000
    for n in range(number):
        decision = Decision(
            event_id=new_id(), kiosk=SIDE_DOOR, presence=new_id(), outcome=Outcome.ACCEPTED, employee_id=employee_id,
            captured_ms=noon_ms + n * 600_000, distance=5.0 + n / 10, threshold=8.5, good_frames=3, model_id="test",
            worker="test",
        )  # fmt: skip
        ledger.xadd(keys.decisions(SHARD), as_any(decision.to_fields()))

    def written() -> int:
        with reading(site.sessions) as session:
            query = select(DecisionRecord).where(DecisionRecord.kiosk == SIDE_DOOR)
            return len(session.scalars(query).all())

    wait_for(lambda: written() == number, 20, "the recorder wrote all of them")
    ledger.close()
    return number


def table_rows(page: Page) -> list[tuple[str, ...]]:
    """Time, name, code, department, kiosk, in or out of every row."""
    labels = ("Time", "Name", "Code", "Department", "Kiosk", "In or out")
    rows = page.locator("table tbody tr")
    return [
        tuple(rows.nth(n).locator(f"td[data-label='{label}']").inner_text().strip() for label in labels)
        for n in range(rows.count())
    ]


def test_the_log_filters_pages_and_exports_the_same_rows(site: RunningSite, page: Page, side_door_records: int) -> None:
    page.goto(f"{site.dashboard_url}/attendance")
    page.get_by_label("Person").fill(ENROLLED_CODE.lower())
    page.get_by_label("Kiosk").select_option(SIDE_DOOR)
    page.get_by_label("Department").select_option("Flight deck")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".pager")).to_contain_text(f"{side_door_records} records")
    shown = table_rows(page)
    assert len(shown) == 5
    with page.expect_download() as begun:
        page.get_by_role("link", name="Export as CSV").click()
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".pager")).to_contain_text("further records")
    shown += table_rows(page)
    assert begun.value.suggested_filename == "attendance.csv"
    text = Path(begun.value.path()).read_bytes().decode("utf-8-sig")
    exported = list(csv.DictReader(io.StringIO(text, newline="")))
    columns = ("Time", "Name", "Code", "Department", "Kiosk", "Direction")
    assert [tuple(row[column] for column in columns) for row in exported] == [
        (*row[:-1], row[-1].lower()) for row in shown
    ]
    assert {row["Kiosk"] for row in exported} == {SIDE_DOOR}
    page.get_by_label("From").fill("2031-01-01")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No records")).to_be_visible()


def test_logging_out_ends_it(site: RunningSite, open_page: PageOpener, watch: Watch, logged_in: object) -> None:
    page = open_page(f"{site.dashboard_url}/login")
    watch.allowed.append(r"status of 401.*/login")
    for password in ("not this one", PASSWORD):
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        if password != PASSWORD:
            expect(page.get_by_text("Name or password is wrong.")).to_be_visible()
    expect(page.get_by_role("heading", name="Live")).to_be_visible()
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.goto(f"{site.dashboard_url}/people")
    expect(page).to_have_url(re.compile(r"/login\?next="))


def test_nothing_scrolls_sideways_on_a_phone(
    site: RunningSite, open_page: PageOpener, logged_in: object, side_door_records: int
) -> None:
    page = open_page(site.dashboard_url, storage_state=logged_in, viewport={"width": 390, "height": 844})
    with reading(site.sessions) as session:
        person = session.scalars(select(Employee.id).where(Employee.code == ENROLLED_CODE)).one()
    too_wide = []
    for path in paths(person):
        page.goto(f"{site.dashboard_url}/{path}")
        expect(page.locator("h1")).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        too_wide += [(path, width)] if width > 390 else []
    assert too_wide == []
