"""What was corrected is seen in the files too: of the log and of the month, as CSV and as XLSX, by whoever may see it."""

import csv
import io
from datetime import datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from dashboard.correcting import added_punches, correction_marks
from dashboard.correcting.corrections import ask, ask_to_add, decide
from dashboard.database import now_ms
from dashboard.models import Employee
from dashboard.people.employees import create_employee
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

HOUR_MS = 3_600_000
EIGHT_MS = 1_763_946_000_000
"""Mon 2025-11-24 08:00 in Jakarta."""
DAY = "from=2025-11-24&to=2025-11-24"


@pytest.fixture
def punches(any_site: Site) -> dict[str, str]:
    """Eileen's: one moved and turned, one voided and that undone, one voided, one asked about, one added. Grace's is plain."""
    with any_site.sessions.begin() as session:
        eileen = create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1).id
        grace = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
        add_user(session, "boss", ["supervisor"], ["Computing"])
    names = ("moved", "undone", "voided", "waiting")
    found = {name: any_site.punch(eileen, EIGHT_MS + n * HOUR_MS) for n, name in enumerate(names)}
    found["plain"] = any_site.punch(grace, EIGHT_MS)
    with any_site.sessions.begin() as session:
        asked: dict[str, Any] = {"by": "eileen", "now_ms": now_ms()}
        done: dict[str, Any] = {"by": "boss", "now_ms": now_ms()}

        def make(note: str = "", **what: Any) -> int:
            number = ask(session, reason="=1+1", **what, **asked).id
            decide(session, number, "approved", note=note, **done)
            return number

        moved = {"event_id": found["moved"], "new_ms": EIGHT_MS - 1_800_000, "new_direction": "out"}
        make(action="change", note="Seen", **moved)
        make(action="void", corrects_id=make(action="void", event_id=found["undone"]))
        make(action="void", event_id=found["voided"])
        ask(session, "void", event_id=found["waiting"], reason="Not me", **asked)
        added = ask_to_add(session, eileen, EIGHT_MS + 9 * HOUR_MS, "out", reason="Forgot", **asked)
        decide(session, added.id, "approved", **done)
        refused = ask_to_add(session, eileen, EIGHT_MS + 8 * HOUR_MS, "out", reason="Never was", **asked)
        decide(session, refused.id, "refused", **done)
        return found | {"added": added.punch_id}


def log_csv(browser: Browser, query: str) -> list[dict[str, str]]:
    text = browser.get(f"/attendance.csv?{query}").data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_logs_files_tell_what_was_corrected(any_site: Site, punches: dict[str, str]) -> None:
    browser = any_site.browser()
    rows = log_csv(browser, DAY)
    assert [row["Time"] for row in rows] == ["17:00:00", "11:00:00", "10:00:00", "09:00:00", "08:00:00", "08:00:00"]
    by_id = {row["Event id"]: row for row in rows}
    added = by_id[punches["added"]]
    assert (added["Result"], added["Direction"], added["Kiosk"]) == ("Added by a correction", "out", "")
    assert (added["Name"], added["Code"], added["Department"]) == ("Eileen Collins", "E-2", "Flight")
    assert (added["Corrected"], added["Distance"]) == ("Added", "")
    moved = by_id[punches["moved"]]
    assert (moved["Time"], moved["Direction"], moved["Result"]) == ("08:00:00", "in", "Recorded"), "as it was recorded"
    assert moved["Corrections"].startswith("Changed to 2025-11-24 07:30:00 out, asked by eileen, approved by boss, ")
    assert moved["Corrections"].endswith(": =1+1 (Seen)")
    told = {name: by_id[punches[name]]["Corrected"] for name in ("moved", "undone", "voided", "waiting", "plain")}
    assert told == {
        "moved": "Changed",
        "undone": "Voided, Taken out again",
        "voided": "Voided",
        "waiting": "Correction asked for",
        "plain": "",
    }
    assert by_id[punches["waiting"]]["Corrections"].startswith("Correction asked for by eileen, ")
    assert by_id[punches["plain"]]["Corrections"] == ""
    assert "Never was" not in str(rows)

    sheet = load_workbook(io.BytesIO(browser.get(f"/attendance.xlsx?{DAY}").data)).active
    assert sheet is not None
    titles, *lines = sheet.iter_rows(values_only=True)
    found = [dict(zip(titles, line, strict=True)) for line in lines]
    assert [(row["Event id"], row["Corrected"] or "", row["Corrections"] or "") for row in found] == [
        (row["Event id"], row["Corrected"], row["Corrections"]) for row in rows
    ]
    assert isinstance(found[0]["Date"], datetime)


def test_added_punches_are_found_by_the_same_filter(
    any_site: Site, punches: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, boss = any_site.browser(), any_site.browser_of("boss")
    assert punches["added"] in {row["Event id"] for row in log_csv(browser, "person=eileen&department=Flight")}
    for query in ("person=grace", "kiosk=front-door", "kind=unrecognised", "to=2025-11-23", "from=2025-11-25"):
        assert punches["added"] not in {row["Event id"] for row in log_csv(browser, query)}, query
    assert [row["Event id"] for row in log_csv(boss, DAY)] == [punches["plain"]]
    monkeypatch.setattr(added_punches, "BATCH", 2)
    with any_site.sessions.begin() as session:
        grace = session.query(Employee).filter_by(code="E-1").one().id
        for n in (1, 1, 1, 2, 2):  # several at one moment, across batches
            row = ask_to_add(session, grace, EIGHT_MS + n * HOUR_MS, "out", reason="r", by="boss", now_ms=now_ms())
            decide(session, row.id, "approved", by="admin", now_ms=now_ms())
    rows = log_csv(boss, DAY)
    assert [row["Time"] for row in rows] == ["10:00:00"] * 2 + ["09:00:00"] * 3 + ["08:00:00"]
    assert len({row["Event id"] for row in rows}) == 6


def test_the_months_files_tell_it_beside_the_day(any_site: Site, punches: dict[str, str]) -> None:
    browser = any_site.browser()
    text = browser.get("/months/days.csv?month=2025-11&department=Flight").data.decode("utf-8-sig")
    days = {row["Date"]: row["Corrections"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    told = days.pop("2025-11-24").split("; ")
    assert [line.split(",")[0] for line in told] == [
        "2025-11-24 08:00:00: Changed to 2025-11-24 07:30:00 out",
        "2025-11-24 09:00:00: Voided",
        "Taken out again",
        "2025-11-24 10:00:00: Voided",
        "2025-11-24 11:00:00: Correction asked for by eileen",
        "2025-11-24 17:00:00: Added",
    ]
    assert set(days.values()) == {""}
    book = load_workbook(io.BytesIO(browser.get("/months.xlsx?month=2025-11&department=Flight").data))
    titles, *lines = book["Days"].iter_rows(values_only=True)
    found = [dict(zip(titles, line, strict=True)) for line in lines]
    assert found[23]["Corrections"] == "; ".join(told)


def test_a_cell_holds_no_more_than_a_spreadsheet_takes() -> None:
    mark = correction_marks.Mark("void", "Voided", False, None, None, "a", "b", EIGHT_MS, "r" * 500, "n" * 500)
    assert len(correction_marks.in_words([mark] * 40, "Asia/Jakarta")) == correction_marks.LONGEST_TEXT
    assert "rr" not in correction_marks.in_words([mark], "Asia/Jakarta", reasons=False)
