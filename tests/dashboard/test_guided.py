"""Guided enrolment: a frame in, a hint out, and nothing of it left anywhere."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from dashboard.database import now_ms
from dashboard.enrolling import guided_pages
from dashboard.enrolling.enrolment_words import HINTS, POSE_NAMES, POSES
from dashboard.models import EnrolmentPicture, Template
from dashboard.people.employees import create_employee, deactivate
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site
from worker.protocol import keys
from worker.protocol.entries import EnrolRequest
from worker.protocol.guided import Hint, Pose
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]

FRAME = b"\xff\xd8 a frame, as far as the dashboard knows"
Worker = Callable[..., list[EnrolRequest]]


def add(site: Site, consent: bool = True) -> str:
    with site.sessions.begin() as session:
        by = "hr" if consent else None
        return create_employee(session, "E-1", "Grace Hopper", consent_by=by, now_ms=now_ms()).id


def look(browser: Browser, person: str, pose: str = "straight", body: bytes = FRAME, **more: Any) -> Any:
    headers = {"X-CSRFToken": browser.token(), "Accept": "application/json"}
    path = f"/people/{person}/guided/look?pose={pose}"
    return browser.client.post(path, data=body, headers=headers, content_type="image/jpeg", **more)


@pytest.mark.parametrize(("hint", "kind"), [(Hint.GOOD, "good"), (Hint.MORE_LEFT, "warn"), (Hint.NO_FACE, "warn")])
def test_a_frame_gets_the_workers_hint(site: Site, browser: Browser, worker: Worker, hint: Hint, kind: str) -> None:
    seen = worker(Outcome.DECIDING, hint=hint)
    said = look(browser, add(site), "left").json
    assert (said["hint"], said["kind"], said["words"]) == (hint.value, kind, HINTS[hint])
    assert (said["score"] is not None) == (hint is Hint.GOOD)
    assert (seen[0].pose, seen[0].jpeg, seen[0].employee_id) == (Pose.LEFT, FRAME, None)
    assert seen[0].deadline_ms == guided_pages.LOOK_S * 1000


def test_nothing_of_a_frame_is_left(site: Site, browser: Browser, worker: Worker, redis_pair: RedisPair) -> None:
    worker(Outcome.DECIDING, hint=Hint.GOOD)
    person = add(site)
    files = {path: path.stat().st_size for path in site.settings.home.rglob("*") if path.suffix not in (".db-wal",)}
    look(browser, person)
    with site.sessions() as session:
        for table in (EnrolmentPicture, Template):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    after = {path: path.stat().st_size for path in site.settings.home.rglob("*") if path.suffix not in (".db-wal",)}
    assert after == files
    assert not list(redis_pair.ledger.scan_iter())


def test_without_consent_no_frame_is_looked_at(
    site: Site, browser: Browser, worker: Worker, redis_pair: RedisPair
) -> None:
    seen = worker(Outcome.DECIDING, hint=Hint.GOOD)
    person = add(site, consent=False)
    assert "camera-open" not in browser.get(f"/people/{person}").text
    answer = look(browser, person)
    assert answer.status_code == 422
    assert "consent" in answer.json["error"]
    assert look(browser, "nobody").status_code == 422
    assert (seen, redis_pair.live.xlen(keys.requests("s0"))) == ([], 0)


def test_a_deactivated_person(site: Site, browser: Browser) -> None:
    person = add(site)
    with site.sessions.begin() as session:
        deactivate(session, person, now_ms())
    assert "deactivated" in look(browser, person).json["error"]


def test_nobody_answers(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch, redis_pair: RedisPair) -> None:
    monkeypatch.setattr(guided_pages, "LOOK_S", 0.2)
    said = look(browser, add(site)).json
    assert (said["hint"], said["kind"]) == ("no_worker", "away")
    assert "Take the pictures yourself" in said["words"]
    assert redis_pair.live.xlen(keys.requests("s0")) == 0, "no worker that comes later looks at an old frame"


def test_a_worker_of_before_guided_enrolment(site: Site, browser: Browser, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    assert look(browser, add(site)).json["hint"] == "no_worker"


@pytest.mark.parametrize(
    ("pose", "body"),
    [
        ("up", FRAME),
        ("", FRAME),
        ("straight%00", FRAME),
        ("straight", b""),
        ("straight", bytes(guided_pages.MAX_FRAME_BYTES + 1)),
    ],
)
def test_bad_requests(site: Site, browser: Browser, worker: Worker, pose: str, body: bytes) -> None:
    seen = worker(Outcome.DECIDING, hint=Hint.GOOD)
    answer = look(browser, add(site), pose, body)
    assert answer.status_code == 400
    assert seen == []


def test_without_login_or_token(site: Site, browser: Browser) -> None:
    person = add(site)
    stranger = site.browser(log_in=False).client
    assert stranger.post(f"/people/{person}/guided/look?pose=left", data=FRAME).status_code in (302, 400, 401)
    assert browser.client.post(f"/people/{person}/guided/look?pose=left", data=FRAME).status_code == 400


def test_looking_does_not_keep_a_login_alive(site: Site, browser: Browser, worker: Worker) -> None:
    worker(Outcome.DECIDING, hint=Hint.GOOD)
    assert "Set-Cookie" not in look(browser, add(site)).headers


def test_every_hint_and_pose_has_words() -> None:
    assert set(HINTS) == set(Hint)
    assert set(POSES) == set(POSE_NAMES) == set(Pose)
