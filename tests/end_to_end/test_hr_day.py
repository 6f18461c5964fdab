"""A day in HR's life, in the browser: from an empty database to a month sheet that can be signed.

It reads from top to bottom as the day goes. Every page that somebody comes to is photographed at three widths (album.py).
"""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from dashboard.database import now_ms
from tests.conftest import RedisPair
from tests.dashboard.pdf_words import words
from tests.end_to_end import hr_month, hr_setup
from tests.end_to_end.album import Album
from tests.end_to_end.conftest import PageOpener
from tests.end_to_end.desk import Desk
from tests.end_to_end.hr_month import AFTER, BEFORE, CODE, COLLEAGUE, MONTH, MONTH_WORDS, NAME, TOTALS
from tests.end_to_end.hr_setup import PlayedWorker
from tests.end_to_end.office import Office, open_office
from tests.end_to_end.processes import wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.timeout(300)]
pytest_plugins = ["tests.dashboard.pages"]


def test_from_an_empty_database_to_a_signed_month_sheet(
    redis_pair: RedisPair, worker: PlayedWorker, open_page: PageOpener, tmp_path: Path
) -> None:
    album = Album("hr-day")
    with open_office(tmp_path / "home", redis_pair) as office:

        def desk(name: str, one_time: str) -> Desk:
            somebody = Desk(open_page(office.url), album)
            somebody.first_log_in(name, one_time)
            return somebody

        album.add(open_page(office.url), "log-in")
        admin = desk("admin", office.one_time_password)
        admin.arrived("Live")
        admin.shoot("empty-live-board")
        one_time = new_account(admin, "hr", "HR")
        new_account(admin, "hr-deputy", "HR")
        new_site(admin)

        hr = desk("hr", one_time)
        hr_setup.holidays(hr)
        hr_setup.shift_pattern(hr)
        hr_setup.people_from_a_table(hr)
        hr_setup.assign(hr)
        hr_setup.consent_and_enrolment(hr, worker)
        hr_setup.the_others_from_a_folder(hr, tmp_path / "photographs")
        hr_setup.leave(hr)
        of_employee = new_account(hr, "eileen", "Employee", person=CODE)
        of_supervisor = new_account(hr, "flight-lead", "Supervisor", department="Flight")

        hr.go("Administration")
        hr.shoot("accounts")

        office.punch(hr_month.moments())
        arrivals(hr, office)
        log(hr)
        month_before(hr)

        eileen, lead = desk("eileen", of_employee), desk("flight-lead", of_supervisor)
        ask_for_the_forgotten_out(eileen)
        approve(lead)
        eileen.go("My records", "My corrections")
        expect(eileen.page.get_by_role("row", name="17:00:00")).to_contain_text("Approved")
        eileen.shoot("my-corrections-decided")

        who_is_in(hr)
        month_after(hr)
        files(hr)
        trail(hr, office)
    assert album.troubles == []


# --- the administrator -----------------------------------------------------------------------------------------------


def new_account(desk: Desk, name: str, role: str, person: str = "", department: str = "") -> str:
    """Its one-time password."""
    desk.go("Administration")
    desk.page.get_by_role("link", name="New account").click()
    desk.fill(Name=name, Code_of_the_person=person)
    for choice in filter(None, (role, department)):
        desk.page.get_by_label(choice, exact=True).check()
    desk.shoot(f"new-account-of-{role.lower()}")
    desk.press("Create")
    desk.arrived(f"One-time password of {name}")
    desk.shoot("one-time-password")
    password = desk.page.locator("code.secret").inner_text()
    desk.page.get_by_role("link", name="Done").click()
    desk.arrived(name)
    desk.shoot("account")
    return password


def new_site(admin: Desk) -> None:
    admin.go("Rules", "Sites and holidays")
    admin.arrived("Sites")
    admin.fill(Name="Jakarta", Time_zone="Asia/Jakarta", Country="id")
    admin.press("Save")
    admin.told("Jakarta: saved.")
    admin.shoot("sites")
    admin.go("Kiosks")
    admin.page.get_by_label("Label of front-door").fill("Front door")
    admin.page.get_by_label("Site of front-door").select_option("Jakarta")
    admin.press("Save")
    admin.told("Front door: saved.")
    admin.shoot("kiosks")


