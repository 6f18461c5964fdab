"""`attendance people erase`: asks back, refuses what the dashboard refuses, and leaves nothing in the database's file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.database import engine_for, session_factory, upgrade
from dashboard.people.employees import create_employee
from deploy.cli import app


@pytest.fixture
def home(tmp_path: Path) -> Path:
    url = f"sqlite:///{tmp_path / 'attendance.db'}"
    upgrade(url)
    engine = engine_for(url)
    with session_factory(engine).begin() as session:
        create_employee(session, "PAYROLL-0815", "Wilhelmina Person", "Dock", now_ms=1)
    engine.dispose()
    return tmp_path


def call(home: Path, *arguments: str, typed: str = "") -> tuple[int, str]:
    environment = {"ATTENDANCE_HOME": str(home), "COLUMNS": "200"}
    result = CliRunner().invoke(app, ["people", "erase", *arguments], input=typed, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def is_there(home: Path) -> bool:
    return any(b"Wilhelmina" in path.read_bytes() for path in home.glob("attendance.db*"))


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("PAYROLL-0815", "--reason", "asked"), "PAYROLL-0816\n", "is not this person"),
        (("PAYROLL-0815", "--reason", "asked"), "\n", "is not this person"),
        (("PAYROLL-0815", "--reason", "because"), "PAYROLL-0815\n", "use one of asked, left, mistake"),
        (("nobody\x1b", "--reason", "asked", "--yes"), "", "nobody has the code 'nobody·'"),
    ],
)
def test_it_is_refused_and_nothing_is_erased(home: Path, arguments: tuple[str, ...], typed: str, said: str) -> None:
    code, words = call(home, *arguments, typed=typed)
    assert (code, said in words) == (2, True), words
    assert is_there(home)


@pytest.mark.parametrize(("more", "typed"), [((), "PAYROLL-0815\n"), (("--yes",), "")])
def test_somebody_is_erased(home: Path, more: tuple[str, ...], typed: str) -> None:
    code, words = call(home, "PAYROLL-0815", "--reason", "left", *more, typed=typed)
    assert (code, "the records are those of 'Erased person 1' now" in words) == (0, True), words
    assert not is_there(home)
    assert call(home, "PAYROLL-0815", "--reason", "left", "--yes")[0] != 0


def test_the_file_is_written_anew(home: Path) -> None:
    result = CliRunner().invoke(app, ["people", "wipe"], env={"ATTENDANCE_HOME": str(home)})
    assert (result.exit_code, "nothing of what was erased is left" in result.output) == (0, True)
