"""Reading uploaded tables: every way in which spreadsheets write them, and files that only look like one."""

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from dashboard.tables import table_xlsx, tables
from dashboard.tables.table_reader import read
from dashboard.tables.tables import BadTable

PEOPLE = [["Kode", "Nama"], ["E-1", "Siti Ñuñez"], ["E-2", "Budi"]]
LINES = "Kode;Nama\r\nE-1;Siti Ñuñez\r\nE-2;Budi\r\n"


def rows(path: Path) -> list[list[str]]:
    return [cells for _, cells in read(path).rows]


def sheet(path: Path, *lines: list[object], formats: dict[str, str] | None = None) -> Path:
    book = Workbook()
    assert book.active is not None
    for line in lines:
        book.active.append(line)
    for cell, number_format in (formats or {}).items():
        book.active[cell].number_format = number_format
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "people.txt"
    path.write_bytes(LINES.replace(";", separator).encode(encoding))
    assert rows(path) == PEOPLE


def test_other_code_pages_are_guessed_and_said(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("Код,Имя\nE-1,Иванов Пётр Сергеевич\nE-2,Кузнецова Наталья\n".encode("cp1251"))
    table = read(path)
    assert "code page cp1251 (a guess" in table.how
    assert [cells for _, cells in table.rows][1] == ["E-1", "Иванов Пётр Сергеевич"]


def test_quoted_line_breaks_empty_rows_and_excels_own_first_line(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('sep=;\ncode;name\n\n;;\nE-1;"Siti\nÑuñez; S.H."\n   ;\nE-2;Budi;;;\n')
    assert list(read(path).rows) == [(1, ["code", "name"]), (4, ["E-1", "Siti\nÑuñez; S.H."]), (6, ["E-2", "Budi"])]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n;;\n ; \n", "is empty"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)), "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
        (b"%PDF-1.7 ", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old Excel"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (bytes(range(256)) * 4, "holds no text"),
        (b"\x00" * 64, "holds no text"),
        (b'code,name\nE-1,"never closed\n' + b"x,y\n" * 10, "Line"),
        (b"code,name\nE-1," + b"x" * 200_000, "Line"),
        ("code,name\n".encode("utf-16") + b"\x00", "utf-16"),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    with pytest.raises(BadTable, match=words):
        rows(path)


def test_too_many_rows_are_refused_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 100)
    path = tmp_path / "people.csv"
    path.write_text("code,name\n" + "E,N\n" * 100)
    assert len(rows(path)) == 101
    path.write_text("code,name\n" + "E,N\n" * 1_000_000)
    with pytest.raises(BadTable, match="more than 100 rows"):
        rows(path)


def test_a_row_of_a_million_cells_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("code,name\n" + "x," * 1_000_000 + "\n")
    assert len(rows(path)[1]) == tables.MAX_CELLS + 1


def test_xlsx_cells_as_they_are_shown(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "people.xlsx",
        ["code", "name", "more"],
        [42, "Siti", True],
        [7, 3.0, False],
        [None, "", None],
        ["=1+1", datetime(2026, 1, 2, 3), date(2026, 1, 2)],
        [1.5, "Budi"],
        formats={"A3": "00000"},
    )
    assert [cells for _, cells in read(path).rows] == [
        ["code", "name", "more"],
        ["42", "Siti", "yes"],
        ["00007", "3", "no"],
        ["", "2026-01-02", "2026-01-02"],  # a formula that nothing has computed has no value
        ["1.5", "Budi"],
    ]


def repacked(path: Path, part: str, data: bytes) -> Path:
    """The workbook with one part replaced."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()} | {part: data}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    ("part", "data", "words"),
    [
        (SHEET, b" " * 30_000_000, "unfolds to far more"),
        ("xl/theme/theme9.xml", b"x" * 30_000_000, "unfolds to far more"),
        (SHEET, b"<worksheet", "can’t be read"),
        (
            SHEET,
            b'<worksheet xmlns="'
            + MAIN
            + b'"><sheetData><row r="99999999999"><c r="A1"/></row></sheetData></worksheet>',
            "beyond",
        ),
        (
            SHEET,
            b'<!DOCTYPE x [<!ENTITY a "'
            + b"ha" * 500
            + b'">'
            + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 20 if n else b"&a;" * 20) for n in range(8))
            + b']><worksheet xmlns="'
            + MAIN
            + b'"><sheetData><row r="1"><c r="A1" t="str"><v>&a7;</v></c></row></sheetData></worksheet>',
            "can’t be read",
        ),
        ("xl/workbook.xml", b"<nothing/>", "can’t be read|no sheet"),
        ("[Content_Types].xml", b"", "can’t be read"),
    ],
)
def test_workbooks_made_to_be_wrong(
    tmp_path: Path, part: str, data: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_xlsx, "LAST_ROW", 1_000)
    path = repacked(sheet(tmp_path / "people.xlsx", ["code", "name"], ["E-1", "Siti"]), part, data)
    with pytest.raises(BadTable, match=words):
        rows(path)


def test_a_zip_that_is_no_workbook_and_a_size_that_lies(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("holiday.jpg", b"x")
    path.write_bytes(data.getvalue())
    with pytest.raises(BadTable, match="ZIP archive"):
        rows(path)
    sheet(path, ["code", "name"], *[[f"E-{n}", "Siti"] for n in range(50)])
    repacked(path, "docProps/app.xml", b"")
    content = path.read_bytes().replace(b'<dimension ref="A1:B51"', b'<dimension ref="A1:A1" ')
    path.write_bytes(content)
    assert len(rows(path)) == 51