# --- the door --------------------------------------------------------------------------------------------------------


def arrivals(hr: Desk, office: Office) -> None:
    """Two come while HR looks at the board."""
    hr.go("Live")
    expect(hr.page.locator("#connection")).to_have_text("Live")
    for code, name in ((CODE, NAME), (hr_month.COLLEAGUE_CODE, COLLEAGUE)):
        office.punch([(now_ms(), code)])
        newest = hr.page.locator("#board .arrival").first
        expect(newest.locator("[data-part=who]")).to_have_text(name)
        # the day stands behind it as long as the office, which is on UTC, has another one than Jakarta
        expect(newest.locator("[data-part=where]")).to_contain_text("Flight · Front door")
        expect(newest.locator("[data-part=result]")).to_have_text("In")


def who_is_in(hr: Desk) -> None:
    """The board's numbers may be as old as the server keeps them, fifteen seconds. A closed board is noticed within five, and
    only so many may be open, so it isn't reloaded as fast as can be."""
    hr.go("Live")
    hr.arrived("Live")
    in_now = hr.page.locator("#who dt", has_text="In now").locator("+ dd")

    def both_are_in() -> bool:
        hr.page.wait_for_timeout(1500)
        hr.page.reload()
        return in_now.inner_text() == "2"

    wait_for(both_are_in, 30, "both are in")
    hr.page.get_by_text("By site and department", exact=True).click()
    expect(hr.page.get_by_role("row", name="Flight Jakarta 2")).to_be_visible()
    hr.shoot("live-board")


def log(hr: Desk) -> None:
    hr.go("Attendance")
    hr.fill(Person=CODE.lower(), From="2025-12-01", To="2025-12-31", Show="Everything")
    hr.page.get_by_label("To", exact=True).press("Enter")
    expect(hr.page.locator(".pager").first).to_contain_text("34 records")
    expect(hr.page.get_by_role("row", name="07:58:40")).to_contain_text("Repeated")
    night = hr.page.get_by_role("row", name="01:30:00")
    expect(night).to_contain_text("Sat 6 Dec 2025")
    expect(night).to_contain_text("Out")
    hr.shoot("log")


# --- the month -------------------------------------------------------------------------------------------------------


def month_before(hr: Desk) -> None:
    show_month(hr)
    assert figures(hr, NAME) == BEFORE | {"To look at": "1 punch missing"}
    assert figures(hr, COLLEAGUE)["Worked"] == "40:00"
    hr.shoot("months-before")
    hr.page.get_by_role("link", name=NAME).click()
    expect(hr.page.get_by_role("row", name="Tue 9")).to_contain_text("Out missing")
    expect(hr.page.get_by_role("row", name=re.compile(r"^Tue 2\b"))).to_contain_text("Late 0:25")
    expect(hr.page.get_by_role("row", name="Fri 5")).to_contain_text("01:30+1 out")
    expect(hr.page.get_by_role("row", name="Fri 5")).to_contain_text("4:30 of overtime over the day’s limit")
    hr.shoot("month-of-one-before")


def show_month(hr: Desk) -> None:
    hr.go("Months")
    hr.fill(Month=MONTH, Department="Flight")
    hr.press("Show")
    hr.arrived(MONTH_WORDS)


def figures(desk: Desk, name: str) -> dict[str, str]:
    """Of somebody's row of the months."""
    row = desk.page.get_by_role("row", name=name)
    titles = (*BEFORE, "To look at")
    found = {title: row.locator(f"td[data-label='{title}']").inner_text().strip() for title in titles}
    return {title: text for title, text in found.items() if text}


def ask_for_the_forgotten_out(eileen: Desk) -> None:
    eileen.arrived("My records")
    eileen.fill(Month=MONTH)
    eileen.press("Show")
    days = eileen.page.get_by_role("region", name="Days")
    expect(days.get_by_role("row", name="Tue 9")).to_contain_text("Out missing")
    eileen.shoot("my-records")
    eileen.page.get_by_role("link", name="Add a punch on 2025-12-09").click()
    expect(eileen.page.get_by_label("Day", exact=True)).to_have_value("2025-12-09")
    eileen.fill(Time="17:00", In_or_out="Out", Reason="Forgot to stop at the door; the guard saw me leave.")
    eileen.shoot("ask-for-a-correction")
    eileen.press("Ask for it")
    eileen.told("It is asked for, and counts once somebody else has approved it.")
    eileen.shoot("my-corrections")


