"""Words of Python, dates, numbers, weeks and files in a page's language; files and answers for machines stay English."""

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest
from flask_babel import force_locale, gettext
from openpyxl import load_workbook

from dashboard.days.policy import weekly
from dashboard.days.shifts import Shift
from dashboard.months import asked_month, day_words, month_rows, person_month
from dashboard.people import people_export, people_import
from dashboard.people.employees import EmployeeError, clean, create_employee
from dashboard.planning import pattern_form
from dashboard.planning.pattern_form import fields_of
from dashboard.tables import table_reader
from dashboard.web import locales, words
from dashboard.web.errors import TITLES, WORDS
from dashboard.web.forms import Form
from dashboard.web.script_words import OF_SCRIPTS, script_words
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

INDONESIAN = {"Accept-Language": "id"}
NOON_MS = 1_795_413_600_000
"""2026-11-23, a Monday, 13:00 in Jakarta."""


Speak = Callable[[str], AbstractContextManager[object]]


@pytest.fixture
def speak(site: Site) -> Speak:
    """`with speak(code):` is a request in that language."""
    return lambda code: site.app.test_request_context("/people", headers={"Accept-Language": code})


def test_dates_numbers_and_weeks_go_by_the_language(speak: Speak) -> None:
    with speak("en"):
        assert words.date_words(NOON_MS) == "Mon 23 Nov 2026"
        assert locales.number_words(12_345) == "12,345"
        assert locales.number_words(1.25, 1) == "1.2"
        assert asked_month.of(date(2026, 5, 9)).words == "May 2026"
        assert locales.weekdays()[0] == ("Monday", "Mon")
    with speak("id"):
        assert words.date_words(NOON_MS) == "Sen 23 Nov 2026"
        assert locales.day_of_year(date(2026, 8, 17)) == "Sen 17 Agu 2026"
        assert locales.number_words(12_345) == "12.345"
        assert locales.number_words(1.25, 1) == "1,2"
        assert asked_month.of(date(2026, 5, 9)).words == "Mei 2026"
        assert day_words.day_name(date(2026, 11, 27)) == "Jum 27"
        assert locales.weekdays()[0] == ("Minggu", "Min")
        assert words.time_words(NOON_MS) == "13:00:00"


def test_the_weeks_of_a_calendar_begin_on_the_languages_day(speak: Speak) -> None:
    with speak("en"):
        monday = person_month.weeks_of(date(2026, 11, 1), [])
    with speak("id"):
        sunday = person_month.weeks_of(date(2026, 11, 1), [])
    assert [day and day.date.day for day in monday[0]] == [None] * 6 + [1]
    assert [day and day.date.day for day in sunday[0]] == [1, 2, 3, 4, 5, 6, 7]


def test_outside_of_a_request_everything_is_english(site: Site) -> None:
    assert words.result_words("recorded", "") == "Recorded"
    assert words.date_words(NOON_MS, "Asia/Jakarta") == "Mon 23 Nov 2026"
    assert locales.number_words(12_345) == "12,345"
    with pytest.raises(EmployeeError, match=r"^name: must not be empty$"):
        clean("name", " ", 10, required=True)
    with site.app.app_context():  # a command's, say
        assert gettext("Recorded") == "Recorded"


def test_a_form_says_what_is_wrong_in_the_pages_language(speak: Speak) -> None:
    typed = {**fields_of(weekly(Shift(8 * 60, 17 * 60))), "reading": "x", "shift_0_kind": "flexible"}
    for language, required, reading in (
        (
            "en",
            "Shift A, minutes to work: is missing; a flexible shift needs them",
            "In and out “x”: choose one of kiosk",
        ),
        (
            "id",
            "Shift A, menit kerja: belum diisi; wajib untuk shift fleksibel",
            "Masuk dan keluar “x”: pilih salah satu dari kiosk",
        ),
    ):
        with speak(language):
            form = Form(typed)
            pattern_form.read_pattern(form)
        assert form.problems["shift_0_required"] == required
        assert form.problems["reading"].startswith(reading)


def test_pages_errors_and_menus(site: Site, browser: Browser) -> None:
    page = browser.get("/people?sort=x", headers=INDONESIAN)
    assert "sort “x”: tidak dikenal; gunakan salah satu dari name, code, department, created." in page.text
    assert ">Kehadiran</a>" in page.text
    assert browser.get("/nowhere", headers=INDONESIAN).status_code == 404
    assert "Tidak ada apa pun di alamat ini." in browser.get("/nowhere", headers=INDONESIAN).text
    asked = browser.get("/nowhere", headers={**INDONESIAN, "Accept": "application/json"})
    assert asked.json == {
        "error": "Tidak ada apa pun di alamat ini. Mungkin sudah dihapus, atau tautannya salah ketik."
    }
    answer = browser.post("/people/new", {"code": "E1", "name": "Ada Lovelace", "department": ""}, headers=INDONESIAN)
    said = browser.get(answer.location, headers=INDONESIAN).text
    assert "Ada Lovelace dimasukkan." in said


