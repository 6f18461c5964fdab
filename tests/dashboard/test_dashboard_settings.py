"""The dashboard's settings: bounds, environment, and the secret that several processes share."""

import os
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from dashboard.access.roles import Role
from dashboard.settings import DashboardSettings, kept_secret


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = DashboardSettings(home=tmp_path / "new")
    assert settings.database == f"sqlite:///{tmp_path / 'new' / 'attendance.db'}"
    assert settings.zone.key
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_DATABASE_URL", "postgresql://db/attendance")
    monkeypatch.setenv("ATTENDANCE_FPIR", "0.0001")
    monkeypatch.setenv("ATTENDANCE_DASHBOARD_PRESENCE_GAP_S", "90")
    monkeypatch.setenv("ATTENDANCE_DASHBOARD_TIME_ZONE", "Asia/Makassar")
    settings = DashboardSettings()
    assert settings.database == "postgresql://db/attendance"
    assert (settings.fpir, settings.presence_gap_s, settings.zone.key) == (0.0001, 90, "Asia/Makassar")


def test_roles_that_need_a_second_factor() -> None:
    assert DashboardSettings().second_factor_roles == frozenset()
    assert DashboardSettings(require_second_factor=" HR, auditor,").second_factor_roles == {Role.HR, Role.AUDITOR}
    assert DashboardSettings(require_second_factor="OFF").second_factor_roles == frozenset()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("time_zone", ""),
        ("presence_gap_s", 3601),
        ("presence_gap_s", -1),
        ("presence_gap_s", "soon"),
        ("port", 70_000),
        ("secret_key", "short"),
        ("max_upload_mb", 0),
        ("require_second_factor", "hr,root"),
        ("require_second_factor", ""),
        ("session_idle_minutes", 1),
    ],
)
def test_a_value_out_of_bounds_is_named(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        DashboardSettings(**{name: value})


def test_the_secret_is_made_once_for_all_processes_and_for_nobody_else(tmp_path: Path) -> None:
    secrets: list[str] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        secrets.append(kept_secret(tmp_path / "home" / "secret_key"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 8
    assert len(set(secrets)) == 1
    assert os.stat(tmp_path / "home" / "secret_key").st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["secret_key"]
    assert DashboardSettings(home=tmp_path / "home").session_key == secrets[0]


def test_a_damaged_secret_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("x")
    with pytest.raises(ValueError, match="delete the file"):
        kept_secret(tmp_path / "secret_key")
