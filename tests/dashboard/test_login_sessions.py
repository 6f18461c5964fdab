"""Sessions: seen by their owner, ended from elsewhere, over after a time whatever happens, and not kept by a live board."""

from typing import Any

import pytest
from sqlalchemy import select, update

from dashboard.access.browsers import browser_words
from dashboard.database import now_ms, reading
from dashboard.models import LoginSession, User
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

HOUR_MS = 3_600_000


def age(site: Site, **changes: int) -> None:
    """Make every session older: by so many milliseconds since its start, or since it was last seen."""
    with site.sessions.begin() as session:
        session.execute(update(LoginSession).values({name: now_ms() - ms for name, ms in changes.items()}))


def seen_ms(site: Site) -> int:
    with reading(site.sessions) as session:
        return session.scalars(select(LoginSession.seen_ms)).one()


def test_a_session_ends_after_its_hours_whatever_happens(site: Site, browser: Browser) -> None:
    age(site, started_ms=12 * HOUR_MS - 60_000)
    assert browser.get("/people").status_code == 200
    age(site, started_ms=12 * HOUR_MS)
    assert browser.get("/people").location.startswith("/login")


def test_a_session_ends_when_nobody_opens_a_page(site: Site, browser: Browser) -> None:
    age(site, seen_ms=2 * HOUR_MS - 60_000)
    assert browser.get("/people").status_code == 200
    assert seen_ms(site) > now_ms() - 60_000
    age(site, seen_ms=2 * HOUR_MS)
    assert browser.get("/people").location.startswith("/login")


def test_a_live_board_and_quick_pages_write_nothing(site: Site, browser: Browser) -> None:
    age(site, seen_ms=HOUR_MS)
    before = seen_ms(site)
    with browser.client.get("/live/stream", buffered=False) as stream:
        assert stream.status_code == 200
    assert seen_ms(site) == before
    age(site, seen_ms=30_000)
    before = seen_ms(site)
    browser.get("/people")
    assert seen_ms(site) == before, "at most once a minute"


def test_the_token_is_not_in_the_database(site: Site, browser: Browser) -> None:
    with browser.client.session_transaction() as cookie:
        token = cookie["_user_id"]
    with reading(site.sessions) as session:
        one = session.scalars(select(LoginSession)).one()
        assert token not in (one.token_hash, one.browser, one.address)
        assert len(token) >= 43


def test_ones_own_sessions_are_listed_and_ended(site: Site) -> None:
    with site.sessions.begin() as session:
        add_user(session, "other", ["hr"])
    here = Browser(site.app.test_client())
    here.client.environ_base["HTTP_USER_AGENT"] = "Firefox/1 <b>\x01"
    here.log_in()
    elsewhere, third, stranger = site.browser(), site.browser(), site.browser_of("other")
    page = here.get("/account").text
    assert 'title="Firefox/1 &lt;b&gt;">Firefox<' in page
    assert page.count("127.0.0.1") == 3
    assert page.count("This one") == 1
    assert here.post("/account/sessions/4/end").status_code == 404, "somebody else's"
    assert here.post("/account/sessions/2/end").status_code == 302
    assert elsewhere.get("/people").status_code == 302
    assert here.post("/account/sessions/end-others").status_code == 302
    assert third.get("/people").status_code == 302
    assert (here.get("/people").status_code, stranger.get("/people").status_code) == (200, 200)


def test_logging_out_ends_it_on_the_server_too(site: Site, browser: Browser) -> None:
    with browser.client.session_transaction() as cookie:
        kept: dict[str, Any] = dict(cookie)
    browser.post("/logout")
    thief = site.app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(kept)
    assert thief.get("/people").status_code == 302


def test_sessions_that_are_over_go_with_the_next_log_in(site: Site, browser: Browser) -> None:
    age(site, started_ms=13 * HOUR_MS)
    site.browser()
    with reading(site.sessions) as session:
        assert len(session.scalars(select(LoginSession)).all()) == 1


@pytest.mark.parametrize("token", ["", "x" * 10_000, "\ud800", "1.deadbeef"])
def test_tokens_of_any_shape_are_nobody(site: Site, token: str) -> None:
    client = site.app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert client.get("/people").status_code == 302


def test_a_disabled_account_is_out_at_once(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        session.get_one(User, 1).disabled_ms = now_ms()
    assert browser.get("/people").status_code == 302
    assert site.browser(log_in=False).log_in().status_code == 401


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Version/18 Safari/605", "Safari on Mac"),
        ("curl/8.0", "curl/8.0"),
        ("x" * 500, "x" * 40),
        ("", "Not named"),
    ],
)
def test_browsers_in_words(user_agent: str, words: str) -> None:
    assert browser_words(user_agent) == words
