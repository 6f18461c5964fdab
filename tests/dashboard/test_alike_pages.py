"""Who looks alike, in the dashboard: what a look finds and shows to whom, and the limit set and taken back there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dashboard.database import reading
from dashboard.gallery import calibrating, calibration, likeness
from dashboard.models import AuditEntry, Calibration, EnrolmentPicture, Template
from tests.conftest import RedisPair
from tests.dashboard.conftest import MODEL
from tests.dashboard.site import Browser, Site, add_user
from tests.dashboard.test_live import beat
from tests.worker.fakes import ALPHA, away, axis
from worker.protocol.connection import connect

pytest_plugins = ["tests.dashboard.pages"]

Add = Callable[..., str]
NEAR = 8.0
SERVED: dict[str, Any] = {
    "model_id": MODEL,
    "ready": True,
    "alpha": ALPHA,
    "rule_threshold": 9.0,
    "threshold": 9.0,
    "wanted_fpir": 1e-3,
}
ACTIONS = ("calibration.looked", "calibration.applied", "calibration.reset")


def give(session: Session, who: str, template: NDArray[np.float32]) -> None:
    """The person's templates are this one."""
    picture = select(EnrolmentPicture.id).where(EnrolmentPicture.employee_id == who)
    session.execute(update(Template).where(Template.picture_id.in_(picture)).values(vector=template.tobytes()))


@pytest.fixture
def people(site: Site, add_person: Add, redis_pair: RedisPair) -> list[str]:
    """Three, of whom the second looks like the first, under a worker that is ready."""
    with site.sessions.begin() as session:
        found = [add_person(session, code) for code in ("E-1", "E-2", "E-3")]
        for who, template in zip(found, (axis(1), away(1, NEAR), axis(3)), strict=True):
            give(session, who, template)
    beat(redis_pair, "worker", "w1", SERVED)
    return found


def limits(site: Site) -> dict[str, float]:
    with reading(site.sessions) as session:
        return calibration.limits(session)


def trail(site: Site) -> list[tuple[str, int | None, str]]:
    with reading(site.sessions) as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action.in_(ACTIONS)).order_by(AuditEntry.id)).all()
        return [(row.action, row.actor_id, row.via) for row in rows]


