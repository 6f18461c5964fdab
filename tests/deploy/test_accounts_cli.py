"""`attendance user` and `attendance audit`, on a site's database."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from dashboard.access.accounts import ensure_admin
from dashboard.database import engine_for, session_factory, upgrade
from dashboard.models import SecondFactor
from deploy.cli import app


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with its first account."""
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'attendance.db'}"
    upgrade(url)
    engine = engine_for(url)
    with session_factory(engine).begin() as session:
        ensure_admin(session)
        session.add(SecondFactor(user_id=1, salt="s", key_mark="k", confirmed_ms=1, last_step=0))
    engine.dispose()
    return tmp_path


def attendance(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def accounts() -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(attendance("user", "list", "--json").stdout)}


def test_accounts_are_made_changed_and_rescued(home: Path) -> None:
    made = attendance("user", "add", "boss", "--role", "supervisor", "--role", "operator", "--department", "Dock")
    assert (made.exit_code, "one-time password" in made.stdout) == (0, True)
    assert accounts()["boss"]["roles"] == "supervisor,operator"
    assert accounts()["boss"]["departments"] == ["Dock"]
    assert attendance("user", "change", "boss", "--role", "hr").exit_code == 0
    assert accounts()["boss"]["roles"] == "hr"
    assert accounts()["admin"]["second_factor"] is True
    assert attendance("user", "reset", "admin", "--factor").exit_code == 0
    assert accounts()["admin"]["second_factor"] is False
    assert "one-time password" in attendance("user", "reset", "admin").stdout
    assert "2 accounts" in attendance("user", "list").stdout
    listed = attendance("audit", "list").stdout.splitlines()
    assert [line.split("  ")[3] for line in listed] == [
        "account.password_reset",
        "account.factor_reset",
        "account.changed",
        "account.created",
    ]
    assert "roles: supervisor,operator → hr" in listed[2]
    assert all("  command  " in line for line in listed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "add", "x", "--role", "root"), "roles are employee"),
        (("user", "add", "admin", "--role", "hr"), "taken"),
        (("user", "change", "admin", "--role", "operator"), "the last account"),
        (("user", "reset", "nobody"), "users are: admin"),
        (("user", "add", "x", "--role", "employee", "--person", "E-9"), "nobody has the code"),
        (("audit", "verify", "--expect", "cafe"), "64 hex digits"),
        (("audit", "list", "--what", "nothing"), "not known"),
        (("audit", "list", "--from", "soon"), "is not a date"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(home: Path, words: tuple[str, ...], said: str) -> None:
    done = attendance(*words)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert json.loads(attendance("audit", "verify", "--json").stdout)["rows"] == 0


def test_verifying_names_the_head_and_the_first_broken_row(home: Path) -> None:
    for name in ("one", "two", "three"):
        attendance("user", "add", name, "--role", "auditor")
    whole = attendance("audit", "verify")
    head = whole.stdout.split()[-1]
    assert (whole.exit_code, whole.stdout.startswith("3 rows, whole")) == (0, True)
    assert attendance("audit", "verify", "--expect", head.upper()).exit_code == 0
    assert json.loads(attendance("audit", "list", "--json", "--limit", "1").stdout)["hash"] == head
    engine = engine_for(f"sqlite:///{home / 'attendance.db'}")
    with engine.begin() as connection:
        for trigger in ("audit_log_no_delete", "audit_log_no_update"):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("DELETE FROM audit_log WHERE id = 3"))
    assert attendance("audit", "verify").exit_code == 0
    cut = attendance("audit", "verify", "--expect", head)
    assert (cut.exit_code, "cut off" in cut.stdout) == (1, True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_log SET details = '{}' WHERE id = 1"))
    engine.dispose()
    broken = attendance("audit", "verify")
    assert (broken.exit_code, "broken at row 1" in broken.stdout) == (1, True)
    assert json.loads(attendance("audit", "verify", "--json").stdout)["broken_row"] == 1