def approve(lead: Desk) -> None:
    """With the day before and after in view; the button is reached by the keyboard."""
    lead.go("Months", "Corrections")
    request = lead.page.get_by_role("region", name=NAME)
    expect(request).to_contain_text("the guard saw me leave")
    for row, worked, state in (("Tue 9 is", "0:00", "Out missing"), ("Tue 9 would be", "8:00", "Present")):
        day = request.get_by_role("row", name=row)
        expect(day.locator("td[data-label=Worked]")).to_have_text(worked)
        expect(day.locator("td[data-label=State]")).to_contain_text(state)
    lead.shoot("correction-to-decide")
    request.get_by_label("Words about the decision").press("Tab")
    lead.page.keyboard.press("Tab")
    expect(request.get_by_role("button", name="Approve")).to_be_focused()
    lead.page.keyboard.press("Enter")
    lead.told("The correction is approved.")
    lead.shoot("correction-decided")


def month_after(hr: Desk) -> None:
    show_month(hr)
    assert figures(hr, NAME) == AFTER
    hr.shoot("months-after")


def files(hr: Desk) -> None:
    """All say the same; the sheet is what gets signed."""
    name, content = hr.download("Totals as CSV")
    assert name == "month_2025-12_totals.csv"
    rows = {row["Code"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))}
    assert {title: rows[CODE][title] for title in TOTALS} == TOTALS
    _, content = hr.download("Days as CSV")
    days = [row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row["Code"] == CODE]
    assert len(days) == 31
    assert (days[8]["In"], days[8]["Out"], days[8]["Worked"]) == ("2025-12-09 08:00", "2025-12-09 17:00", "8:00")
    assert days[24]["State"] == "Holiday"

    name, content = hr.download("XLSX")
    titles, *lines = load_workbook(io.BytesIO(content))["Totals"].iter_rows(values_only=True)
    line = next(dict(zip(titles, line, strict=True)) for line in lines if line[0] == CODE)
    assert (name, line["Worked"]) == ("month_2025-12.xlsx", timedelta(hours=143, minutes=5))

    assert len(words(hr.download("Sheets to sign (PDF)")[1])) == 4  # the department's people
    hr.page.get_by_role("link", name=NAME).click()
    hr.arrived(MONTH_WORDS)
    hr.shoot("month-of-one-after")
    name, content = hr.download("Sheet to sign (PDF)")
    (hr.album.folder / name).write_bytes(content)
    assert name == "month_2025-12_E-1001.pdf"
    (sheet,) = words(content)
    for text in (f"Month sheet, {MONTH_WORDS}", NAME, CODE, "Flight", "Jakarta", *AFTER.values()):
        assert text in sheet
    for text in ("17 days present, 0 days absent", "overtime 1:00 at 150 %, 7:30 at 200 %", "A punch was corrected"):
        assert text in sheet
    assert "signature" in sheet


# --- the auditor's question ------------------------------------------------------------------------------------------

TOLD = {
    *("login", "password.changed", "account.created", "site.created", "kiosk.changed", "holiday.added"),
    *("shift.created", "people.imported", "person.created", "shift.assigned", "person.consent_given", "picture.added"),
    *("leave.entered", "correction.asked", "correction.approved", "export.month"),
}


def trail(hr: Desk, office: Office) -> None:
    hr.go("Administration", "Audit trail")
    hr.arrived("Audit trail")
    expect(hr.page.get_by_role("row", name="Correction of a punch approved")).to_contain_text("flight-lead")
    hr.shoot("audit-trail")
    head = hr.page.get_by_text("Head of the trail").locator("code").first.inner_text()
    _, content = hr.download("Export as CSV")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert {row["Action"] for row in rows} >= TOLD
    assert [row["Account or key"] for row in rows if row["Action"] == "correction.asked"] == ["eileen"]
    code, found = office.audit("--expect", head)
    assert (code, found["whole"], found["broken_row"]) == (0, True, None)
    assert found["rows"] == len(rows)
