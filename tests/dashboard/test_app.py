"""The app as a whole: headers, errors in the house style, health, and what it must not need."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dashboard.access import accounts
from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]


@pytest.mark.parametrize("path", ["/login", "/live", "/people", "/static/style.css", "/nothing", "/healthz"])
def test_every_answer_carries_the_security_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path, follow_redirects=True).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=(self)" in headers["Permissions-Policy"]
    if "static" not in path:
        assert headers["Cache-Control"] == "no-store"


def test_pages_hold_no_inline_script_or_style(site: Site) -> None:
    for template in Path(site.app.root_path, "templates").glob("*.html"):
        source = template.read_text()
        assert "style=" not in source, template
        assert "<style" not in source, template
        assert " onclick" not in source, template
        assert source.count("<script") == source.count('<script type="module" src='), template


@pytest.mark.parametrize(("path", "code"), [("/nothing", 404), ("/people/nobody", 404), ("/logout", 405)])
def test_errors_come_in_the_house_style(browser: Browser, path: str, code: int) -> None:
    answer = browser.get(path)
    assert answer.status_code == code
    assert "style.css" in answer.text
    assert f"Error {code}" in answer.text
    answer = browser.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == code
    assert answer.json["error"]


def test_words_that_say_why_are_shown(browser: Browser) -> None:
    """Instead of those that stand for any such error."""
    why = "Nobody is in that department in that month: there is nothing to sign."
    assert why in browser.get("/months.pdf?month=2026-10&department=Nowhere").text
    assert "There is nothing at this address." in browser.get("/people/nobody").text
    assert "doesn’t take such a request" in browser.get("/logout").text


def test_a_fault_of_ours_is_a_page_without_details(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = site.browser()
    site.app.testing = False

    def broken() -> str:
        raise RuntimeError("secret detail")

    monkeypatch.setitem(site.app.view_functions, "live.board", broken)
    answer = browser.get("/live")
    assert answer.status_code == 500
    assert "written to the log" in answer.text
    assert "secret" not in answer.text


def test_a_nul_is_refused_everywhere(browser: Browser) -> None:
    for path in ("/people?q=a%00b", "/people/a%00b", "/attendance?person=%00", "/login?next=%00"):
        answer = browser.get(path)
        assert answer.status_code == 400, path
        assert "U+0000" in answer.text


def test_a_database_that_is_away_is_said_in_words(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/healthz").json == {"database": "ok", "live": "ok"}
    with site.sessions.begin() as session:
        for table in ("attendance_events", "decisions", "user_roles"):
            session.execute(text(f"DROP TABLE {table}"))
    answer = browser.get("/people")
    assert answer.status_code == 503
    assert "database doesn’t answer" in answer.text


def test_health_tells_when_the_database_is_away(site: Site, tmp_path: Path) -> None:
    client: Any = site.app.test_client()
    site.sessions.kw["bind"].dispose()
    (tmp_path / "attendance.db").unlink()
    (tmp_path / "attendance.db").mkdir()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json["database"] == "away"


def test_health_without_redis_is_still_health(site: Site, redis_pair: RedisPair) -> None:
    redis_pair.live_server.kill()
    answer = site.app.test_client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"database": "ok", "live": "away"}


def test_the_app_says_what_to_set_when_there_is_no_redis(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ATTENDANCE_LIVE_URL"):
        create_app(DashboardSettings(home=tmp_path))


def test_the_app_brings_the_database_up_to_date(tmp_path: Path, redis_pair: RedisPair) -> None:
    app = create_app(DashboardSettings(home=tmp_path, live_url=redis_pair.live_server.url()))
    assert app.test_client().get("/login").status_code == 200
    with app.extensions["attendance"].sessions.begin() as session:
        assert accounts.ensure_admin(session)


def test_the_app_needs_neither_torch_nor_opencv() -> None:
    code = (
        "import sys; sys.modules.update({'torch': None, 'cv2': None, 'openvino': None}); "
        "import dashboard.app; assert not {m.split('.')[0] for m in sys.modules} & {'kiosk', 'training', 'deploy'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
