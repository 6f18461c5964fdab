"""A site's limits: what is in force, who is counted, and how the ledger's key follows."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from dashboard.database import SessionFactory, now_ms, reading
from dashboard.gallery import calibration, serving_key
from dashboard.gallery.calibration import Made
from dashboard.models import Calibration, EnrolmentPicture
from dashboard.people.employees import deactivate, withdraw_consent
from tests.dashboard.conftest import MODEL
from tests.dashboard.site import Browser, Site
from tests.dashboard.test_live import beat
from worker.protocol import keys
from worker.protocol.serving import Serving

pytest_plugins = ["tests.dashboard.pages"]

OTHER = "resnet50-triplet-0123456789ab"
Add = Callable[..., str]


def apply(factory: SessionFactory, limit: float, model: str = MODEL, threshold: float = 9.0) -> None:
    with factory.begin() as session:
        calibration.apply(session, Made(model, "root", 3, 1, threshold), limit)


def limits(factory: SessionFactory) -> dict[str, float]:
    with reading(factory) as session:
        return calibration.limits(session)


def test_a_limit_is_set_made_stricter_and_taken_back(factory: SessionFactory) -> None:
    apply(factory, 8.5)
    apply(factory, 7.0, OTHER)
    with factory.begin() as session:
        calibration.note_look(session, Made(MODEL, "ann", 4, 0, 8.5))
    assert limits(factory) == {MODEL: 8.5, OTHER: 7.0}, "a look changes nothing"
    apply(factory, 8.25, threshold=8.5)
    with factory.begin() as session:
        assert calibration.reset(session, MODEL, "ann") == 8.25
        assert calibration.reset(session, MODEL, "ann") is None
    assert limits(factory) == {OTHER: 7.0}
    with reading(factory) as session:
        query = select(Calibration.action, Calibration.made_by, Calibration.site_limit)
        rows = session.execute(query.where(Calibration.model_id == MODEL).order_by(Calibration.id)).all()
    assert [tuple(row) for row in rows] == [
        ("apply", "root", 8.5),
        ("look", "ann", 8.5),
        ("apply", "root", 8.25),
        ("reset", "ann", None),
    ]


@pytest.mark.parametrize("limit", [9.0, 9.5, 0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_is_never_looser_than_what_serves(factory: SessionFactory, limit: float) -> None:
    with pytest.raises(ValueError, match="isn't stricter than the 9"):
        apply(factory, limit)
    assert limits(factory) == {}


def test_of_two_commands_the_stricter_limit_stays(factory: SessionFactory) -> None:
    apply(factory, 8.0)
    with pytest.raises(ValueError, match="isn't stricter than the 8"):
        apply(factory, 8.5)
    assert limits(factory) == {MODEL: 8.0}


def test_the_key_carries_the_limits(redis_pair, factory: SessionFactory) -> None:
    def key() -> Serving:
        serving_key.follow(factory, redis_pair.ledger, "s0")
        return Serving.from_bytes(redis_pair.ledger.get(keys.serving("s0")))

    apply(factory, 8.5)
    assert key() == Serving(revision=1, epoch=0, limits={MODEL: 8.5})
    with factory.begin() as session:
        calibration.reset(session, MODEL, "root")
    assert key() == Serving(revision=2, epoch=0), "no model is named, no presence ends"


@pytest.mark.parametrize("limit", ["NaN", "Infinity", "0", "-1", '"x"', "null", "{}"])
def test_a_key_with_a_broken_limit_is_not_guessed_at(limit: str) -> None:
    from worker.protocol.entries import BadEntry

    with pytest.raises(BadEntry, match="limits"):
        Serving.from_bytes(f'{{"revision": 1, "epoch": 0, "limits": {{"{MODEL}": {limit}}}}}'.encode())


@pytest.fixture
def crowd(factory: SessionFactory, add_person: Add) -> list[str]:
    with factory.begin() as session:
        return [add_person(session, f"E-{number}", templates=2) for number in range(52)]


def test_offered_after_fifty_enrolments(factory: SessionFactory, crowd: list[str], add_person: Add) -> None:
    def offered(model: str = MODEL) -> int | None:
        with reading(factory) as session:
            return calibration.offered(session, model)

    assert offered() == 52
    assert offered(OTHER) is None, "it knows nobody"
    with factory.begin() as session:
        deactivate(session, crowd[0], 1)
        withdraw_consent(session, crowd[1])
        add_person(session, "N", templates=0)
    assert offered() == 50
    with factory.begin() as session:
        deactivate(session, crowd[2], 1)
    assert offered() is None
    with factory.begin() as session:
        calibration.note_look(session, Made(MODEL, "root", 49, 0, 9.0))
    for picture_of in crowd[3:10]:  # another picture of somebody known is no enrolment
        with factory.begin() as session:
            of = EnrolmentPicture.employee_id == picture_of
            picture = session.scalars(select(EnrolmentPicture).where(of)).first()
            assert picture is not None
            picture.created_ms = now_ms() + 60_000
    with reading(factory) as session:
        assert calibration.enrolled_since(session, MODEL) == 0
    with factory.begin() as session:
        new = [add_person(session, f"F-{number}", templates=1) for number in range(50)]
        of = EnrolmentPicture.employee_id.in_(new)
        for picture in session.scalars(select(EnrolmentPicture).where(of)):
            picture.created_ms = now_ms() + 60_000
    assert offered() == 50
    with factory.begin() as session:
        calibration.reset(session, MODEL, "root")
    assert offered() == 50, "taking a limit back is no look"


def test_the_kiosks_page_offers_it_and_advises_a_badge(
    site: Site, browser: Browser, redis_pair, add_person: Add
) -> None:
    with site.sessions.begin() as session:
        for number in range(50):
            add_person(session, f"E-{number}", templates=1)
    data = {"model_id": MODEL, "ready": True, "threshold": 8.5, "site_limit": 8.5}
    beat(redis_pair, "worker", "w1", data | {"accepts_too_few": True, "true_accept_rate": 0.85})
    page = browser.get("/kiosks").text
    for words in ("50 people were enrolled since", "See who looks alike", "site’s limit", "85 % of genuine"):
        assert words in page
    with site.sessions.begin() as session:
        calibration.note_look(session, Made(MODEL, "root", 50, 0, 8.5))
    beat(redis_pair, "worker", "w1", data | {"accepts_too_few": "yes", "site_limit": "<b>", "model_id": ["x"]})
    page = browser.get("/kiosks").text
    for words in ("See who looks alike", "Many may not", "site’s limit", "<b>"):
        assert words not in page
