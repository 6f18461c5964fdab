"""The second factor: codes once each, recovery codes once each, and nothing of it in the database that gives codes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import text

from dashboard.access import login_pages, pending_login, second_factor
from dashboard.database import SessionFactory, reading
from dashboard.models import SecondFactor
from tests.dashboard.site import PASSWORD, Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

KEY = "k" * 48
NOON_MS = 1_795_478_400_000


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """clock(s) sets the time of the codes to NOON and so many seconds."""

    def at(seconds: float) -> None:
        monkeypatch.setattr(second_factor, "now_ms", lambda: NOON_MS + round(seconds * 1000))

    at(0)
    return at


def app_of(factory: SessionFactory, user_id: int = 1, key: str = KEY) -> pyotp.TOTP:
    with reading(factory) as session:
        return pyotp.TOTP(second_factor.secret_of(session.get_one(SecondFactor, user_id), key))


def turn_on(factory: SessionFactory, key: str = KEY) -> list[str]:
    """For a new account; returns its recovery codes. The code of NOON is used up."""
    with factory.begin() as session:
        user_id = add_user(session, "hr", ["hr"])
        second_factor.begin(session, user_id, key)
    with factory.begin() as session:
        codes = second_factor.confirm(session, 1, app_of(factory, key=key).at(NOON_MS // 1000), key)
    assert codes
    return codes


def check(factory: SessionFactory, code: str, key: str = KEY) -> second_factor.Answer:
    with factory.begin() as session:
        return second_factor.check(session, 1, code, key)


def test_codes_fit_once_and_a_step_either_side(factory: SessionFactory, clock: Any) -> None:
    turn_on(factory)
    app = app_of(factory)
    assert not check(factory, app.at(NOON_MS // 1000)).right, "it confirmed the app: used"
    clock(60)
    code = app.at(NOON_MS // 1000 + 60)
    assert check(factory, f" {code[:3]} {code[3:]} ").right
    assert not check(factory, code).right, "once"
    assert not check(factory, app.at(NOON_MS // 1000 + 30)).right, "older than one that was taken"
    assert check(factory, app.at(NOON_MS // 1000 + 90)).right, "a phone that is 30 s ahead"
    clock(300)
    assert check(factory, app.at(NOON_MS // 1000 + 270)).right, "a phone that is 30 s behind"
    clock(600)
    for seconds in (510, 690):
        assert not check(factory, app.at(NOON_MS // 1000 + seconds)).right


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\x00", "9" * 5000, "\ud800"])
def test_what_is_no_code_opens_nothing(factory: SessionFactory, clock: Any, code: str) -> None:
    turn_on(factory)
    assert not check(factory, code).right


def test_recovery_codes_open_once_each_however_they_are_typed(factory: SessionFactory, clock: Any) -> None:
    codes = turn_on(factory)
    assert len(set(codes)) == 10
    assert check(factory, codes[0]) == second_factor.Answer(True, by_recovery_code=True)
    assert not check(factory, codes[0]).right
    assert check(factory, codes[1].upper().replace("-", " ")).right
    with factory.begin() as session:
        assert second_factor.recovery_codes_left(session, 1) == 8
        fresh = second_factor.new_recovery_codes(session, 1)
    assert not check(factory, codes[2]).right
    assert check(factory, fresh[2]).right


def test_the_database_holds_nothing_that_gives_codes(factory: SessionFactory, clock: Any) -> None:
    codes = turn_on(factory)
    with reading(factory) as session:
        rows = [
            *session.execute(text("SELECT * FROM second_factors")),
            *session.execute(text("SELECT * FROM recovery_codes")),
        ]
        stored = repr(rows)
    assert app_of(factory).secret not in stored
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]
    assert app_of(factory, key="other" * 10).secret != app_of(factory).secret


def test_another_session_key_is_said_and_recovery_codes_still_open(factory: SessionFactory, clock: Any) -> None:
    codes = turn_on(factory)
    answer = check(factory, "123456", "n" * 48)
    assert not answer.right
    assert "key has changed" in answer.words
    assert check(factory, codes[0], "n" * 48).right


def test_an_app_that_is_not_confirmed_is_not_asked_for(factory: SessionFactory, clock: Any) -> None:
    with factory.begin() as session:
        user_id = add_user(session, "hr", ["hr"])
        first = second_factor.secret_of(second_factor.begin(session, user_id, KEY), KEY)
        second = second_factor.secret_of(second_factor.begin(session, user_id, KEY), KEY)
        assert first != second
        assert not second_factor.is_on(session, user_id)
        assert second_factor.confirm(session, user_id, pyotp.TOTP(first).at(NOON_MS // 1000), KEY) is None
        assert second_factor.confirm(session, user_id, pyotp.TOTP(second).at(NOON_MS // 1000), KEY)
        kept = second_factor.begin(session, user_id, KEY)
        assert second_factor.secret_of(kept, KEY) == second, "one that is on isn't replaced"


# --- in the browser --------------------------------------------------------------------------------------------------


def set_up(site: Site, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    assert browser.post("/account/second-factor/begin").location == "/account/second-factor"
    page = browser.get("/account/second-factor").text
    secret = page.split('id="key">')[1].split("<")[0].replace(" ", "")
    drawn = browser.get("/account/second-factor/qr.svg")
    assert drawn.content_type == "image/svg+xml"
    assert drawn.data.startswith(b"<?xml")
    assert 'src="/account/second-factor/qr.svg"' in page
    app = pyotp.TOTP(secret)
    wrong = browser.post(
        "/account/second-factor", {"code": "000000" if app.at(NOON_MS // 1000) != "000000" else "111111"}
    )
    assert wrong.status_code == 422
    shown = browser.post("/account/second-factor", {"code": app.at(NOON_MS // 1000)}).text
    codes = [part.split("<")[0] for part in shown.split("<li><code>")[1:]]
    assert len(codes) == 10
    return app, codes


def free(site: Site) -> None:
    """As if the app's codes of now hadn't been used."""
    with site.sessions.begin() as session:
        session.get_one(SecondFactor, 1).last_step = 0


def test_the_address_in_the_picture_is_what_apps_take(site: Site, browser: Browser) -> None:
    browser.post("/account/second-factor/begin")
    with reading(site.sessions) as session:
        factor = session.get_one(SecondFactor, 1)
        address = urlsplit(second_factor.address_of(factor, site.settings.session_key, "ad min:x"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query)["issuer"] == ["Attendance"]
    assert len(parse_qs(address.query)["secret"][0]) == 32


def test_logging_in_with_a_code(site: Site, browser: Browser) -> None:
    app, codes = set_up(site, browser)
    assert browser.get("/account/second-factor").location == "/account"
    assert browser.get("/account/second-factor/qr.svg").status_code == 404
    fresh = site.browser(log_in=False)
    assert fresh.log_in(target="/people?q=x").location == "/login/code"
    assert fresh.get("/people").location.startswith("/login"), "the password alone is no log-in"
    refused = fresh.post("/login/code", {"code": app.at(NOON_MS // 1000)})
    assert refused.status_code == 401, "the code that confirmed the app is used"
    assert "used already" in refused.text
    free(site)
    assert fresh.post("/login/code", {"code": app.at(NOON_MS // 1000)}).location == "/people?q=x"
    assert fresh.get("/people").status_code == 200
    again = site.browser(log_in=False)
    again.log_in()
    assert again.post("/login/code", {"code": codes[3]}).location == "/live"
    assert "9 recovery codes are left" in again.get("/account").text
    another = site.browser(log_in=False)
    another.log_in()
    assert another.post("/login/code", {"code": codes[3]}).status_code == 401


def test_the_code_cannot_be_reached_without_the_password_or_long_after(site: Site, monkeypatch: Any) -> None:
    set_up(site, site.browser())
    stranger = site.browser(log_in=False)
    assert stranger.get("/login/code").location == "/login"
    assert stranger.post("/login/code", {"code": "123456"}).location == "/login"
    stranger.log_in()
    assert stranger.get("/login/code").status_code == 200
    later = login_pages.now_ms() + pending_login.KEPT_MS
    monkeypatch.setattr(login_pages, "now_ms", lambda: later)
    assert stranger.get("/login/code").location == "/login"


def test_guessing_codes_is_slowed_down(site: Site) -> None:
    app, _ = set_up(site, site.browser())
    free(site)
    fresh = site.browser(log_in=False)
    fresh.log_in()
    wrong = "000000" if app.at(NOON_MS // 1000) != "000000" else "111111"
    answers = [fresh.post("/login/code", {"code": wrong}).status_code for _ in range(5)]
    assert answers == [401] * 4 + [429], "with the one while it was set up these are five"
    elsewhere = [
        fresh.post("/login/code", {"code": wrong}, environ_base={"REMOTE_ADDR": f"192.0.2.{n}"}).status_code
        for n in range(8)
    ]
    assert elsewhere == [401] * 6 + [429] * 2, "of one account from wherever they come"


def test_turning_it_off_needs_the_password(site: Site, browser: Browser) -> None:
    set_up(site, browser)
    for path in ("remove", "codes"):
        refused = browser.post(f"/account/second-factor/{path}", {"password": "wrong"})
        assert (refused.status_code, "password is wrong" in refused.text) == (422, True)
    assert browser.post("/account/second-factor/remove", {"password": PASSWORD}).location == "/account"
    assert site.browser().get("/live").status_code == 200


def test_a_site_can_demand_it(site: Site) -> None:
    demanding = site.with_settings(require_second_factor="hr, auditor")
    with site.sessions.begin() as session:
        add_user(session, "operator", ["operator"])
    assert demanding.browser_of("operator").get("/kiosks").status_code == 200
    browser = demanding.browser()
    assert browser.get("/people").location == "/account/second-factor"
    assert browser.get("/live/stream", headers={"Accept": "text/event-stream"}).status_code == 403
    assert "Set it up to go on" in browser.get("/account/second-factor").text
    set_up(demanding, browser)
    assert browser.get("/people").status_code == 200
    refused = browser.post("/account/second-factor/remove", {"password": PASSWORD})
    assert (refused.status_code, "demands" in refused.text) == (422, True)
