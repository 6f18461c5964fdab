"""The Settings page: every setting with its words, and no secret."""

import pytest
from pydantic_settings import BaseSettings

from dashboard.connectors.settings import FrappeSettings
from dashboard.operating.settings_table import unit_of
from dashboard.settings import DashboardSettings
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site
from tests.dashboard.test_live import beat
from worker.protocol.explained import HIDDEN, explain

pytest_plugins = ["tests.dashboard.pages"]


@pytest.mark.parametrize("kind", [DashboardSettings, FrappeSettings])
def test_every_setting_says_what_it_is_for(kind: type[BaseSettings]) -> None:
    for one in explain(kind()):
        assert len(one.words) >= 12, f"{one.variable}: say in its description what it is for"


def test_all_are_shown_with_what_is_in_force(site: Site, redis_pair: RedisPair) -> None:
    secret = "postgresql+psycopg://att:pa@ss/w?rd@db/attendance?sslpassword=hush&x=1"
    browser = site.with_settings(database_url=secret, secret_key="s" * 40, picture_days=30).browser()
    told = [{"variable": "ATTENDANCE_KIOSK_MIN_SHARPNESS", "value": "7.5", "words": "sharp enough"}]
    beat(redis_pair, "kiosk", "front-door", {"version": "0.1.0", "settings": told})
    beat(redis_pair, "worker", "old", {})
    page = browser.get("/settings").text
    for one in explain(site.settings):
        assert one.variable in page
    for words in (
        "Asia/Jakarta",
        ">30<",
        "days",
        "Port that the dashboard listens on; 0 takes any free one.",
        "set here",
    ):
        assert words in page, words
    for words in ("ATTENDANCE_KIOSK_MIN_SHARPNESS", "Sharp enough.", "version 0.1.0", "too old to say"):
        assert words in page, words
    for hidden in ("pa@ss", "w?rd", "hush", "s" * 40):
        assert hidden not in page
    assert f"postgresql+psycopg://{HIDDEN}@db/attendance" in page


def test_settings_that_cant_be_read_are_told(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_FRAPPE_SYNC_EVERY_S", "soon")
    assert "out of bounds" in browser.get("/settings").text


def test_units(site: Site) -> None:
    names = ("presence_gap_s", "api_requests_per_minute", "max_upload_mb", "lease_ms", "reenrol_months", "host")
    with site.app.test_request_context():
        assert [unit_of(name) for name in names] == ["s", "per minute", "MB", "ms", "months", ""]
