"""Enrolling from a folder in the browser: the dry run of every case, and one person's pictures after another's."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from dashboard.database import reading
from dashboard.enrolling import folder_pages, folder_people
from dashboard.models import AuditEntry, Base, Employee, EnrolmentPicture
from dashboard.people.employees import create_employee, deactivate
from tests.dashboard.site import Browser, Site, add_user
from worker.protocol.entries import EnrolRequest
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]
Worker = Callable[..., list[EnrolRequest]]
JSON = {"Accept": "application/json"}
LOOK, PERSON = "/people/from-folder/look", "/people/from-folder/person"


def picture(colour: int = 90, name: str = "1.jpg") -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (colour, 40, 40)).save(file, "JPEG")
    return io.BytesIO(file.getvalue()), name


def add(site: Site, code: str, name: str = "Ann Lee", consent: bool = True, pictures: int = 0) -> str:
    with site.sessions.begin() as session:
        person = create_employee(session, code, name, consent_by="hr" if consent else None, now_ms=1).id
        for number in range(pictures):
            one = EnrolmentPicture(employee_id=person, sha256=f"{number:064x}", jpeg=b"x", created_ms=1)
            session.add(one)
        return person


def look(browser: Browser, *paths: str) -> Any:
    headers = {**JSON, "X-CSRFToken": browser.token()}
    return browser.client.post(LOOK, json={"paths": paths}, headers=headers)


def send(browser: Browser, code: str, *files: Any, **form: str) -> Any:
    data = {"code": code, "name": "Ann Lee", "pictures": list(files or [picture()]), **form}
    return browser.post(PERSON, data, headers=JSON)


def rows(site: Site) -> dict[str, int]:
    """How many there are in each table that enrolling could write to."""
    with reading(site.sessions) as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name != "login_sessions"
        }


def actions(site: Site, employee_id: str) -> list[str]:
    with reading(site.sessions) as session:
        of_them = select(AuditEntry.action).where(AuditEntry.subject_id == employee_id)
        return list(session.scalars(of_them.order_by(AuditEntry.id)))


# --- the dry run -------------------------------------------------------------------------------------------------------


def test_the_dry_run_says_everything_and_changes_nothing(any_site: Site) -> None:
    browser = any_site.browser()
    ready, enrolled = add(any_site, "A1"), add(any_site, "A2", pictures=1)
    lacking, gone = add(any_site, "A3", consent=False), add(any_site, "A4")
    add(any_site, "B5")
    with any_site.sessions.begin() as session:
        deactivate(session, gone, 5)
    paths = ["A1_Ann_Lee/1.jpg", "A1_Ann_Lee/2.jpg", "A2_Ann_Lee.jpg", "A3.jpg", "A4.jpg", "N1_Budi/1.jpg"]
    before = rows(any_site)
    answer = look(browser, *paths, "b5.jpg", "erased-7.jpg", "notes.txt").json
    assert rows(any_site) == before
    found = {one["code"]: one for one in answer["people"]}
    assert {code: one["kind"] for code, one in found.items()} == {
        "A1": "ready",
        "A2": "has_pictures",
        "A3": "no_consent",
        "A4": "deactivated",
        "N1": "new",
        "b5": "refused",
        "erased-7": "refused",
    }
    assert found["A1"]["pictures"] == [0, 1]
    assert found["A1"]["words"] == ""
    assert {found[code]["page"] for code in ("A1", "A2", "A3")} == {
        f"/people/{one}" for one in (ready, enrolled, lacking)
    }
    assert (found["N1"]["page"], found["N1"]["name"]) == (None, "Budi")
    assert "Record the consent first" in found["A3"]["words"]
    assert "Reactivate them first" in found["A4"]["words"]
    assert "entered as B5" in found["b5"]["words"]
    assert "kept for people who were erased" in found["erased-7"]["words"]
    assert [item["path"] for item in answer["left_out"]] == ["notes.txt"]
    assert answer["problem"] == ""


def test_another_name_in_the_folder_is_pointed_at(site: Site, browser: Browser) -> None:
    add(site, "A1", "Añn Lee")
    assert look(browser, "A1_ann_lee.jpg").json["people"][0]["words"] == ""
    [row] = look(browser, "A1_Bob.jpg").json["people"]
    assert (row["kind"], row["name"], row["folder_name"]) == ("ready", "Añn Lee", "Bob")
    assert "The folder calls them “Bob”" in row["words"]


def test_nobody_in_the_folder_says_what_is_needed(browser: Browser) -> None:
    answer = look(browser, "holiday in bali.jpg").json
    assert (answer["people"], len(answer["left_out"])) == ([], 1)
    assert answer["problem"].startswith("Nobody to enrol; it needs a folder per person")


def test_a_large_folder_is_answered_in_one_go(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_people, "CHUNK", 300)
    for number in (0, 299, 300, 1_999):
        add(site, f"E{number}")
    answer = look(browser, *(f"E{n // 5}_Somebody_Of_A_Large_Site/{n % 5}.jpg" for n in range(10_000))).json
    assert len(answer["people"]) == 2_000
    assert {one["code"] for one in answer["people"] if one["kind"] == "ready"} == {"E0", "E299", "E300", "E1999"}


def test_what_is_no_list_of_names_is_refused(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {**JSON, "X-CSRFToken": browser.token()}
    for body in ("", "[]", "{", '{"paths": 1}', '{"paths": [1]}', '{"paths": {"a": 1}}'):
        answer = browser.client.post(LOOK, data=body, content_type="application/json", headers=headers)
        assert (answer.status_code, "list of the files" in answer.json["error"]) == (400, True)
    monkeypatch.setattr(folder_pages, "MOST_NAMES", 2)
    answer = look(browser, "a", "b", "c")
    assert (answer.status_code, "holds 3 files, at most 2" in answer.json["error"]) == (422, True)


@pytest.mark.parametrize(
    "path", ["../A1_x.jpg", "A1\x00/1.jpg", "A1_\x1b[0m.jpg", "\ud800/1.jpg", "x" * 9_000 + "/1.jpg"]
)
def test_hostile_names_are_left_out(any_site: Site, path: str) -> None:
    answer = look(any_site.browser(), "A1.jpg", path)
    assert [one["code"] for one in answer.json["people"]] == ["A1"]
    assert all(len(item["path"]) <= 300 for item in answer.json["left_out"])


# --- one person --------------------------------------------------------------------------------------------------------


def test_a_known_persons_pictures_go_the_way_of_an_upload(site: Site, browser: Browser, worker: Worker) -> None:
    seen, person = worker(Outcome.ENROLLED, Outcome.BLURRED), add(site, "A1")
    answer = send(browser, "A1", picture(10), picture(20, "2.jpg"), (io.BytesIO(b"no picture"), "3.jpg")).json
    assert answer["kind"] == "enrolled"
    assert answer["page"] == f"/people/{person}"
    assert answer["words"][0] == "1 of 3 pictures are stored."
    assert [line.split(":")[0] for line in answer["words"][1:]] == ["2.jpg", "3.jpg"]
    assert "blurred" in answer["words"][1]
    assert "not a picture that can be read" in answer["words"][2]
    assert [request.employee_id for request in seen] == [person] * 2
    assert actions(site, person) == ["picture.added"]
    with reading(site.sessions) as session:
        assert session.scalars(select(EnrolmentPicture.created_by)).one() == "admin"


def test_whoever_has_pictures_by_now_is_passed_over(site: Site, browser: Browser, worker: Worker) -> None:
    seen, person = worker(Outcome.ENROLLED), add(site, "A1")
    assert send(browser, "A1").json["kind"] == "enrolled"
    assert send(browser, "A1").json == {"kind": "has_pictures", "words": [], "page": f"/people/{person}"}
    assert len(seen) == 1


def test_somebody_new_is_entered_with_their_consent_only(site: Site, browser: Browser, worker: Worker) -> None:
    seen, before = worker(Outcome.ENROLLED), rows(site)
    answer = send(browser, "N1").json
    assert (answer["kind"], "no stored consent" in answer["words"][0]) == ("not_enrolled", True)
    assert (rows(site), seen) == (before, [])
    assert send(browser, "N1", agreed="1").json["kind"] == "enrolled"
    with reading(site.sessions) as session:
        person = session.scalars(select(Employee)).one()
    assert (person.code, person.name, person.consent_by) == ("N1", "Ann Lee", "admin")
    assert actions(site, person.id) == ["person.created", "person.consent_given", "picture.added"]


def test_agreed_gives_no_consent_to_those_who_are_entered(site: Site, browser: Browser, worker: Worker) -> None:
    seen, person = worker(Outcome.ENROLLED), add(site, "A1", consent=False)
    answer = send(browser, "A1", picture(1), picture(2), agreed="1").json
    assert (answer["kind"], len(answer["words"]), answer["page"]) == ("not_enrolled", 1, f"/people/{person}")
    assert "no stored consent" in answer["words"][0]
    assert (seen, actions(site, person)) == ([], [])


def test_deactivated_meanwhile(site: Site, browser: Browser, worker: Worker) -> None:
    seen, person = worker(Outcome.ENROLLED), add(site, "A1")
    assert look(browser, "A1.jpg").json["people"][0]["kind"] == "ready"
    with site.sessions.begin() as session:
        deactivate(session, person, 5)
    answer = send(browser, "A1").json
    assert (answer["kind"], "deactivated" in answer["words"][0], seen) == ("not_enrolled", True, [])


def test_a_look_alike_is_left_to_the_persons_page(site: Site, browser: Browser, worker: Worker) -> None:
    twin, person = add(site, "A2", "Twin Lee"), add(site, "A1")
    worker(Outcome.ALREADY_ENROLLED, similar=twin)
    answer = send(browser, "A1", accept_similar="1").json
    assert (answer["kind"], answer["page"]) == ("look_alike", f"/people/{person}")
    assert "1.jpg: looks like Twin Lee (A2)" in answer["words"][1]
    assert actions(site, person) == []


@pytest.mark.parametrize("outcome", [Outcome.NOT_READY, Outcome.NO_FACE])
def test_a_worker_that_loads_is_asked_again_and_a_bad_picture_is_not(
    site: Site, browser: Browser, worker: Worker, outcome: Outcome
) -> None:
    worker(outcome)
    add(site, "A1")
    assert send(browser, "A1").json["kind"] == ("away" if outcome is Outcome.NOT_READY else "not_enrolled")


def test_without_a_worker_it_is_away(site: Site) -> None:
    hasty = site.with_settings(enrol_timeout_s=0.2)
    add(hasty, "A1")
    answer = send(hasty.browser(), "A1", picture(1), picture(2)).json
    assert (answer["kind"], len(answer["words"])) == ("away", 1)
    assert "No worker answered" in answer["words"][0]


def test_more_than_five_none_and_no_code_are_refused(site: Site, browser: Browser, worker: Worker) -> None:
    seen = worker(Outcome.ENROLLED)
    add(site, "A1")
    many = send(browser, "A1", *(picture(n) for n in range(6)))
    assert (many.status_code, "6 pictures were sent" in many.json["error"]) == (422, True)
    assert browser.post(PERSON, {"code": "A1"}, headers=JSON).status_code == 422
    for code in ("", "../A1", "A 1", "E" * 33, "A1\n"):
        assert "1-32 letters" in send(browser, code).json["error"]
    large = send(browser, "A1", (io.BytesIO(bytes(1_300_000)), "1.jpg"))
    assert (large.status_code, seen) == (413, [])


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("a1", "Ann", "entered as A1"),
        ("erased-7", "Ann", "kept for people who were erased"),
        ("N1", "", "must not be empty"),
        ("N1", "x" * 201, "at most 200"),
        ("N1", "An\x07n", "U+0007"),
    ],
)
def test_who_cannot_be_entered(site: Site, browser: Browser, code: str, name: str, words: str) -> None:
    add(site, "A1")
    before = rows(site)
    answer = send(browser, code, name=name, agreed="1").json
    assert (answer["kind"], words in answer["words"][0], rows(site)) == ("not_enrolled", True, before)


def test_a_hundred_people_in_a_row_meet_no_limit(site: Site, browser: Browser) -> None:
    add(site, "A1", pictures=1)
    token = browser.token()
    for _ in range(100):
        data = {"csrf_token": token, "code": "A1", "pictures": [picture()]}
        assert browser.client.post(PERSON, data=data, headers=JSON).json["kind"] == "has_pictures"


def test_only_hr_and_only_from_the_page(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        add_user(session, "looker", ["auditor"])
    looker = site.browser_of("looker")
    assert looker.get("/people/from-folder").status_code == 403
    assert "from-folder" not in looker.get("/people").text
    assert "from-folder" in browser.get("/people").text
    for path in (LOOK, PERSON):
        assert looker.post(path, headers=JSON).status_code == 403
        assert browser.client.post(path, headers=JSON).status_code == 400, "no token"
        assert "out of date" in browser.client.post(path, headers=JSON).json["error"]


def test_the_page_says_that_it_needs_script(browser: Browser) -> None:
    page = browser.get("/people/from-folder").text
    assert "<noscript>" in page
    assert "needs JavaScript" in page
    browser.post("/language", {"language": "id", "next": "/people"})
    assert "Daftarkan wajah dari folder" in browser.get("/people/from-folder").text
