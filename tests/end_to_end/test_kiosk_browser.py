"""The kiosk's page in a real browser, while people come and go in front of a whole running site."""

import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from deploy.demo_scene import ENROLLED, STRANGER
from kiosk.settings import KioskSettings
from kiosk.texts import TEXTS, WORDS
from tests.end_to_end.conftest import PageOpener, Watch
from tests.end_to_end.processes import alive, wait_for
from tests.end_to_end.running_site import DOOR, RunningSite

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]
NAME_SHOWN_S = KioskSettings.model_fields["name_shown_s"].default
SLACK_S = 1.0
"""From the stage to the kiosk's camera, and from its view to the page, on a busy machine."""
WRITE_DOWN = """() => {
  window.said = [];
  const note = () => window.said.push([Date.now() / 1000, document.body.dataset.mode,
    document.getElementById("headline").textContent, document.getElementById("detail").textContent]);
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-mode"] });
  note();
}"""
SNAPSHOT = """() => {
  const picture = document.getElementById("picture"), canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth; canvas.height = picture.naturalHeight;
  if (!canvas.width || !canvas.height) return null;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/jpeg");
}"""


@dataclass(frozen=True)
class Said:
    """What the page showed, from when to when (seconds of the wall clock)."""

    from_s: float
    to_s: float
    mode: str
    headline: str
    detail: str


def read_said(page: Page) -> list[Said]:
    noted = page.evaluate("window.said")
    ends = [entry[0] for entry in noted[1:]] + [page.evaluate("Date.now() / 1000")]
    return [Said(entry[0], end, *entry[1:]) for entry, end in zip(noted, ends, strict=True)]


@pytest.fixture
def screen(site: RunningSite, enrolled: str, open_page: PageOpener) -> Iterator[Page]:
    page = open_page(site.screen_url, viewport={"width": 1280, "height": 800})
    yield page
    site.stage.leave()
    wait_for(lambda: site.stage.in_view is None, 10, "the stage is empty")


def live_picture(page: Page) -> None:
    """The picture is there, and it changes."""
    first = wait_for(lambda: page.evaluate(SNAPSHOT), 15, "the kiosk's picture has a size")
    wait_for(lambda: page.evaluate(SNAPSHOT) not in (None, first), 10, "the kiosk's picture moves")


def test_one_is_greeted_the_stranger_is_not_and_no_name_stays(site: RunningSite, screen: Page) -> None:
    headline, detail, body = screen.locator("#headline"), screen.locator("#detail"), screen.locator("body")
    expect(body).to_have_attribute("data-mode", "idle")
    expect(headline).to_have_text("Welcome")
    expect(screen.locator("#label")).to_have_text(DOOR)
    expect(screen.locator("#camera")).to_have_text(WORDS["en"]["camera_ok"])
    expect(screen.locator("#server")).to_have_text(WORDS["en"]["server_ok"])
    expect(screen.locator("#clock-warning")).to_be_hidden()
    live_picture(screen)
    screen.evaluate(WRITE_DOWN)

    site.stage.enter(ENROLLED)
    expect(headline).to_have_text(ENROLLED, timeout=30_000)
    expect(body).to_have_attribute("data-mode", "recorded")
    expect(body).to_have_attribute("data-role", "good")
    expect(detail).to_have_text(re.compile(r"^(In|Out) · \d\d:\d\d$"))
    expect(screen.locator("#boxes rect.good")).to_have_count(1)
    site.stage.enter(STRANGER)  # who comes as soon as the other has left
    expect(headline).to_have_text(TEXTS["en"]["unknown"].headline, timeout=30_000)
    expect(body).to_have_attribute("data-role", "bad")
    site.stage.leave()
    expect(headline).to_have_text("Welcome", timeout=30_000)

    said = read_said(screen)
    named = [one for one in said if ENROLLED in one.headline]
    assert named
    for one in named:
        assert site.stage.was_in_view(ENROLLED, one.from_s - NAME_SHOWN_S - SLACK_S, one.from_s), one
        assert site.stage.was_in_view(ENROLLED, one.to_s - NAME_SHOWN_S - SLACK_S, one.to_s), one
    assert not any(STRANGER in one.headline for one in said)
    refused = next(one.from_s for one in said if one.mode == "unknown")
    assert not any(one.from_s > refused for one in named), "the name came back beside the stranger"


def test_a_killed_kiosk_is_told_and_comes_back(site: RunningSite, screen: Page, watch: Watch) -> None:
    watch.allowed += [r"ERR_CONNECTION_REFUSED", r"ERR_INCOMPLETE_CHUNKED_ENCODING", r"ERR_CONNECTION_RESET"]
    site.stage.enter(ENROLLED)
    expect(screen.locator("#headline")).to_have_text(ENROLLED, timeout=30_000)
    pid = site.pid("kiosk")
    os.kill(pid, signal.SIGKILL)
    killed_s = time.monotonic()
    expect(screen.locator("body")).to_have_attribute("data-mode", "lost_screen", timeout=8_000)
    assert time.monotonic() - killed_s < 8
    expect(screen.locator("#headline")).to_have_text(TEXTS["en"]["lost_screen"].headline)
    expect(screen.locator("#boxes rect")).to_have_count(0)
    assert not alive({pid})
    expect(screen.locator("#headline")).to_have_text(ENROLLED, timeout=30_000)
    live_picture(screen)
