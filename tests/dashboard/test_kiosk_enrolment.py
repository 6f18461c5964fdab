"""Enrolment at a kiosk as HR drives it, with a played worker in the live Redis."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from dashboard.database import now_ms
from dashboard.enrolling.kiosk_enrolment import wish_at
from dashboard.models import AuditEntry, EnrolmentPicture
from dashboard.people.employees import create_employee
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site
from worker.protocol import keys
from worker.protocol.entries import EnrolRequest
from worker.protocol.guided import Enrolling, Hint, Pose
from worker.protocol.heartbeats import Heart
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]

Worker = Callable[..., list[EnrolRequest]]


class Desk:
    """HR with one person to enrol, and a kiosk that lives."""

    def __init__(self, site: Site, browser: Browser, pair: RedisPair) -> None:
        self.site, self.browser, self.pair = site, browser, pair
        with site.sessions.begin() as session:
            self.person = create_employee(session, "E-1", "Grace Hopper", consent_by="hr", now_ms=now_ms()).id
        self.beat("front-door")
        self.url = f"/people/{self.person}/at-kiosk"

    def beat(self, kiosk: str, camera: str = "ok") -> None:
        Heart(self.pair.live, "s0", "kiosk", kiosk, lambda: {"camera": camera}).beat()

    def start(self, kiosk: str = "front-door") -> str:
        answer = self.browser.post(self.url, {"kiosk": kiosk})
        assert answer.status_code == 302, answer.text
        return str(answer.location)

    def play(self, followed: str, poses: int, hint: Hint | None = None) -> None:
        """What a worker writes after so many poses."""
        session = followed.rsplit("/", 1)[1]
        wanted = list(Pose)[poses] if poses < 3 else None
        said = Enrolling(name="Grace Hopper", pose=wanted, hint=hint, done=poses)
        values: dict[str, Any] = {"state": said.model_dump_json(), "employee_id": self.person}
        values |= {pose.value: picture(n) for n, pose in enumerate(list(Pose)[:poses])}
        self.pair.live.hset(keys.enrol_pictures("s0", session), mapping=values)

    def state(self, followed: str) -> dict[str, Any]:
        found: dict[str, Any] = self.browser.get(f"{followed}/state").json
        return found

    def trail(self) -> list[str]:
        """What the audit trail tells of the person."""
        with self.site.sessions() as session:
            query = select(AuditEntry.action).where(AuditEntry.subject_id == self.person).order_by(AuditEntry.id)
            return list(session.scalars(query))

    def stored(self) -> int:
        with self.site.sessions() as session:
            return session.scalar(select(func.count()).select_from(EnrolmentPicture)) or 0


def picture(n: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 120), (40 * n, 80, 70)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def desk(site: Site, browser: Browser, redis_pair: RedisPair) -> Desk:
    return Desk(site, browser, redis_pair)


def test_from_the_choice_to_the_accepted_pictures(desk: Desk, worker: Worker) -> None:
    worker(Outcome.ENROLLED)
    assert "front-door" in desk.browser.get(desk.url).text
    followed = desk.start()
    assert desk.state(followed)["phase"] == "waiting"
    wish = wish_at(desk.pair.live, "s0", "front-door")
    assert wish is not None
    assert (wish.employee_id, wish.name) == (desk.person, "Grace Hopper")
    desk.play(followed, 1, Hint.MORE_LEFT)
    state = desk.state(followed)
    assert (state["phase"], state["poses"]) == ("collecting", ["straight"])
    assert state["words"] == "Turn a little more to your left."
    assert 0 < state["left_s"] <= keys.ENROLLING_TTL_S
    assert desk.browser.get(f"{followed}/straight.jpg").data == picture(0)
    assert desk.browser.get(f"{followed}/left.jpg").status_code == 404
    desk.play(followed, 3)
    assert desk.state(followed)["phase"] == "complete"
    assert desk.stored() == 0, "nothing is stored before HR accepts"
    answer = desk.browser.post(f"{followed}/accept", follow_redirects=True)
    assert "Grace Hopper is enrolled" in answer.text
    assert desk.stored() == 3
    assert desk.trail() == ["kiosk_enrolment.begun", *["picture.added"] * 3]
    assert not list(desk.pair.live.scan_iter("enrol*")), "the kiosk is a door again, and the frames are gone"


def test_a_second_enrolment_at_the_kiosk_is_refused_with_words(desk: Desk) -> None:
    followed = desk.start()
    answer = desk.browser.post(desk.url, {"kiosk": "front-door"})
    assert answer.status_code == 409
    assert "is enrolling Grace Hopper already" in answer.text
    assert "disabled" in desk.browser.get(desk.url).text
    desk.browser.post(f"{followed}/end")
    desk.start()
    assert desk.trail() == ["kiosk_enrolment.begun", "kiosk_enrolment.ended", "kiosk_enrolment.begun"]


def test_it_ends_by_cancel_and_by_time(desk: Desk) -> None:
    followed = desk.start()
    desk.play(followed, 1)
    assert "door again" in desk.browser.post(f"{followed}/end", follow_redirects=True).text
    assert not list(desk.pair.live.scan_iter("enrol*"))
    assert desk.state(followed)["phase"] == "over"
    followed = desk.start()
    ttl: Any = desk.pair.live.pttl(keys.enrolling("s0", "front-door"))
    assert 0 < ttl <= keys.ENROLLING_TTL_S * 1000
    desk.play(followed, 2)
    desk.pair.live.delete(keys.enrolling("s0", "front-door"))
    state = desk.state(followed)
    assert (state["phase"], state["poses"]) == ("over", ["straight", "left"])


def test_ending_an_old_session_leaves_the_present_one(desk: Desk) -> None:
    old = desk.start()
    answer = desk.browser.post(f"{old}/end", {"again": "1", "kiosk": "front-door"})
    new = str(answer.location)
    assert new != old
    desk.browser.post(f"{old}/end")
    assert desk.state(new)["phase"] == "waiting"
    assert wish_at(desk.pair.live, "s0", "front-door") is not None


def test_refused_pictures_are_explained_and_may_be_repeated(desk: Desk, worker: Worker) -> None:
    worker(Outcome.ENROLLED, Outcome.BLURRED)
    followed = desk.start()
    desk.play(followed, 3)
    page = desk.browser.post(f"{followed}/accept").text
    assert "The face is blurred" in page
    assert "Repeat at this kiosk" in page
    assert desk.stored() == 0


def test_a_look_alike_is_decided_with_both_faces(desk: Desk, worker: Worker) -> None:
    with desk.site.sessions.begin() as session:
        other = create_employee(session, "E-2", "Twin", consent_by="hr", now_ms=now_ms()).id
    worker(Outcome.ALREADY_ENROLLED, similar=other)
    followed = desk.start()
    desk.play(followed, 3)
    page = desk.browser.post(f"{followed}/accept").text
    assert 'class="pair"' in page
    assert "they are two different people" in page
    assert desk.stored() == 0
    desk.browser.post(f"{followed}/accept", {"accept_similar": "1"})
    assert desk.stored() == 3
    assert desk.trail()[1:] == ["picture.added", "faces.different"] * 3


def test_nobody_is_enrolled_without_consent_or_kiosk(desk: Desk) -> None:
    with desk.site.sessions.begin() as session:
        without = create_employee(session, "E-2", "No Consent", now_ms=now_ms()).id
    assert desk.browser.post(f"/people/{without}/at-kiosk", {"kiosk": "front-door"}).status_code == 422
    for name in ("back-door", "", "../x", "Front Door"):
        assert desk.browser.post(desk.url, {"kiosk": name}).status_code == 422
    desk.beat("side-door", camera="lost")
    assert "camera isn’t running" in desk.browser.get(desk.url).text
    assert not list(desk.pair.live.scan_iter("enrol*"))
    assert desk.browser.get("/people/nobody/at-kiosk").status_code == 404


def test_another_persons_session_shows_nothing(desk: Desk) -> None:
    followed = desk.start()
    desk.play(followed, 3)
    with desk.site.sessions.begin() as session:
        other = create_employee(session, "E-2", "Other", consent_by="hr", now_ms=now_ms()).id
    theirs = followed.replace(desk.person, other)
    assert desk.state(theirs)["poses"] == []
    assert desk.browser.get(f"{theirs}/straight.jpg").status_code == 404
    assert "no pictures" in desk.browser.post(f"{theirs}/accept", follow_redirects=True).text
    assert desk.stored() == 0


@pytest.mark.parametrize("path", ["BAD NAME/s1", "front-door/unknown", "front-door/%00"])
def test_addresses_that_nobody_gave_out(desk: Desk, path: str) -> None:
    assert desk.browser.get(f"{desk.url}/{path}/state").status_code in (200, 400, 404)


def test_what_is_no_state_is_no_state(desk: Desk) -> None:
    followed = desk.start()
    session = followed.rsplit("/", 1)[1]
    desk.pair.live.hset(
        keys.enrol_pictures("s0", session), mapping={"state": b"\xff nonsense", "employee_id": desk.person}
    )
    assert desk.state(followed)["phase"] == "waiting"


def test_redis_is_away(desk: Desk) -> None:
    followed = desk.start()
    desk.pair.live_server.stop()
    assert desk.browser.get(desk.url).status_code == 200
    answer = desk.browser.get(followed)
    assert answer.status_code == 503
    assert "live Redis" in answer.text
