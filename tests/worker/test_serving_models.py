"""Whole workers on a real Redis that follow the ledger's key: which model judges, and when nobody may."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.bundles import small_bundle
from tests.worker.fakes import MODEL, FakeEngine, Publisher, away, axis, jpeg, person, sight, until
from tests.worker.test_main import ANNA, Kiosk, kiosk, saw  # noqa: F401 kiosk is a fixture
from worker import named_models
from worker.engine import Engine
from worker.main import Worker
from worker.protocol import heartbeats, keys
from worker.protocol.bundle import BadBundle, ModelInfo, read_info
from worker.protocol.entries import EnrolReply, EnrolRequest, GalleryPerson, as_any, unpack_fields
from worker.protocol.outcomes import Outcome
from worker.protocol.serving import Serving
from worker.settings import WorkerSettings

OLD_ANNA, NEW_ANNA = 1, 40
"""Axes of the template that each model makes of the same face."""
Doors = Callable[..., Kiosk]


class NewEngine(FakeEngine):
    """The other model: the same pictures, other templates."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__({ANNA: sight(axis(NEW_ANNA))}, info)


def old_engine() -> FakeEngine:
    return FakeEngine({ANNA: sight(away(OLD_ANNA, 6.0))})


def fake_load(where: str) -> Engine:
    """In the place of the real loader: the metadata is read, the weights are not."""
    if where == "sface":
        return old_engine()
    info = read_info(Path(where) / "model.json")
    if (Path(where) / "damaged").exists():
        raise BadBundle("model.safetensors: holds NaN")
    return NewEngine(info)


def anna(axis_number: int) -> GalleryPerson:
    return GalleryPerson(employee_id="e1", name="Person 1", templates=[axis(axis_number).astype("<f4").tobytes()])


class Site:
    def __init__(self, pair: RedisPair, settings: WorkerSettings) -> None:
        self.pair, self.revision = pair, 0
        urls = {"live_url": pair.live_server.url(), "ledger_url": pair.ledger_server.url()}
        self.settings = settings.model_copy(update={**urls, "cooldown_s": 0.0})
        self.publisher = Publisher(pair.ledger)
        self.publisher.reset(person(1))
        self.worker = Worker(self.settings, old_engine(), fake_load)
        self.thread = threading.Thread(target=self.worker.run, daemon=True)

    def bundle(self, seed: int = 1) -> str:
        """Put a bundle into the worker's models folder; its id."""
        draft = self.settings.models_folder / f"draft-{seed}"
        model_id = small_bundle(draft, seed, size=1_000).id
        draft.rename(draft.with_name(model_id))
        return model_id

    def publish(self, model_id: str, *people: GalleryPerson) -> None:
        other = Publisher(self.pair.ledger, model_id, self.publisher.version)
        other.reset(*people)
        self.publisher.version = other.version
        self.pair.ledger.hset(keys.gallery("s0", MODEL), ":version", other.version)

    def name(self, model_id: str | None, epoch: int, coming: str | None = None) -> None:
        self.revision += 1
        one = Serving(revision=self.revision, epoch=epoch, model_id=model_id, coming=coming)
        self.pair.ledger.set(keys.serving("s0"), one.to_bytes())

    def beat(self) -> dict[str, Any]:
        return next((beat.data for beat in heartbeats.read(self.pair.live, "s0", "worker")), {})

    def accepted_by(self, model_id: str) -> bool:
        found = [one for one in fakes.answers(self.pair.live) if one.outcome is Outcome.ACCEPTED]
        return bool(found) and found[-1].model_id == model_id


@pytest.fixture
def site(redis_pair: RedisPair, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)
    made = Site(redis_pair, settings)
    made.thread.start()
    yield made
    made.worker.stop()
    made.thread.join(20)
    assert not made.thread.is_alive()


def test_without_the_key_its_own_setting_serves(site: Site, kiosk: Doors) -> None:  # noqa: F811
    kiosk(ANNA)
    until(lambda: site.accepted_by(MODEL))
    beat = until(lambda: site.beat())
    assert (beat["ready"], beat["model_id"], beat["model_epoch"], beat["model_missing"]) == (True, MODEL, 0, None)
    assert set(beat["models_held"]) == {MODEL, *named_models.here()}, "and those that ship, as they really are"


def test_a_switch_takes_engine_and_gallery_together_and_drops_the_tracks(site: Site, kiosk: Doors) -> None:  # noqa: F811
    new = site.bundle()
    site.publish(new, anna(NEW_ANNA))
    kiosk(ANNA)
    until(lambda: site.accepted_by(MODEL))
    site.name(None, 0, coming=new)
    until(lambda: site.beat().get("models_loaded", {}).get(new) == site.publisher.version)
    assert site.accepted_by(MODEL), "the old one serves until the switch"
    before = {number for one in fakes.answers(site.pair.live) for number in [f.track for f in one.faces]}
    site.name(new, 1)
    until(lambda: site.accepted_by(new))
    answers = fakes.answers(site.pair.live)
    first = next(n for n, one in enumerate(answers) if one.model_id == new)
    assert {one.model_id for one in answers[first:]} == {new}
    assert not before & {face.track for one in answers[first:] for face in one.faces}, "tracks restart"
    assert {one.outcome for one in answers[first:]} == {Outcome.DECIDING, Outcome.ACCEPTED}, (
        "never unknown, never not ready"
    )
    until(lambda: {d.model_id for d in fakes.decisions(site.pair.ledger)} == {MODEL, new})
    until(lambda: set(site.beat()["models_loaded"]) == {new}), "the old one is let go"
    site.name(MODEL, 2)
    until(lambda: site.accepted_by(MODEL))


