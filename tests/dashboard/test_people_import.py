"""Import of people: the dry run says every row's problem and change, and what is imported is what was shown."""

import csv
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from dashboard.database import SessionFactory, now_ms, reading
from dashboard.models import Employee, GalleryOutbox
from dashboard.people import import_uploads
from dashboard.people.employees import create_employee
from dashboard.people.people_import import Plan, columns_of, plan
from dashboard.people.people_import_apply import PlanChanged, apply
from dashboard.tables.table_reader import read
from dashboard.tables.tables import BadTable
from dashboard.web.folding import folded
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]


@pytest.fixture
def look(factory: SessionFactory, tmp_path: Path) -> Callable[[str], Plan]:
    """look(text): the plan of a CSV file."""

    def plan_of(text: str) -> Plan:
        path = tmp_path / "people.csv"
        path.write_text(text)
        with reading(factory) as session:
            return plan(session, read(path))

    return plan_of


def people(factory: SessionFactory) -> list[tuple[str, str, str, bool]]:
    with reading(factory) as session:
        found = session.scalars(select(Employee).order_by(Employee.code))
        return [(one.code, one.name, one.department, one.consent_ms is not None) for one in found]


def test_titles_in_both_languages_and_any_order() -> None:
    assert columns_of(["NAMA  Lengkap", "Departemen", "Kode"]) == ({"name": 0, "department": 1, "code": 2}, [])
    assert columns_of(["Code*", "Phone", "Name", ""]) == ({"code": 0, "name": 2}, ["Phone"])
    with pytest.raises(BadTable, match="none for code among “Nama, Telepon”"):
        columns_of(["Nama", "Telepon"])
    with pytest.raises(BadTable, match="Two columns are for the name: “Name” and “Nama”"):
        columns_of(["Name", "Nama", "Kode"])


def test_new_changed_unchanged_and_what_is_applied(
    factory: SessionFactory, look: Callable[[str], Plan], add_person: Callable[..., str]
) -> None:
    with factory.begin() as session:
        add_person(session, "A", templates=1)
        create_employee(session, "B", "Budi", "Dock", now_ms=now_ms())
        create_employee(session, "C", "Citra", "Dock", now_ms=now_ms())
    text = "kode,nama,bagian,persetujuan\nA,Ahmad,,ya\nB,Budi,Dock,\nC,,Office,ya\nD,Dewi,Office,YES\n'=E,Eko,,tidak\n"
    seen = look(text)
    assert [(row.code, row.kind) for row in seen.rows] == [
        ("A", "changed"),
        ("B", "unchanged"),
        ("C", "changed"),
        ("D", "new"),
        ("=E", "new"),
    ]
    changes = {row.code: [(c.column, c.before, c.after) for c in row.changes] for row in seen.rows}
    assert changes["A"] == [("name", "Name of A", "Ahmad")]
    assert changes["C"] == [("department", "Dock", "Office"), ("consent", "no", "yes")]
    with factory.begin() as session:
        assert apply(session, seen.digest, look(text), "hr", now_ms()) == (2, 2)
    assert people(factory) == [
        ("=E", "Eko", "", False),
        ("A", "Ahmad", "Dock", True),
        ("B", "Budi", "Dock", False),
        ("C", "Citra", "Office", True),
        ("D", "Dewi", "Office", True),
    ]
    with reading(factory) as session:
        assert {one.name_key for one in session.scalars(select(Employee))} == {
            folded(name) for _, name, _, _ in people(factory)
        }
        ops = list(session.scalars(select(GalleryOutbox.op).order_by(GalleryOutbox.id)))
        assert ops == ["put", "put"], "enrolled; and kiosks greet Ahmad by his new name"
    assert not look(text).applicable, "a second import of the same file finds nothing to do"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (",Budi", "code", "must not be empty"),
        ("E-9,", "name", "must not be empty for somebody new"),
        ("E-1,Siti", "code", "row 2 has the same code"),
        ("E-9," + "x" * 201, "name", "at most 200"),
        ("x" * 65 + ",Budi", "code", "at most 64"),
        ("E-9,Bu\x07di", "name", "U+0007"),
        ("E-9,#REF!", "name", "shows an error"),
        ("E-9,Budi,Dock,perhaps", "consent", "write yes or ya"),
        ("E-9,Budi,Dock,ya,more,cells", "", "2 more cells"),
        ('E-9,"Budi, S.H.",Dock,ya,x', "", "1 more cells"),
    ],
)
def test_problems_are_named_with_row_column_and_what_to_do(
    look: Callable[[str], Plan], row: str, column: str, words: str
) -> None:
    seen = look(f"code,name,department,consent\nE-1,Siti,,\n{row}\n")
    problem = seen.rows[1].problems[0]
    assert (seen.rows[1].number, seen.rows[1].kind, problem.column) == (3, "problem", column)
    assert words in problem.words
    assert not seen.applicable


