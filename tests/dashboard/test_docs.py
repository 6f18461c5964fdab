"""docs/accounts.md against the code: what it names is there, and what is there is named."""

from pathlib import Path

from dashboard.access.login_pages import FAILED_CODES, FAILED_LOGINS
from dashboard.access.roles import WORDS
from dashboard.access.second_factor import RECOVERY_CODES
from dashboard.settings import DashboardSettings

TEXT = (Path(__file__).parents[2] / "docs" / "accounts.md").read_text()


def test_roles_settings_and_figures_are_those_of_the_code() -> None:
    head = next(line for line in TEXT.splitlines() if line.startswith("| |"))
    assert [cell.strip() for cell in head.split("|")[2:-1]] == [
        word if word == "HR" else word.lower() for word in WORDS.values()
    ]
    fields = DashboardSettings.model_fields
    assert f"SESSION_HOURS` ({fields['session_hours'].default})" in TEXT
    assert f"SESSION_IDLE_MINUTES` ({fields['session_idle_minutes'].default})" in TEXT
    assert "ATTENDANCE_DASHBOARD_REQUIRE_SECOND_FACTOR" in TEXT
    assert (RECOVERY_CODES, FAILED_LOGINS, FAILED_CODES) == (10, "5 per minute; 50 per hour", "10 per hour")
    assert "five a\nminute and fifty an hour from one address, ten codes an hour" in TEXT
