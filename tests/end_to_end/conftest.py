"""Whole sites and a browser. Each test's pages must stay free of errors and never ask anything but this machine.

Sites and browser live as long as this folder's tests, so that nothing of them runs beside the tests of other rooms.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from deploy.demo_scene import ENROLLED, ENROLLED_CODE, portrait_jpeg
from tests.end_to_end.running_site import RunningSite
from tests.end_to_end.stage import Footage, Stage, shoot

CHROMIUM = Path("/usr/bin/chromium")
BROWSER_OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PASSWORD = "a few words in a row"
TELL_OF_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
SiteMaker = Callable[..., RunningSite]
PageOpener = Callable[..., Page]

expect.set_options(timeout=15_000)


# --- sites -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="package")
def footage() -> Footage:
    return shoot()


@pytest.fixture(scope="package")
def make_site(tmp_path_factory: pytest.TempPathFactory, footage: Footage) -> Iterator[SiteMaker]:
    """Starts sites, each in a home of its own, and stops at the end those that nobody stopped."""
    cache = tmp_path_factory.mktemp("model-cache")
    with contextlib.ExitStack() as at_the_end:

        def make(**settings: str) -> RunningSite:
            folder = tmp_path_factory.mktemp("site")
            site = RunningSite(folder / "home", Stage(folder / "camera", footage), cache, settings)
            at_the_end.callback(site.stop)
            return site.start()

        yield make


@pytest.fixture(scope="package")
def site(make_site: SiteMaker) -> RunningSite:
    """The site that dashboard's and kiosk's pages are tried on. Everybody who comes again is a new arrival."""
    return make_site(ATTENDANCE_DASHBOARD_PRESENCE_GAP_S="0", ATTENDANCE_DASHBOARD_PAGE_SIZE="5")


# --- the browser -----------------------------------------------------------------------------------------------------


class Watch:
    """Notes what a page must not do. `allowed` are patterns of what a test brings about on purpose."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.allowed: list[str] = []

    def attach(self, context: BrowserContext) -> None:
        context.add_init_script(TELL_OF_POLICY)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.troubles.append(f"page error: {error.error}"))
        context.on("request", lambda request: self._asked(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"asked another machine: {url}")

    def check(self) -> None:
        unexpected = [t for t in self.troubles if not any(re.search(pattern, t) for pattern in self.allowed)]
        assert unexpected == []


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium")
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS) as running:
        yield running


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[PageOpener]:
    """Opens an address in a context of its own; options are those of Playwright's `new_context`."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, **options: object) -> Page:
        context = browser.new_context(locale="en-GB", **options)  # type: ignore[arg-type]
        contexts.append(context)
        watch.attach(context)
        page = context.new_page()
        page.goto(url, wait_until="domcontentloaded")
        return page

    yield open_page
    for context in contexts:
        context.close()


# --- somebody logged in, somebody enrolled -----------------------------------------------------------------------------


@pytest.fixture(scope="package")
def logged_in(site: RunningSite, browser: Browser) -> dict[str, object]:
    """Cookies of the administrator, who came in with the one-time password and chose a new one, as everybody must."""
    watch = Watch()
    with browser.new_context() as context:
        watch.attach(context)
        page = context.new_page()
        page.goto(f"{site.dashboard_url}/people")
        expect(page).to_have_url(re.compile(r"/login\?next="))
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(site.one_time_password)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
        page.goto(f"{site.dashboard_url}/people")
        expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
        page.get_by_label("One-time password").fill(site.one_time_password)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password, once more").fill(PASSWORD)
        page.get_by_role("button", name="Save password").click()
        expect(page.get_by_text("Your new password is set.")).to_be_visible()
        state = dict(context.storage_state())
    watch.check()
    return state


def create_person(page: Page, site: RunningSite, code: str, name: str, department: str = "") -> None:
    """Through the form, with consent; ends on the new person's page."""
    page.goto(f"{site.dashboard_url}/people/new")
    page.get_by_label("Code").fill(code)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Department").fill(department)
    page.get_by_label("The person has agreed to the storing of face data").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.get_by_text("Now add face pictures.")).to_be_visible()


def upload(page: Page, *files: tuple[str, str, bytes]) -> list[tuple[str, str]]:
    """Upload files (name, type, content) on a person's page; title and words of each verdict, in the files' order."""
    before = page.locator("#verdicts li").count()
    chosen: list[FilePayload] = [{"name": n, "mimeType": t, "buffer": b} for n, t, b in files]
    page.locator("#files").set_input_files(chosen)
    page.get_by_role("button", name="Upload").click()
    verdicts = page.locator("#verdicts li")
    expect(verdicts).to_have_count(before + len(files), timeout=40_000)
    newest = [verdicts.nth(number) for number in range(len(files))]
    for item in newest:
        expect(item.locator(".title")).to_have_text(re.compile("tored"), timeout=40_000)
    said = [(item.locator(".title").inner_text(), item.locator(".words").inner_text()) for item in newest]
    return said[::-1]


@pytest.fixture(scope="package")
def enrolled(site: RunningSite, browser: Browser, logged_in: dict[str, object]) -> str:
    """The scene's enrolled person, entered and enrolled through the pages. Her code."""
    watch = Watch()
    with browser.new_context(storage_state=logged_in) as context:  # type: ignore[arg-type]
        watch.attach(context)
        page = context.new_page()
        create_person(page, site, ENROLLED_CODE, ENROLLED, "Flight deck")
        said = upload(page, ("portrait.jpg", "image/jpeg", portrait_jpeg(ENROLLED)))
        assert said == [("Stored", "Enrolled: the face is clear.")]
        expect(page.locator("#stored img")).to_have_count(1)
    watch.check()
    return ENROLLED_CODE
