"""What HR sets up in the scene of test_hr_day.py before anybody comes: holidays, a shift, people, their faces, leave."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from deploy.demo_scene import ENROLLED, STRANGER, portrait_jpeg
from tests.end_to_end import hr_month
from tests.end_to_end.conftest import upload
from tests.end_to_end.desk import Desk
from tests.end_to_end.hr_month import NAME
from worker.protocol.entries import EnrolRequest
from worker.protocol.outcomes import Outcome

PlayedWorker = Callable[..., list[EnrolRequest]]


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
