"""Pictures that are given together: all or none, in the old ones' place or beside them; and who looks like whom."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from dashboard.database import now_ms
from dashboard.enrolling.enrolment import Wish, enrol_pictures
from dashboard.enrolling.enrolment_words import EnrolResult, Refusal
from dashboard.models import EnrolmentPicture, GalleryOutbox, LikenessDecision, Template
from dashboard.people.employees import create_employee
from tests.dashboard.site import Browser, Site
from worker.protocol.entries import EnrolRequest
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]

JSON = {"Accept": "application/json"}
Worker = Callable[..., list[EnrolRequest]]


def picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 120), (shade, 80, 70)).save(out, "JPEG")
    return out.getvalue()


def form(*shades: int, **fields: Any) -> dict[str, Any]:
    return {"pictures": [(io.BytesIO(picture(shade)), f"{shade}.jpg") for shade in shades], **fields}


@pytest.fixture
def person(site: Site) -> str:
    return add(site, "E-1")


def add(site: Site, code: str) -> str:
    with site.sessions.begin() as session:
        return create_employee(session, code, f"Name of {code}", consent_by="hr", now_ms=now_ms()).id


def ids(site: Site, employee_id: str) -> list[str]:
    with site.sessions() as session:
        query = select(EnrolmentPicture.id).where(EnrolmentPicture.employee_id == employee_id)
        return list(session.scalars(query.order_by(EnrolmentPicture.created_ms, EnrolmentPicture.id)))


def count(site: Site, table: type) -> int:
    with site.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def enrol(site: Site, wish: Wish, *shades: int) -> list[EnrolResult]:
    live = site.app.extensions["attendance"].lives["s0"]
    return enrol_pictures(site.sessions, live, site.settings, wish, [picture(shade) for shade in shades])


def test_one_refusal_stores_none(site: Site, person: str, worker: Worker) -> None:
    worker(Outcome.ENROLLED, Outcome.BLURRED, Outcome.ENROLLED)
    results = enrol(site, Wish(person, "hr"), 10, 20, 30)
    assert [result.outcome for result in results] == [Refusal.NOT_ALONE, Outcome.BLURRED, Refusal.NOT_ALONE]
    assert (ids(site, person), count(site, GalleryOutbox)) == ([], 0)


def test_new_ones_take_the_old_ones_place_in_one_step(site: Site, person: str, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    assert all(result.stored for result in enrol(site, Wish(person, "hr"), 10, 20))
    old, changes = ids(site, person), count(site, GalleryOutbox)
    other = add(site, "E-2")
    assert enrol(site, Wish(other, "hr"), 10)[0].stored
    theirs = ids(site, other)
    results = enrol(site, Wish(person, "hr", frozenset([*old, *theirs, "nobody's"])), 20, 30, 40)
    assert all(result.stored for result in results), "one of the old ones may come again"
    assert sorted(ids(site, person)) == sorted(str(result.picture_id) for result in results)
    assert ids(site, other) == theirs, "only this person's are replaced"
    assert count(site, GalleryOutbox) == changes + 2, "workers hear of each step as one change"
    assert count(site, Template) == 4


def test_a_refused_replacement_leaves_the_old_ones(site: Site, person: str, worker: Worker) -> None:
    worker(Outcome.ENROLLED, Outcome.ENROLLED, Outcome.TOO_DARK)
    enrol(site, Wish(person, "hr"), 10)
    old = ids(site, person)
    assert not any(result.stored for result in enrol(site, Wish(person, "hr", frozenset(old)), 20, 30))
    assert ids(site, person) == old


def test_a_picture_twice_and_too_many(site: Site, person: str, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    assert [r.outcome for r in enrol(site, Wish(person, "hr"), 10, 10)] == [Refusal.NOT_ALONE, Refusal.SAME_PICTURE]
    too_many = enrol(site, Wish(person, "hr"), *range(10, 70, 10))
    assert {result.outcome for result in too_many} == {Refusal.TOO_MANY_PICTURES}
    assert "may have 5 pictures" in too_many[0].words
    assert ids(site, person) == []


def test_one_that_nobody_judged_is_waited_for_once(site: Site, person: str) -> None:
    quick = Site(site.app, site.settings.model_copy(update={"enrol_timeout_s": 1}), site.sessions)
    results = enrol(quick, Wish(person, "hr"), 10, 20, 30)
    assert [result.outcome for result in results] == [Outcome.NO_WORKER] * 3


def test_the_form_replaces_what_the_clerk_saw(site: Site, browser: Browser, person: str, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    browser.post(f"/people/{person}/pictures", form(10, 20))
    old = ids(site, person)
    page = browser.get(f"/people/{person}").text
    assert all(f'name="replaced" value="{one}"' in page for one in old)
    browser.post(f"/people/{person}/pictures", form(30, replaced=old[0]))
    assert len(ids(site, person)) == 3, "nothing goes without the tick"
    browser.post(f"/people/{person}/pictures", form(40, replaced=old, replace="1"))
    now = ids(site, person)
    assert len(now) == 2
    assert not set(now) & set(old), "what came from another tab meanwhile stays"
    assert browser.post(f"/people/{person}/pictures", form(50, replaced=["x"] * 51, replace="1")).status_code == 400


def test_a_look_alike_is_shown_side_by_side_and_the_decision_kept(
    site: Site, browser: Browser, person: str, worker: Worker
) -> None:
    other = add(site, "E-2")
    worker(Outcome.ENROLLED, Outcome.ALREADY_ENROLLED, similar=other)
    browser.post(f"/people/{other}/pictures", form(10))
    (theirs,) = ids(site, other)
    (said,) = browser.post(f"/people/{person}/pictures", form(20), headers=JSON).json["results"]
    assert (said["stored"], said["confirm"]) == (False, True)
    assert said["similar"]["picture"] == f"/people/{other}/pictures/{theirs}.jpg"
    assert said["similar"]["mine"].startswith("data:image/jpeg;base64,")
    assert said["similar"]["name"] == "Name of E-2 (E-2)"
    with site.sessions() as session:
        assert list(session.scalars(select(LikenessDecision))) == []


def test_different_people_are_enrolled_and_noted(site: Site, browser: Browser, person: str, worker: Worker) -> None:
    other = add(site, "E-2")
    worker(Outcome.ALREADY_ENROLLED, similar=other)
    page = browser.post(f"/people/{person}/pictures", form(20)).text
    assert 'class="pair"' in page
    assert "data:image/jpeg;base64," in page
    browser.post(f"/people/{person}/pictures", form(20, 30, accept_similar="1", together="1"))
    pictures = set(ids(site, person))
    with site.sessions() as session:
        decisions = list(session.scalars(select(LikenessDecision)))
        assert {one.picture_id for one in decisions} == pictures
        assert {(d.other_id, d.decision, d.decided_by, d.distance) for d in decisions} == {
            (other, "different", "admin", 4.5)
        }


def test_the_same_person_is_noted_and_nobody_enrolled(site: Site, browser: Browser, person: str) -> None:
    other = add(site, "E-2")
    answer = browser.post(f"/people/{person}/pictures/same-person", {"other_id": other}, follow_redirects=True)
    assert "it is Name of E-2 (E-2)" in answer.text
    with site.sessions() as session:
        (one,) = session.scalars(select(LikenessDecision))
        assert (one.employee_id, one.other_id, one.decision, one.picture_id) == (person, other, "same", None)
    for wrong in ("", "nobody", person):
        assert browser.post(f"/people/{person}/pictures/same-person", {"other_id": wrong}).status_code == 400
    assert browser.post("/people/nobody/pictures/same-person", {"other_id": other}).status_code == 404