def after(browser: Browser, path: str, **form: str) -> str:
    """What the Models page says after a form was sent."""
    answer = browser.post(path, form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/models#look-title")
    return str(browser.get("/models").text)


def test_a_look_names_who_is_alike_and_proposes_a_limit(
    site: Site, browser: Browser, people: list[str], redis_pair: RedisPair
) -> None:
    assert "See who looks alike" in browser.get("/models").text
    page = browser.post("/models/alike").text
    for words in ("Name of E-1", "Name of E-2", "8.0000", "Within it", "1 of 3", "33.333 %", "nobody has two pictures"):
        assert words in page, words
    assert page.count("/pictures/") == 2, "the faces of the pair that the threshold doesn't part"
    proposed = page.split('name="limit" value="')[1].split('"')[0]
    assert proposed == "7.9999"
    assert limits(site) == {}, "a look changes nothing"

    for wrong in ("", "8.5", "7.99990", "-1", "nan", "7,9999"):
        refused = browser.post("/models/alike/limit", {"limit": wrong})
        assert (refused.status_code, "isn’t what this look proposes" in refused.text) == (422, True), wrong
    assert limits(site) == {}
    assert "7.9999 is the site’s limit now" in after(browser, "/models/alike/limit", limit=proposed)
    assert limits(site) == {MODEL: 7.9999}

    beat(redis_pair, "worker", "w1", SERVED | {"threshold": 7.9999, "site_limit": 7.9999})
    page = browser.post("/models/alike").text
    for words in ("the model’s rule gives 9.0000", "No stricter threshold is needed", "too few pairs to prove"):
        assert words in page, words
    assert "tick the box" in after(browser, "/models/alike/reset")
    assert limits(site) == {MODEL: 7.9999}
    assert "The limit of 7.9999 is taken back" in after(browser, "/models/alike/reset", agreed="1")
    assert "has no limit" in after(browser, "/models/alike/reset", agreed="1")
    assert limits(site) == {}
    done = ("calibration.looked", "calibration.applied", "calibration.looked", "calibration.reset")
    assert trail(site) == [(action, 1, "dashboard") for action in done]
    with reading(site.sessions) as session:
        assert {row.made_by for row in session.scalars(select(Calibration))} == {"admin"}


def test_what_was_proposed_before_somebody_came_is_not_applied(
    site: Site, browser: Browser, people: list[str], add_person: Add
) -> None:
    browser.post("/models/alike")
    with site.sessions.begin() as session:
        give(session, add_person(session, "E-4"), away(1, NEAR - 0.5, toward=126))
    refused = browser.post("/models/alike/limit", {"limit": "7.9999"})
    assert refused.status_code == 422
    assert 'value="7.4999"' in refused.text
    assert limits(site) == {}


def test_who_sees_names_and_who_sets_limits(site: Site, people: list[str]) -> None:
    with site.sessions.begin() as session:
        for name, roles in (("clerk", ["hr"]), ("night", ["operator"]), ("lead", ["operator", "supervisor"])):
            add_user(session, name, roles, ["Yard"] if "supervisor" in roles else [])
    page = site.browser_of("clerk").post("/models/alike").text
    assert ("Name of E-1" in page, 'name="limit"' in page) == (True, False)
    assert "An account with the role Operator" in page
    for name in ("night", "lead"):
        page = site.browser_of(name).post("/models/alike").text
        assert ("Name of" in page, "E-1" in page, 'name="limit"' in page) == (False, False, True), name
        assert "HR sees on this page who they are" in page
        assert "/pictures/" not in page
    auditor = site.browser_of("clerk").get("/models/alike")
    assert auditor.status_code == 302, "an address that was kept leads to where looks are made"


@pytest.mark.parametrize(
    ("beats", "words"),
    [
        ([], "No worker is ready"),
        ([{"threshold": None}], "No worker is ready"),
        ([{"threshold": True}], "No worker is ready"),
        ([{"threshold": -1}], "No worker is ready"),
        ([{"wanted_fpir": 1.0}], "No worker is ready"),
        ([{"ready": "yes"}], "No worker is ready"),
        ([{}, {"model_id": "<b>other"}], "Workers serve different models, &lt;b&gt;other, "),
    ],
)
def test_without_a_threshold_nothing_is_compared(
    site: Site, browser: Browser, redis_pair: RedisPair, beats: list[dict[str, Any]], words: str
) -> None:
    for number, odd in enumerate(beats):
        beat(redis_pair, "worker", f"w{number}", SERVED | odd)
    for path in ("", "/limit", "/reset"):
        assert words in after(browser, f"/models/alike{path}"), path
    assert trail(site) == []


def test_nobody_and_templates_that_are_none(
    site: Site, browser: Browser, redis_pair: RedisPair, add_person: Add
) -> None:
    beat(redis_pair, "worker", "w1", SERVED)
    assert "no two people to compare" in browser.post("/models/alike").text
    with site.sessions.begin() as session:
        for code in ("E-1", "E-2"):
            add_person(session, code)
        session.execute(update(Template).values(vector=b"\xff" * 512))
    page = browser.post("/models/alike").text
    assert "2 templates can’t be read" in page
    assert "no two people to compare" in page


def test_while_the_live_redis_is_silent(site: Site, browser: Browser) -> None:
    away = {"s0": connect("redis://127.0.0.1:1", name="test")}
    site.app.extensions["attendance"] = replace(site.app.extensions["attendance"], lives=away)
    assert browser.post("/models/alike").status_code == 302
    assert "isn’t known which threshold serves" in browser.get("/models").text


def test_an_erased_person_is_named_by_nobody(site: Site, people: list[str]) -> None:
    templates = [(people[0], axis(1).tobytes()), ("gone", away(1, NEAR).tobytes())]
    gallery = likeness.gallery(templates, ALPHA)
    (near,) = calibrating._named(site.sessions, gallery, likeness.look(gallery, 9.0, 9.0, 1e-3))
    assert (near.one.id, near.other.code) == ("", "E-1")