def test_every_error_has_words_in_both_languages(speak: Speak) -> None:
    for table in (TITLES, WORDS):
        english = {code: str(said) for code, said in table.items()}
        with speak("id"):
            assert not [code for code, said in table.items() if str(said) == english[code]]


def test_the_api_and_the_trail_stay_english(site: Site, browser: Browser) -> None:
    answer = site.app.test_client().get("/api/v1/employees", headers=INDONESIAN)
    assert answer.json["title"] == "A valid API key is needed"
    browser.post("/people/new", {"code": "E1", "name": "Ada", "department": ""}, headers=INDONESIAN)
    assert "Orang dimasukkan" in browser.get("/audit", headers=INDONESIAN).text
    rows = browser.get("/audit.csv", headers=INDONESIAN).text
    assert "person.created" in rows
    assert "Account or key" in rows


def test_workbooks_speak_the_language_and_csv_english(site: Site, browser: Browser, tmp_path: Path) -> None:
    with site.sessions.begin() as session:
        create_employee(session, "E1", "Ada", "Quality", now_ms=NOON_MS)
    book = browser.get("/people.xlsx", headers=INDONESIAN).data
    sheet = load_workbook(io.BytesIO(book)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:6] == ("Kode", "Nama", "Departemen", "Persetujuan", "Persetujuan sejak", "Status")
    assert rows[1][:6] == ("E1", "Ada", "Quality", "tidak", None, "aktif")
    titles, *found = csv.reader(io.StringIO(browser.get("/people.csv", headers=INDONESIAN).data.decode("utf-8-sig")))
    assert titles == [title for title, _ in people_export.COLUMNS]
    assert found[0][3:6] == ["no", "", "active"]
    file = tmp_path / "back"
    file.write_bytes(book)
    with site.sessions.begin() as session:  # what was exported in Indonesian is read again
        plan = people_import.plan(session, table_reader.read(file))
    assert [row.kind for row in plan.rows] == ["unchanged"]


def test_a_months_files_speak_the_language(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        create_employee(session, "E1", "Ada", "Quality", now_ms=NOON_MS)
    book = load_workbook(io.BytesIO(browser.get("/months.xlsx?month=2026-10", headers=INDONESIAN).data))
    assert book.sheetnames == ["Jumlah", "Hari"]
    states = {row[4] for row in book["Hari"].iter_rows(min_row=2, values_only=True)}
    assert states == {"Tanpa pola shift"}
    assert b"/Lang (id)" in browser.get("/months.pdf?month=2026-10", headers=INDONESIAN).data
    lines = browser.get("/months/days.csv?month=2026-10", headers=INDONESIAN).data.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Code,Name,Department,Date,State")
    assert "No shift pattern" in lines[1]


@pytest.mark.parametrize("code", ["en", "id"])
def test_the_columns_of_a_table_differ(speak: Speak, code: str) -> None:
    """A workbook's table can't have two of one name."""
    with speak(code):
        for columns in (month_rows.TOTALS, month_rows.DAYS, people_export.COLUMNS):
            titles = [str(title) for title, _ in columns]
            assert len(set(titles)) == len(titles)


def test_scripts_find_all_their_words(site: Site, speak: Speak) -> None:
    folder = str(site.app.static_folder)
    sources = {
        "live.js": ["live.js"],
        "enrol.js": ["enrol.js", "guided.js", "verdicts.js", "camera.js"],
        "kiosk_enrol.js": ["kiosk_enrol.js"],
        "folder.js": ["folder.js", "folder_table.js"],
    }
    assert sources.keys() == OF_SCRIPTS.keys()
    with speak("id"):
        for script, files in sources.items():
            texts = [Path(folder, name).read_text() for name in files]
            asked = {
                name
                for text in texts
                for alias in re.findall(r'import \{[^}]*\bwords(?: as (\w+))?[^}]*\} from "./words.js"', text)
                for name in re.findall(rf"(?<!/)\b{alias or 'words'}\.([a-z_]+)\b", text)
            }
            for text in texts:  # a table asks for a word by what a row is: said[row.kind]
                for names in re.findall(r"const (?:KINDS|VIEWS) = \[([^\]]*)\]", text):
                    asked.update(re.findall(r'"(\w+)"', names))
            known = script_words(script)
            assert asked == {name for name in known if not name.endswith("Error")}, script
            assert all(type(said) is str for said in known.values())


def test_a_page_hands_its_words_to_its_script(browser: Browser) -> None:
    assert "Koneksi terputus, mencoba lagi" in browser.get("/live", headers=INDONESIAN).text
    assert 'data-words=\'{"interrupted": "Live news is interrupted' in browser.get("/live").text


def test_a_table_of_words_speaks_the_language_of_each_request(site: Site) -> None:
    with site.app.test_request_context("/people"):
        with force_locale("id"):
            assert words.result_words("recorded", "") == "Dicatat"
        assert words.result_words("recorded", "") == "Recorded"
