"""Face crops of records: off unless the site keeps them, shown to who is logged in, deleted when their time is over."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from dashboard.database import SessionFactory, now_ms, reading
from dashboard.log import event_pictures
from dashboard.models import EventPicture
from dashboard.people.employees import withdraw_consent
from dashboard.recording.records import record
from dashboard.settings import DashboardSettings
from tests.dashboard.site import Site
from worker.protocol.entries import MAX_SNAPSHOT_BYTES, Decision

pytest_plugins = ["tests.dashboard.pages"]

JPEG = b"\xff\xd8" + b"x" * (MAX_SNAPSHOT_BYTES - 2)


@pytest.fixture
def keeping(settings: DashboardSettings) -> DashboardSettings:
    return settings.model_copy(update={"picture_days": 30})


@pytest.fixture
def person(factory: SessionFactory, add_person: Callable[..., str]) -> str:
    with factory.begin() as session:
        return add_person(session, "E-1")


def recorded(factory: SessionFactory, decision: Decision, settings: DashboardSettings) -> str:
    with factory.begin() as session:
        return record(session, decision, now_ms(), settings).status


def kept(factory: SessionFactory) -> dict[str, bytes]:
    with reading(factory) as session:
        return {row.event_id: row.jpeg for row in session.scalars(select(EventPicture))}


def test_nothing_is_kept_unless_the_site_asks_for_it(factory, settings, person, make_decision) -> None:
    assert settings.picture_days == 0
    recorded(factory, make_decision(person, snapshot=JPEG), settings)
    assert kept(factory) == {}


def test_a_punch_keeps_its_picture_once_and_nothing_else_has_one(factory, keeping, person, make_decision) -> None:
    punch = make_decision(person, snapshot=JPEG)
    assert recorded(factory, punch, keeping) == recorded(factory, punch, keeping) == "recorded"
    twice = make_decision(person, captured_ms=punch.captured_ms + 1_000, snapshot=JPEG)
    assert recorded(factory, twice, keeping) == "duplicate"
    assert recorded(factory, make_decision(None, snapshot=JPEG), keeping) == "not_a_punch"
    assert recorded(factory, make_decision("somebody-unknown", snapshot=JPEG), keeping) == "inactive"
    later = make_decision(person, captured_ms=punch.captured_ms + 3_600_000, snapshot=b"no picture")
    assert recorded(factory, later, keeping) == "recorded"
    assert kept(factory) == {punch.event_id: JPEG}


def test_pictures_go_when_their_time_is_over(factory, keeping, person, make_decision) -> None:
    now = now_ms()
    old, new = (
        make_decision(person, captured_ms=now - days * event_pictures.DAY_MS, snapshot=JPEG) for days in (31, 29)
    )
    for one in (old, new):
        recorded(factory, one, keeping)
    assert event_pictures.prune(factory, keeping) == 1
    assert set(kept(factory)) == {new.event_id}
    assert event_pictures.prune(factory, keeping) == 0
    assert event_pictures.prune(factory, keeping.model_copy(update={"picture_days": 0})) == 1
    assert kept(factory) == {}


def test_they_go_with_the_consent(factory, keeping, person, add_person, make_decision) -> None:
    with factory.begin() as session:
        other = add_person(session, "E-2")
    first, second = (make_decision(who, snapshot=JPEG) for who in (person, other))
    for one in (first, second):
        recorded(factory, one, keeping)
    with factory.begin() as session:
        withdraw_consent(session, person)
    assert set(kept(factory)) == {second.event_id}


def test_the_log_shows_them_to_who_is_logged_in(any_site: Site, person, make_decision, keeping) -> None:
    keeping_site = any_site.keeping_pictures(30)
    punch = make_decision(person, captured_ms=now_ms(), snapshot=JPEG)
    recorded(keeping_site.sessions, punch, keeping)
    address = f"/attendance/{punch.event_id}.jpg"
    browser = keeping_site.browser()
    assert f'src="{address}"' in browser.get("/attendance").text
    answer = browser.get(address)
    assert (answer.data, answer.content_type) == (JPEG, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.get("/attendance/nobody.jpg").status_code == 404
    assert keeping_site.browser(log_in=False).get(address).status_code == 302
    assert "kept with each record for 30 days" in browser.get("/people/new").text
    with keeping_site.sessions.begin() as session:
        session.get_one(EventPicture, punch.event_id).expires_ms = now_ms() - 1
    assert browser.get(address).status_code == 404
