"""A day in HR's life, in the browser: from an empty database to a month sheet that can be signed.

It reads from top to bottom as the day goes. Every page that somebody comes to is photographed at three widths (album.py).
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from dashboard.database import now_ms
from deploy.demo_scene import ENROLLED, STRANGER, portrait_jpeg
from tests.conftest import RedisPair
from tests.dashboard.pdf_words import words
from tests.end_to_end import hr_month
from tests.end_to_end.album import Album
from tests.end_to_end.conftest import PageOpener, upload
from tests.end_to_end.desk import Desk
from tests.end_to_end.hr_month import AFTER, BEFORE, CODE, COLLEAGUE, MONTH, MONTH_WORDS, NAME, TOTALS
from tests.end_to_end.office import Office, open_office
from tests.end_to_end.processes import wait_for
from worker.protocol.entries import EnrolRequest
from worker.protocol.outcomes import Outcome

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.timeout(300)]
pytest_plugins = ["tests.dashboard.pages"]
PlayedWorker = Callable[..., list[EnrolRequest]]


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
        holidays(hr)
        shift_pattern(hr)
        people_from_a_table(hr)
        assign(hr)
        consent_and_enrolment(hr, worker)
        the_others_from_a_folder(hr, tmp_path / "photographs")
        leave(hr)
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


# --- HR sets up ------------------------------------------------------------------------------------------------------


def holidays(hr: Desk) -> None:
    """Of the country that the site names; the month that is to be signed is of last year."""
    hr.go("Rules", "Sites and holidays")
    hr.page.get_by_role("link", name="Holidays of Jakarta").click()
    hr.page.wait_for_url("**/holidays")
    for year in range(int(hr.page.locator("h1").inner_text()[-4:]) - 1, 2024, -1):
        hr.page.get_by_role("link", name=str(year)).click()
        hr.arrived(f"Holidays of Jakarta, {year}")
    hr.shoot("holidays")
    hr.press("Preview 2025")
    expect(hr.page.get_by_label("2025-12-25")).to_be_checked()
    hr.shoot("holidays-preview")
    hr.press("Import those ticked")
    hr.told("entered.")
    expect(hr.page.get_by_role("row", name="2025-12-25")).to_be_visible()
    hr.shoot("holidays-imported")


def shift_pattern(hr: Desk) -> None:
    hr.go("Rules")
    hr.shoot("no-shifts")
    hr.page.get_by_role("link", name="New shift pattern").first.click()
    hr.fill(
        Name="Office", Valid_from="2025-12-01", Grace_at_the_start="10"
    )  # 08:00 to 17:00 from Monday to Friday is offered
    hr.page.get_by_text(re.compile("^In and out, double punches")).click()
    hr.fill(In_and_out="In and out in turn")
    hr.page.get_by_text(re.compile("^Overtime")).first.click()
    hr.fill(Overtime="Indonesia, five-day week (PP 35/2021)")
    hr.press("Preview", hr.page.get_by_role("complementary", name="What these rules make of a day"))
    hr.shoot("shift-preview")
    hr.shoot("shift-pattern")
    hr.press("Save")
    hr.told("Office: saved. It counts from 2025-12-01 on.")


def people_from_a_table(hr: Desk) -> None:
    """The first try has somebody twice; the second is right."""
    hr.go("People")
    hr.shoot("nobody-entered")
    for last_code, name in (("E-1009", "dry-run-with-a-bad-row"), ("E-1010", "dry-run")):
        hr.go("People")
        hr.page.get_by_role("link", name=re.compile("Import")).first.click()
        hr.shoot("import")
        content = {"name": "karyawan.csv", "mimeType": "text/csv", "buffer": hr_month.table(last_code)}
        hr.page.get_by_label("Table").set_input_files(content)  # type: ignore[arg-type]
        hr.press("Look at it first")
        hr.arrived("What this file would do")
        hr.shoot(name)
        if last_code == "E-1009":
            row = hr.page.get_by_role("row", name="Łukasz Żółć")
            expect(row).to_contain_text("row 10 has the same code; keep one of them")
            expect(hr.page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
    hr.press("Import: 10 new, 0 changed")
    hr.told("Imported: 10 new people, 0 changed.")
    hr.shoot("people")


def assign(hr: Desk) -> None:
    hr.go("Rules")
    for department in ("Flight", "Office"):
        hr.fill(Department=department, Shift_pattern="Office", Site="Jakarta", From="2025-12-01")
        hr.press("Assign")
        hr.told(f"{department}: assigned from 2025-12-01 on.")
    hr.shoot("shifts")


def consent_and_enrolment(hr: Desk, worker: PlayedWorker) -> None:
    seen = worker(Outcome.ENROLLED)
    hr.go("People")
    hr.page.get_by_role("link", name=NAME).click()
    hr.shoot("person-without-consent")
    hr.press("The person has agreed")
    hr.told("The consent is recorded. Now add face pictures.")
    said = upload(hr.page, ("eileen.jpg", "image/jpeg", portrait_jpeg(ENROLLED)))
    assert said == [("Stored", "Enrolled: the face is clear.")]
    assert len(seen) == 1
    expect(hr.page.locator("#stored img")).to_have_count(1)
    hr.shoot("person-enrolled")


def the_others_from_a_folder(hr: Desk, folder: Path) -> None:
    """Photographs that HR has of those who agreed; what the photographer left in the folder stays out."""
    for code, name, _ in hr_month.PEOPLE[1:]:
        (folder / f"{code}_{name.replace(' ', '_')}").mkdir(parents=True)
        (folder / f"{code}_{name.replace(' ', '_')}" / "1.jpg").write_bytes(portrait_jpeg(STRANGER))
    (folder / "price list.txt").write_text("10 portraits")
    hr.go("People")
    hr.page.get_by_role("link", name="Enrol from a folder").click()
    hr.arrived("Enrol from a folder")
    hr.page.get_by_label("Folder", exact=True).set_input_files(folder)
    expect(hr.page.get_by_role("heading", name="What would become of them")).to_be_focused()
    hr.shoot("folder-dry-run")
    hr.press("Enrol (9)")
    expect(hr.page.locator("#told")).to_have_text("Done: 9 enrolled, 0 left to do.")
    hr.shoot("folder-enrolled")
    hr.go("People")
    hr.page.get_by_role("link", name=NAME).click()


def leave(hr: Desk) -> None:
    hr.page.get_by_role("link", name="Leave", exact=True).click()
    hr.arrived("Leave")
    hr.fill(First_day="2025-12-15", Last_day="2025-12-19", Kind="Annual leave", Note="Family in Surabaya")
    hr.press("Enter leave")
    hr.told("Leave is entered.")
    hr.shoot("leave")


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
