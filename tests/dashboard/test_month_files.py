"""A month as files, read back: what a spreadsheet gets, what is printed, who may have it, and what the trail tells."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from dashboard.models import AuditEntry, Employee
from dashboard.months import month_files, month_rows, sheet_fonts
from dashboard.months.sheet_fonts import fitting
from dashboard.people.employees import create_employee
from dashboard.tables import xlsx_export
from tests.dashboard.days.sheet import at
from tests.dashboard.pdf_words import words
from tests.dashboard.site import Browser, Site, add_user
from tests.dashboard.support import dock_in_office_hours

pytest_plugins = ["tests.dashboard.pages"]

MONTH = "month=2026-10"


@pytest.fixture
def people(site: Site) -> dict[str, str]:
    """Grace of Dock came late on Monday 5 October 2026, and left at 19:00; others have no punches."""
    with site.sessions.begin() as session:
        names = {"E1": ("=Grace Hopper", "Dock"), "E2": ("Łukasz Żółć", "Dock"), "E3": ("Eileen Collins", "Flight")}
        ids = {code: create_employee(session, code, *names[code], now_ms=1).id for code in names}
        dock_in_office_hours(session)
        add_user(session, "grace", ["employee"], employee_id=ids["E1"])
        add_user(session, "boss", ["supervisor"], departments=["Dock"])
    site.punch(ids["E1"], at("08:10", date(2026, 10, 5)))
    with site.sessions.begin() as session:
        session.get_one(Employee, ids["E3"]).deactivated_ms = at("12:00", date(2026, 9, 30))
    return ids


def told(site: Site) -> list[Any]:
    with site.sessions() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "export.month")))


def test_a_workbook_of_a_department(site: Site, browser: Browser, people: dict[str, str]) -> None:
    answer = browser.get(f"/months.xlsx?{MONTH}&department=Dock")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="month_2026-10.xlsx"'
    book = load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["Totals", "Days"]
    titles, first, *more = book["Totals"].iter_rows()
    row = dict(zip([cell.value for cell in titles], first, strict=True))
    assert (row["Code"].value, row["Name"].value, row["Name"].data_type) == ("E1", "=Grace Hopper", "s")
    assert row["Required"].value == timedelta(hours=176)  # 22 workdays of 8 hours
    assert row["Required"].number_format == "[h]:mm"
    assert (row["Late"].value, row["Days late"].value) == (timedelta(minutes=10), 1)
    assert [row[0].value for row in more] == ["E2"]
    titles, *rows = book["Days"].iter_rows(values_only=True)
    days = [dict(zip(titles, row, strict=True)) for row in rows]
    assert len(days) == 62
    day = days[4]
    assert day["Date"] in (date(2026, 10, 5), datetime(2026, 10, 5))
    assert (day["Shift begins"], day["In"], day["Out"]) == (
        datetime(2026, 10, 5, 8),
        datetime(2026, 10, 5, 8, 10),
        None,
    )
    assert "Out missing" in day["State"]
    entry = told(site)[-1]
    assert '"people":2' in entry.details.replace(" ", "")
    assert "Grace" not in entry.details


def test_csv_of_totals_and_of_days(browser: Browser, people: dict[str, str]) -> None:
    text = browser.get(f"/months/totals.csv?{MONTH}").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Code"], row["Name"]) for row in rows] == [("E1", "'=Grace Hopper"), ("E2", "Łukasz Żółć")]
    assert (rows[0]["Required"], rows[0]["Late"]) == ("176:00", "0:10")
    text = browser.get(f"/months/days.csv?{MONTH}&department=Dock").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (len(rows), rows[4]["Date"], rows[4]["In"]) == (62, "2026-10-05", "2026-10-05 08:10")


def test_sheets_of_a_department(site: Site, browser: Browser, people: dict[str, str]) -> None:
    answer = browser.get(f"/months.pdf?{MONTH}&department=Dock")
    assert answer.content_type == "application/pdf"
    first, second = words(answer.data)
    for text in ("Month sheet, October 2026", "=Grace Hopper", "E1", "Dock", "Mon 5", "08:10", "176:00", "Date"):
        assert text in first
    assert "Late 0:10; Out missing" in first
    assert "1 day present, 21 days absent" in first
    assert "Page 1 of 2" in first
    assert "Page 2 of 2" in second
    assert "Made on " in first
    assert "1 punch." in first
    has_the_letters = sheet_fonts.fitting("Łukasz Żółć").complete  # Vera hasn't; DejaVu has, where the machine has that
    assert ("by hand" in second) is not has_the_letters
    assert browser.get(f"/months.pdf?{MONTH}&department=Elsewhere").status_code == 404


def test_whose_sheet_one_gets(site: Site, people: dict[str, str]) -> None:
    own, boss = site.browser_of("grace"), site.browser_of("boss")
    assert "Page 1 of 1" in words(own.get(f"/me/month.pdf?{MONTH}").data)[0]
    assert f"/me/month.pdf?{MONTH}" in own.get(f"/me?{MONTH}").text
    assert told(site)[-1].subject_id == people["E1"]
    assert 'filename="month_2026-10_E1.pdf"' in own.get(f"/me/month.pdf?{MONTH}").headers["Content-Disposition"]
    assert boss.get(f"/people/{people['E1']}/month.pdf?{MONTH}").status_code == 200
    assert boss.get(f"/people/{people['E3']}/month.pdf?{MONTH}").status_code == 404
    assert own.get(f"/people/{people['E1']}/month.pdf?{MONTH}").status_code == 403
    rows = list(csv.reader(io.StringIO(boss.get("/months/totals.csv?month=2026-09").data.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["Code", "E1", "E2"]
    assert f"/months.pdf?{MONTH}" in boss.get(f"/months?{MONTH}").text


def test_too_many_people(site: Site, browser: Browser, people: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(month_files, "MOST_IN_PDF", 1)
    answer = browser.get(f"/months.pdf?{MONTH}")
    assert (answer.status_code, "choose a department" in answer.text) == (400, True)
    assert not told(site)


@pytest.mark.parametrize("path", ["/months.xlsx", "/months/days.csv", "/months.pdf", "/me/month.pdf"])
def test_months_that_are_none(site: Site, browser: Browser, path: str) -> None:
    assert browser.get(path, query_string={"month": "2026-13"}).status_code in (400, 403)
    assert browser.get(path, query_string={"department": "x" * 500}).status_code in (400, 403)


def test_letters_that_no_font_has_are_said(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        employee = create_employee(session, "E9", "山田 太郎", "Dock", now_ms=1).id
    page = words(browser.get(f"/people/{employee}/month.pdf?{MONTH}").data)[0]
    assert "?? ??" in page
    assert "by hand" in page
    assert fitting("Grace Łukasz Ñ ’").complete
    assert fitting("שלום") == fitting("שלום")
    assert fitting("שלום").text == "????"
    assert not fitting("Ḁ\u4e00").complete


def test_days_are_read_a_few_people_at_a_time(
    browser: Browser, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def days_of(session: Any, ids: list[str], *more: Any) -> Any:
        asked.append(len(ids))
        return real(session, ids, *more)

    real = month_rows.days_of
    monkeypatch.setattr(month_rows, "days_of", days_of)
    monkeypatch.setattr(month_rows, "BATCH", 1)
    assert len(browser.get(f"/months/days.csv?{MONTH}").data.splitlines()) == 1 + 2 * 31
    assert asked == [1, 1]


def test_a_workbook_that_would_be_too_large(
    browser: Browser, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_export, "MAX_ROWS", 40)
    answer = browser.get(f"/months.xlsx?{MONTH}")
    assert (answer.status_code, "too many for XLSX" in answer.text) == (400, True)


def test_a_long_name_and_a_day_of_many_punches(site: Site, browser: Browser, people: dict[str, str]) -> None:
    with site.sessions.begin() as session:
        session.get_one(Employee, people["E1"]).name = "Grace (" + "W" * 180
    for number in range(40):
        site.punch(people["E1"], at(f"09:{number:02}", date(2026, 10, 6)))
    page = words(browser.get(f"/people/{people['E1']}/month.pdf?{MONTH}").data)[0]
    assert "Grace (WWW" in page
    assert "Page 1 of 1" in page
    assert "In again while in: was an out" in page
