"""People: entering, finding and changing them, their consent, and enrolment with its verdicts."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from sqlalchemy import func, select

from dashboard.database import now_ms
from dashboard.models import Employee, EnrolmentPicture, Template
from dashboard.people.employees import create_employee
from tests.dashboard.site import Browser, Site
from worker.protocol.entries import EnrolRequest
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]

JSON = {"Accept": "application/json"}
Worker = Callable[..., list[EnrolRequest]]


def picture(colour: int = 90, name: str = "face.jpg") -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Image.new("RGB", (120, 120), (colour, 80, 70)).save(data, "JPEG")
    return io.BytesIO(data.getvalue()), name


def add(site: Site, code: str = "E-1", name: str = "Grace Hopper", department: str = "", consent: bool = True) -> str:
    with site.sessions.begin() as session:
        by = "admin" if consent else None
        return create_employee(session, code, name, department, consent_by=by, now_ms=now_ms()).id


def stored(site: Site) -> tuple[int, int]:
    with site.sessions() as session:
        return tuple(session.scalar(select(func.count()).select_from(t)) or 0 for t in (EnrolmentPicture, Template))  # type: ignore[return-value]


def test_entering_a_person(any_site: Site) -> None:
    browser = any_site.browser()
    assert "Nobody is entered yet" in browser.get("/people").text
    assert "128 numbers" in browser.get("/people/new").text
    answer = browser.post(
        "/people/new", {"code": "E-1", "name": "Grace Hopper", "department": "Computing", "consent": "1"}
    )
    page = browser.get(answer.location).text
    assert "Grace Hopper is entered" in page
    assert "recorded by admin" in page
    assert "Use this device’s camera" in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"code": "", "name": "Grace Hopper"}, "must not be empty"),
        ({"code": "E-2", "name": ""}, "must not be empty"),
        ({"code": "E-1", "name": "Grace Hopper"}, "another employee has it already"),
        ({"code": "E" * 65, "name": "Grace Hopper"}, "at most 64"),
        ({"code": "E-2", "name": "x\x1by"}, "printed"),
    ],
)
def test_what_is_wrong_with_a_new_person_is_said_and_nothing_is_lost(
    any_site: Site, typed: dict[str, str], words: str
) -> None:
    add(any_site)
    browser = any_site.browser()
    answer = browser.post("/people/new", {**typed, "department": "Computing"})
    assert answer.status_code == 422
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="Computing"' in answer.text


def test_finding_people_and_paging(any_site: Site) -> None:
    browser = any_site.browser()
    for n in range(7):
        add(any_site, f"E-{n}", f"Grace Hopper {n}", "Computing" if n else "100%_sure")
    first = browser.get("/people").text
    second = browser.get(first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")).text
    assert "7 people" in first
    assert first.count('<th scope="row">') == 5
    assert second.count('<th scope="row">') == 2
    found = browser.get("/people?q=hopper+E-3").text
    assert "1 person" in found
    assert browser.get("/people?q=%25_").text.count('<th scope="row">') == 1
    assert "6 people" in browser.get("/people?department=Computing").text
    assert "Nobody found" in browser.get("/people?q=nobody").text


@pytest.mark.parametrize(
    "query", ["after=x", "before=W10", "sort=x", "months=0", "months=９", f"months={10**30}", "state=x"]
)
def test_a_wrong_query_is_answered_in_words(browser: Browser, query: str) -> None:
    answer = browser.get(f"/people?{query}")
    assert answer.status_code == 400
    assert "Error 400" in answer.text
    assert query.split("=")[1][:20] in answer.text


def test_names_are_shown_as_text(site: Site, browser: Browser) -> None:
    evil = "<script>alert(1)</script>"
    person = add(site, "E-1", evil, '"><img src=x>')
    site.punch(person, now_ms())
    for path in ("/people", f"/people/{person}", "/attendance", "/live", "/people?q=<script>alert(1)"):
        page = browser.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x>" not in page, path
    assert "&lt;script&gt;" in browser.get("/people").text


def test_changing_details(site: Site, browser: Browser) -> None:
    person = add(site)
    answer = browser.post(f"/people/{person}", {"name": "Admiral Grace Hopper", "department": "Navy"})
    assert "Admiral Grace Hopper" in browser.get(answer.location).text
    answer = browser.post(f"/people/{person}", {"name": " ", "department": "Army"})
    assert answer.status_code == 422
    assert 'value="Army"' in answer.text
    assert browser.post("/people/nobody", {"name": "x"}).status_code == 404


def test_consent_and_state(any_site: Site, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    browser, person = any_site.browser(), add(any_site, consent=False)
    assert '<a href="#consent">Record the person’s consent first.</a>' in browser.get(f"/people/{person}").text
    refused = browser.post(f"/people/{person}/pictures", {"pictures": picture()}, headers=JSON)
    assert refused.json["results"][0]["outcome"] == "no_consent"
    browser.post(f"/people/{person}/give-consent")
    assert browser.post(f"/people/{person}/pictures", {"pictures": picture()}, headers=JSON).json["results"][0][
        "stored"
    ]
    assert stored(any_site) == (1, 1)
    browser.post(f"/people/{person}/deactivate")
    assert "Deactivated since" in browser.get(f"/people/{person}").text
    assert "Nobody found" in browser.get("/people?state=active").text
    browser.post(f"/people/{person}/reactivate")
    page = browser.post(f"/people/{person}/withdraw-consent", follow_redirects=True).text
    assert "face pictures and templates of this person are deleted" in page
    assert stored(any_site) == (0, 0)
    assert browser.post(f"/people/{person}/vanish").status_code == 404
    assert browser.post("/people/nobody/deactivate").status_code == 404


def test_several_pictures_each_with_its_verdict(site: Site, browser: Browser, worker: Worker) -> None:
    worker(Outcome.ENROLLED, Outcome.NO_FACE, Outcome.SEVERAL_FACES, Outcome.BLURRED)
    person = add(site)
    files = [picture(n * 60, f"p{n}.jpg") for n in range(4)]
    answer = browser.post(f"/people/{person}/pictures", {"pictures": files})
    assert answer.status_code == 200
    assert stored(site) == (1, 1)
    for words in ("Stored", "No face was found", "more than one face", "blurred", "p3.jpg"):
        assert words in answer.text


def test_a_look_alike_is_stored_only_when_confirmed(site: Site, browser: Browser, worker: Worker) -> None:
    twin, person = add(site, "E-1", "Eileen Collins"), add(site, "E-2")
    worker(Outcome.ALREADY_ENROLLED, similar=twin)
    send = f"/people/{person}/pictures"
    (result,) = browser.post(send, {"pictures": picture()}, headers=JSON).json["results"]
    assert (result["confirm"], result["stored"]) == (True, False)
    assert "Eileen Collins (E-1)" in result["words"]
    assert "It is a different person" in browser.post(send, {"pictures": picture()}).text
    (result,) = browser.post(send, {"pictures": picture(), "accept_similar": "1"}, headers=JSON).json["results"]
    assert result["stored"]
    assert stored(site) == (1, 1)


def test_bad_files_are_refused_in_words(site: Site, browser: Browser, worker: Worker) -> None:
    seen, person = worker(Outcome.ENROLLED), add(site)
    huge = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(huge, "PNG")
    for data, words in (
        (b"", "0 bytes"),
        (b"GIF89a not really", ""),
        (huge.getvalue(), "60 megapixels"),
        (picture()[0].getvalue()[:200], ""),
    ):
        answer = browser.post(f"/people/{person}/pictures", {"pictures": (io.BytesIO(data), "x.jpg")}, headers=JSON)
        (result,) = answer.json["results"]
        assert result["kind"] == "bad"
        assert words in result["words"]
    assert not seen
    assert stored(site) == (0, 0)


def test_too_few_too_many_and_too_large(site: Site, browser: Browser) -> None:
    person = add(site)
    send = f"/people/{person}/pictures"
    assert browser.post(send, headers=JSON).json == {"error": "Choose at least one picture."}
    many = browser.post(send, {"pictures": [picture(n * 40) for n in range(6)]})
    assert many.status_code == 422
    assert "6 pictures were sent; choose 1 to 5" in many.text
    large = {"pictures": (io.BytesIO(bytes(1_300_000)), "x.jpg")}
    for headers in ({}, JSON):
        answer = browser.post(send, large | {"pictures": (io.BytesIO(bytes(1_300_000)), "x.jpg")}, headers=headers)
        assert answer.status_code == 413
        assert "limit of 1 MB" in answer.text
    assert browser.post("/people/nobody/pictures", {"pictures": picture()}).status_code == 404


def test_no_worker_is_waited_for_once(
    site: Site,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site.settings, "enrol_timeout_s", 0.2)
    files = [picture(1), picture(2), picture(3)]
    results = browser.post(f"/people/{add(site)}/pictures", {"pictures": files}, headers=JSON).json["results"]
    assert [result["outcome"] for result in results] == ["no_worker"] * 3
    assert "No worker answered" in results[2]["words"]


def test_stored_pictures_are_for_hr_only_and_can_be_deleted(site: Site, browser: Browser, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    person, other = add(site), add(site, "E-2", "Eileen Collins")
    browser.post(f"/people/{person}/pictures", {"pictures": picture()})
    with site.sessions() as session:
        picture_id = session.scalars(select(EnrolmentPicture.id)).one()
    path = f"/people/{person}/pictures/{picture_id}"
    shown = browser.get(f"{path}.jpg")
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(shown.data)).size == (120, 120)
    assert site.app.test_client().get(f"{path}.jpg").status_code == 302
    assert browser.get(f"/people/{other}/pictures/{picture_id}.jpg").status_code == 404
    assert browser.post(f"/people/{other}/pictures/{picture_id}/delete").status_code == 404
    assert stored(site) == (1, 1)
    assert browser.post(f"{path}/delete").status_code == 302
    assert stored(site) == (0, 0)
    assert browser.post(f"{path}/delete").status_code == 404
    with site.sessions() as session:
        assert session.get(Employee, person)
