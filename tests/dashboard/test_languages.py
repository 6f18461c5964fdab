"""Which language a page speaks, the switch between them, and what is typed in its place."""

import pytest

from dashboard.people.employees import create_employee
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

EVIL = [
    "//evil.example",
    "https://evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "",
    "/\n/x",
]


def choose(browser: Browser, code: str, target: str = "/login") -> None:
    answer = browser.post("/language", {"language": code, "next": target})
    assert (answer.status_code, answer.location) == (302, target)


def test_a_language_is_chosen_without_logging_in(site: Site) -> None:
    browser = site.browser(log_in=False)
    page = browser.get("/login?next=/people").text
    assert '<html lang="en">' in page
    assert 'lang="id">Bahasa Indonesia</button>' in page
    assert 'name="next" value="/login?next=/people"' in page
    choose(browser, "id", "/login?next=/people")
    page = browser.get("/login?next=/people").text
    assert '<html lang="id">' in page
    assert "<h1>Masuk log</h1>" in page
    assert 'lang="id" aria-current="true">Bahasa Indonesia</button>' in page
    assert 'lang="en">English</button>' in page
    choose(browser, "en")
    assert "<h1>Log in</h1>" in browser.get("/login").text


def test_the_choice_is_kept_for_a_year_in_a_cookie_that_no_script_reads(site: Site) -> None:
    browser = site.browser()
    answer = browser.post("/language", {"language": "id", "next": "/people"})
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("language="))
    for part in ("language=id;", "Max-Age=31536000", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    safe = site.with_settings(secure_cookie=True)
    answer = safe.browser().post("/language", {"language": "id", "next": "/people"})
    assert "Secure" in next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("language="))


@pytest.mark.parametrize(
    ("preferred", "spoken"),
    [
        ("id", "id"),
        ("id-ID,id;q=0.9,en;q=0.8", "id"),
        ("de, id;q=0.5", "id"),
        ("de", "en"),
        ("en-GB, id;q=0.1", "en"),
        ("ID", "id"),
        ("id;q=0", "en"),
        ('"<x>;;q=id', "en"),
    ],
)
def test_without_a_choice_the_browser_says_which(site: Site, preferred: str, spoken: str) -> None:
    page = site.browser(log_in=False).get("/login", headers={"Accept-Language": preferred}).text
    assert f'<html lang="{spoken}">' in page


@pytest.mark.parametrize("value", ["", "de", "ID", "id_ID", "../../etc/passwd", "<script>", "x" * 4000, "%00", "é"])
def test_a_cookie_that_is_no_choice_chooses_nothing(site: Site, value: str) -> None:
    browser = site.browser(log_in=False)
    browser.client.set_cookie("language", value)
    page = browser.get("/login", headers={"Accept-Language": "id"}).text
    assert '<html lang="id">' in page
    assert "passwd" not in page


@pytest.mark.parametrize("target", EVIL)
def test_the_switch_leads_to_this_site_alone(site: Site, target: str) -> None:
    answer = site.browser().post("/language", {"language": "id", "next": target})
    assert (answer.status_code, answer.location) == (302, "/")


@pytest.mark.parametrize("code", ["de", "", "ID", "../id", "x" * 10_000])
def test_a_language_that_is_not_spoken_is_refused(site: Site, code: str) -> None:
    answer = site.browser().post("/language", {"language": code, "next": "/people"})
    assert answer.status_code == 400
    assert f"The language “{code[:40]}” isn’t spoken here" in answer.text
    assert not any(one.startswith("language=") for one in answer.headers.getlist("Set-Cookie"))


def test_another_site_chooses_no_language(site: Site) -> None:
    answer = site.browser().client.post("/language", data={"language": "id", "next": "/people"})
    assert answer.status_code == 400
    assert "out of date or came from another site" in answer.text


def test_somebody_with_a_one_time_password_may_choose(site: Site) -> None:
    browser = site.browser()
    made = browser.post("/accounts/new", {"name": "new", "roles": ["hr"]}).text
    assert 'action="/language"' not in made, "the password is shown this once: nothing here may lead away from it"
    password = made.split('<code class="secret">')[1].split("<")[0]
    other = site.browser(log_in=False)
    assert other.log_in("new", password).location == "/password"
    choose(other, "id", "/password")
    assert "Pilih kata sandi Anda" in other.get("/password").text


def test_a_refused_log_in_keeps_the_switch(site: Site) -> None:
    refused = site.browser(log_in=False).log_in(password="wrong")
    assert refused.status_code == 401
    assert 'name="next" value="/login"' in refused.text


PAGES = {
    "/live": "Siapa di tempat",
    "/attendance": "Catatan kehadiran",
    "/months": "Jam wajib",
    "/people": "Foto wajah",
    "/people/new": "Kios menyapa dengan nama ini.",
    "/people/import": "Judul yang dipahami",
    "/people/departments": "Ganti nama",
    "/people/{person}": "Belum ada persetujuan yang dicatat.",
    "/people/{person}/month": "hari hadir",
    "/people/{person}/leave": "Masukkan cuti",
    "/people/{person}/at-kiosk": "Daftarkan wajah di kios",
    "/corrections": "Tidak ada koreksi",
    "/shifts": "Pola shift baru",
    "/shifts/new": "Nama dan hari pertama",
    "/sites": "Lokasi baru",
    "/sites/0/holidays": "Hari libur semua lokasi",
    "/kiosks": "Tidak ada pemroses yang berjalan",
    "/accounts": "Faktor kedua",
    "/accounts/1": "Atur ulang kata sandi",
    "/audit": "Kepala jejak",
    "/connections": "Kunci baru",
    "/account": "Tempat Anda masuk log",
    "/account/second-factor": "aplikasi autentikator",
    "/nothing": "Kesalahan 404",
}


def test_pages_speak_the_chosen_language(site: Site) -> None:
    with site.sessions.begin() as session:
        person = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
    site.punch(person, 1_795_478_400_000)
    browser = site.browser()
    choose(browser, "id")
    for path, words in PAGES.items():
        page = browser.get(path.format(person=person)).text
        assert '<html lang="id">' in page, path
        assert words in page, path
        assert ">Keluar log</button>" in page, path


def test_numbers_are_written_as_the_language_writes_them(site: Site) -> None:
    site.punch(None, 1_795_478_400_000, status="not_a_punch")
    browser = site.browser()
    assert "4.50" in browser.get("/attendance?kind=all").text
    choose(browser, "id")
    assert "4,50" in browser.get("/attendance?kind=all").text


def test_other_systems_are_answered_in_english(site: Site) -> None:
    browser = site.browser()
    choose(browser, "id")
    page = browser.get("/api/v1/docs").text
    assert '<html lang="en">' in page
    assert 'action="/language"' not in page