def test_a_new_epoch_restarts_the_tracks_of_the_same_model(site: Site, kiosk: Doors) -> None:  # noqa: F811
    kiosk(ANNA)
    until(lambda: site.accepted_by(MODEL))
    before = fakes.answers(site.pair.live)[-1].faces[0].track
    site.name(MODEL, 5)
    until(lambda: site.beat().get("model_epoch") == 5)
    until(lambda: saw(site.pair, Outcome.ACCEPTED) and fakes.answers(site.pair.live)[-1].faces[0].track > before)


def test_a_worker_without_the_named_model_judges_nobody(site: Site, kiosk: Doors, caplog: Any) -> None:  # noqa: F811
    kiosk(ANNA)
    until(lambda: site.accepted_by(MODEL))
    absent = "resnet50-triplet-0123456789ab"
    site.name(absent, 1)
    until(lambda: fakes.answers(site.pair.live)[-1].outcome is Outcome.NOT_READY)
    beat = until(lambda: (b := site.beat()).get("model_missing") and b)
    assert (beat["ready"], beat["model_missing"]) == (False, absent)
    assert f"model {absent} is not held" in caplog.text
    until(lambda: not site.pair.live.exists(keys.workers("s0")))  # others take its kiosks
    assert _ask(site.pair).outcome is Outcome.NOT_READY, "nor is anybody enrolled by the wrong model"
    site.name(None, 2)
    until(lambda: fakes.answers(site.pair.live)[-1].outcome is Outcome.ACCEPTED)


def test_a_bundle_that_arrives_late_is_taken_up(site: Site, kiosk: Doors) -> None:  # noqa: F811
    new = small_bundle(site.settings.home / "elsewhere", 7, size=1_000).id
    site.name(new, 1)
    kiosk(ANNA)
    until(lambda: site.beat().get("model_missing") == new)
    site.publish(new, anna(NEW_ANNA))
    assert site.bundle(7) == new
    until(lambda: site.accepted_by(new))


def test_a_gallery_that_isnt_complete_is_waited_for(site: Site, kiosk: Doors) -> None:  # noqa: F811
    new = site.bundle()
    kiosk(ANNA)
    until(lambda: site.accepted_by(MODEL))
    site.name(new, 1)
    until(lambda: site.beat().get("model_id") == new)
    until(lambda: fakes.answers(site.pair.live)[-1].outcome is Outcome.NOT_READY)
    until(lambda: site.beat()["models_loaded"] == {new: None})
    site.publish(new, anna(NEW_ANNA))
    until(lambda: site.accepted_by(new))


def test_a_damaged_bundle_is_told_and_not_held(site: Site) -> None:
    new = site.bundle()
    (site.settings.models_folder / new / "damaged").touch()
    site.name(None, 0, coming=new)
    beat = until(lambda: (b := site.beat()).get("models_failed") and b)
    assert "holds NaN" in beat["models_failed"][new]
    assert new not in beat["models_held"]
    until(lambda: site.beat()["ready"])  # what only comes doesn't disturb what serves
    site.name(None, 0)
    until(lambda: not site.beat()["models_failed"])


@pytest.mark.parametrize("raw", [b"", b"{", json.dumps({"revision": 1, "epoch": 1, "model_id": "x"}).encode()])
def test_a_key_that_cant_be_read_stops_judging(site: Site, kiosk: Doors, raw: bytes) -> None:  # noqa: F811
    kiosk(ANNA)
    until(lambda: site.accepted_by(MODEL))
    site.pair.ledger.set(keys.serving("s0"), raw)
    until(lambda: fakes.answers(site.pair.live)[-1].outcome is Outcome.NOT_READY)
    site.pair.ledger.delete(keys.serving("s0"))
    until(lambda: fakes.answers(site.pair.live)[-1].outcome is Outcome.ACCEPTED)


def test_a_named_models_template_is_made_without_gates(site: Site) -> None:
    new = site.bundle()
    site.name(None, 0, coming=new)
    until(lambda: new in site.beat().get("models_loaded", {}))
    said = _ask(site.pair, new)
    assert (said.outcome, said.model_id, said.quality) == (Outcome.ENROLLED, new, {})
    np.testing.assert_allclose(np.frombuffer(said.template or b"", "<f4"), axis(NEW_ANNA), atol=1e-6)
    assert _ask(site.pair, new, level=90).outcome is Outcome.NO_FACE
    other = _ask(site.pair, "resnet50-triplet-0123456789ab")
    assert (other.outcome, other.template) == (Outcome.NOT_READY, None)
    assert "hasn't loaded" in (other.reason or "")
    assert _ask(site.pair, new, data=b"no picture").outcome is Outcome.BAD_FRAME


def _ask(pair: RedisPair, model_id: str | None = None, level: int = ANNA, data: bytes | None = None) -> EnrolReply:
    body = EnrolRequest(request_id="r1", jpeg=jpeg(level) if data is None else data, model_id=model_id)
    pair.live.xadd(keys.requests("s0"), as_any(body.to_fields()))
    answer: Any = pair.live.blpop([keys.reply("s0", "r1")], timeout=4)
    assert answer, "no reply"
    return EnrolReply.from_fields(unpack_fields(answer[1]))