def test_nothing_is_imported_when_it_is_not_what_was_shown(
    factory: SessionFactory, look: Callable[[str], Plan]
) -> None:
    text = "code,name\nA,Ahmad\nB,Budi\n"
    shown = look(text)
    with factory.begin() as session:
        create_employee(session, "A", "Somebody else", now_ms=now_ms())
    with pytest.raises(PlanChanged), factory.begin() as session:
        apply(session, shown.digest, look(text), "hr", now_ms())
    bad = look("code,name\nA,\nB,Budi\nB,Budi\n")
    with pytest.raises(ValueError, match="1 rows have a problem"), factory.begin() as session:
        apply(session, bad.digest, bad, "hr", now_ms())
    assert [code for code, *_ in people(factory)] == ["A"]


def test_line_breaks_in_a_cell_become_spaces(look: Callable[[str], Plan]) -> None:
    assert look('code,name\nE-1,"Siti\r\nÑuñez"\n').rows[0].name == "Siti Ñuñez"


# --- in the browser ------------------------------------------------------------------------------------------------


def upload(browser: Browser, data: bytes, name: str = "people.csv") -> Any:
    return browser.post("/people/import", {"table": (io.BytesIO(data), name)})


def digest(page: str) -> str:
    return page.split('name="digest" value="')[1].split('"')[0]


def test_from_upload_to_import(any_site: Site) -> None:
    browser = any_site.browser()
    assert "nama lengkap" in browser.get("/people/import").text
    rows = "".join(f"E-{n},Person {n},Dock\n" for n in range(7))
    where = upload(browser, b"\xef\xbb\xbfKode,Nama,Bagian,Phone\n" + rows.encode()).location
    page = browser.get(where).text
    for words in ("Read as CSV, UTF-8, separated by commas", "Not read: Phone", "7 new", "page 1 of 2", "Person 4"):
        assert words in page
    assert "Person 6" in browser.get(f"{where}?show=new&page=2").text
    report = list(csv.reader(io.StringIO(browser.get(f"{where}.csv").data.decode("utf-8-sig"))))
    assert report[1] == ["2", "new", "E-0", "", "", "Person 0", ""]
    done = browser.post(where, {"digest": digest(page)}, follow_redirects=True)
    assert "7 new people, 0 changed" in done.text
    assert len(people(any_site.sessions)) == 7
    listed = browser.get("/people?sort=created").text
    assert re.findall(r">Person (\d)</a>", listed) == list("01234"), "the first page in the file's order"
    assert "no longer here" in browser.get(where).text
    assert "no longer here" in browser.post(where, {"digest": digest(page)}).text


def test_a_change_in_between_is_told(any_site: Site) -> None:
    browser = any_site.browser()
    where = upload(browser, b"code;name\nE-1;Siti\n").location
    shown = digest(browser.get(where).text)
    with any_site.sessions.begin() as session:
        create_employee(session, "E-1", "Another", now_ms=now_ms())
    answer = browser.post(where, {"digest": shown})
    assert answer.status_code == 409
    assert "Somebody changed people since you looked" in answer.text
    assert "Another" in answer.text
    browser.post(where, {"digest": digest(answer.text)})
    assert people(any_site.sessions)[0][1] == "Siti"


