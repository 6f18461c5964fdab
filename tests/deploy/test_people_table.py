"""`attendance people`: the same import and export as the pages', with words and exit codes for a terminal."""

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from dashboard.database import upgrade
from deploy.cli import app


@pytest.fixture
def home(tmp_path: Path) -> Path:
    upgrade(f"sqlite:///{tmp_path / 'attendance.db'}")
    return tmp_path


def call(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["people", *arguments], env={"ATTENDANCE_HOME": str(home), "COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_table_goes_in_dry_and_for_good_and_comes_out_again(home: Path) -> None:
    table = home / "people.csv"
    table.write_text("Kode;Nama;Bagian\nE-1;Siti;Gudang\nE-2;\x1b[31mBudi;Gudang\n")
    code, words = call(home, "import", str(table))
    assert (code, "\x1b[31m" in words) == (1, False)
    assert "Nothing was imported: 1 rows have a problem" in words
    assert "U+001B" in words
    table.write_text("Kode;Nama;Bagian\nE-1;Siti;Gudang\nE-2;Budi;Gudang\n")
    for arguments, said in (("--dry-run", "It would do: 2 new"), ("", "Imported: 2 new"), ("", "Nothing to do")):
        code, words = call(home, "import", str(table), *arguments.split())
        assert (code, said in words) == (0, True), words
    for name in ("out.csv", "out.xlsx"):
        code, words = call(home, "export", str(home / name))
        assert code == 0, words
    rows = list(csv.DictReader((home / "out.csv").read_text("utf-8-sig").splitlines()))
    assert [(row["Code"], row["Name"], row["Consent"]) for row in rows] == [
        ("E-2", "Budi", "no"),
        ("E-1", "Siti", "no"),
    ]
    sheet = load_workbook(home / "out.xlsx").active
    assert sheet is not None
    assert [row[0].value for row in sheet.iter_rows()] == ["Code", "E-2", "E-1"]
    assert not list(home.glob(".out*"))


def test_what_can_not_be_read_or_written_is_said(home: Path) -> None:
    (home / "people.csv").write_bytes(b"\x89PNG\r\n")
    for arguments, said in (
        (["import", str(home / "people.csv")], "a PNG picture"),
        (["import", str(home / "nothing.csv")], "no such file"),
        (["export", str(home / "people.pdf")], "must end in .csv or .xlsx"),
        (["export", str(home / "nowhere" / "people.csv")], "No such file or directory"),
    ):
        code, words = call(home, *arguments)
        assert (code, said in words) == (2, True), words
