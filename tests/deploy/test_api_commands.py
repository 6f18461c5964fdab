"""`attendance api-key`, `webhooks` and `connect` on a site's database: what they print, and what they never print."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.database import upgrade
from deploy.cli import app
from tests.dashboard.frappe_site import frappe_site


@pytest.fixture(scope="module")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home") / "attendance.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def home(_empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "attendance.db").write_bytes(_empty.read_bytes())
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_a_key_is_made_shown_once_listed_and_revoked(home: Path) -> None:
    made = call("api-key", "create", "payroll", "--scope", "events:read", "--expires", "30")
    key = made.strip().splitlines()[-1]
    assert key.startswith("att_")
    listed = call("api-key", "list")
    assert "payroll" in listed
    assert "in force" not in listed  # it has an end
    assert key.rsplit("_", 1)[-1] not in listed
    assert "is revoked" in call("api-key", "revoke", key.split("_")[1])
    assert "revoked" in call("api-key", "list")
    assert "choose from" in call("api-key", "create", "x", "--scope", "everything", code=2)
    assert "not known" in call("api-key", "revoke", "\x1b[2J", code=2)


def test_webhooks_are_added_listed_rotated_and_removed(home: Path) -> None:
    made = call("webhooks", "add", "https://example.com/hook", "--event", "punch.recorded")
    secret = made.strip().splitlines()[-1]
    assert secret.startswith("whsec_")
    webhook = made.split()[1].rstrip(":")
    listed = call("webhooks", "list")
    assert "https://example.com/hook" in listed
    assert secret not in listed
    assert call("webhooks", "rotate", webhook).strip() not in ("", secret)
    assert "0 dead deliveries" in call("webhooks", "dead")
    assert "0 are sent again" in call("webhooks", "replay", "--webhook", webhook)
    assert "none of that number" in call("webhooks", "replay", "7", code=2)
    assert "name one delivery" in call("webhooks", "replay", code=2)
    assert "is enabled" in call("webhooks", "enable", webhook)
    call("webhooks", "remove", webhook)
    assert "there is none" in call("webhooks", "remove", webhook, code=2)
    assert "choose from" in call("webhooks", "add", "https://example.com/", "--event", "all", code=2)


def test_frappe_is_connected_after_a_check(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "set ATTENDANCE_FRAPPE_URL, ATTENDANCE_FRAPPE_API_KEY" in call("connect", "frappe", code=2)
    assert "is not connected" in call("connect", "status", code=2)
    with frappe_site(shift_types={"Day": None}) as hr:
        for name, value in (("URL", hr.url), ("API_KEY", "key-1"), ("API_SECRET", "secret-1"), ("SHIFT_TYPES", "Day")):
            monkeypatch.setenv(f"ATTENDANCE_FRAPPE_{name}", value)
        assert "write the day as" in call("connect", "frappe", "--since", "yesterday", code=2)
        said = call("connect", "frappe", "--since", "2026-11-01")
        assert "as attendance@example.com; 0 earlier punches" in said
        assert "secret-1" not in said
        assert "pending            0" in call("connect", "status")
        assert "0 put aside" in call("connect", "problems")
        assert "0 are pushed again" in call("connect", "retry")
        monkeypatch.setenv("ATTENDANCE_FRAPPE_SHIFT_TYPES", "Night")
        assert "'Night': Frappe has none" in call("connect", "frappe", code=2)
        monkeypatch.setenv("ATTENDANCE_FRAPPE_API_SECRET", "wrong-secret")
        refused = call("connect", "frappe", code=2)
        assert "check the API key" in refused
        assert "wrong-secret" not in refused
    assert "no longer connected" in call("connect", "remove")
    monkeypatch.setenv("ATTENDANCE_FRAPPE_URL", "hr.example.com")
    assert "ATTENDANCE_FRAPPE_URL" in call("connect", "frappe", code=2)