def test_a_file_with_a_problem_can_not_be_imported(site: Site, browser: Browser) -> None:
    where = upload(browser, b"code,name\nE-1,<b>Siti</b>\nE-1,Budi\n").location
    page = browser.get(where).text
    assert "1 row has a problem" in page
    assert "row 2 has the same code" in page
    assert "digest" not in page
    assert "&lt;b&gt;Siti" in browser.get(f"{where}?show=new").text
    assert browser.get(f"{where}?show=x").status_code == 400
    assert browser.post(where, {"digest": "x"}).status_code == 422
    assert "nothing was imported" in browser.post(f"{where}/discard", follow_redirects=True).text
    assert not list((site.settings.home / "imports").iterdir())


def test_files_that_are_no_table_are_refused_and_not_kept(site: Site, browser: Browser) -> None:
    answer = upload(browser, b"\xff\xd8\xff\xe0 picture", "people.csv")
    assert answer.status_code == 422
    assert "a JPEG picture" in answer.text
    assert "Choose a file first" in browser.post("/people/import").text
    assert upload(browser, b"x" * 1_300_000).status_code == 413
    assert not list((site.settings.home / "imports").iterdir())
    for token in ("nothing", "..%2f..%2fattendance.db", "0" * 32):
        assert browser.get(f"/people/import/{token}").status_code in (404, 422)


def test_an_upload_is_kept_for_an_hour_only(site: Site, browser: Browser) -> None:
    where = upload(browser, b"code,name\nE-1,Siti\n").location
    (kept,) = (site.settings.home / "imports").iterdir()
    os.utime(kept, (now_ms() / 1000 - import_uploads.KEPT_S - 1,) * 2)
    assert "no longer here" in browser.get(where).text
    upload(browser, b"code,name\nE-1,Siti\n")
    assert len(list((site.settings.home / "imports").iterdir())) == 1


def test_an_export_can_be_imported_again(any_site: Site) -> None:
    browser = any_site.browser()
    with any_site.sessions.begin() as session:
        create_employee(session, "007", '=HYPERLINK("x")', "Doçk", consent_by="hr", now_ms=now_ms())
        create_employee(session, "+1", "Ñuñez", now_ms=now_ms())
    for suffix in ("csv", "xlsx"):
        file = browser.get(f"/people.{suffix}").data
        page = browser.get(upload(browser, file, f"x.{suffix}").location).text
        assert "Everybody in this file is entered exactly like this already" in page


def test_xlsx_has_types_a_table_and_no_formulas(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        person = create_employee(session, "E-1", "=1+1", "#N/A", consent_by="hr", now_ms=now_ms()).id
    site.punch(person, 1_795_478_400_000)
    sheet = load_workbook(io.BytesIO(browser.get("/people.xlsx").data)).active
    titles = [cell.value for cell in sheet[1]]
    row = dict(zip(titles, sheet[2], strict=True))
    assert (row["Name"].value, row["Name"].data_type) == ("=1+1", "s")
    assert (row["Department"].value, row["Department"].data_type) == ("#N/A", "s")
    assert row["Pictures"].value == 0
    assert row["Entered"].is_date
    assert sheet.freeze_panes == "A2"
    assert sheet.tables["People"].ref == "A1:I2"
    answer = browser.get("/attendance.xlsx?from=2026-11-01&to=2026-11-30")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="attendance_2026-11-01_2026-11-30.xlsx"'
    sheet = load_workbook(io.BytesIO(answer.data)).active
    row = dict(zip([cell.value for cell in sheet[1]], sheet[2], strict=True))
    assert row["Date"].value.date().isoformat() == "2026-11-24"
    assert row["Time"].value.isoformat() == "07:00:00"
    assert row["Distance"].value == 4.5
    assert load_workbook(io.BytesIO(browser.get("/attendance.xlsx?person=nobody").data)).active.max_row <= 2


def test_too_many_rows_for_xlsx_are_said(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.tables.xlsx_export.MAX_ROWS", 1)
    with site.sessions.begin() as session:
        for n in range(2):
            create_employee(session, f"E-{n}", "Siti", now_ms=now_ms())
    answer = browser.get("/people.xlsx")
    assert answer.status_code == 400
    assert "choose a shorter time, or CSV" in answer.text
