"""The real networks once through: enrol a portrait, recognise it in another light, leave the other portrait unknown."""

import io
from typing import Any

import matplotlib.cbook
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from tests.conftest import RedisPair
from tests.worker.fakes import FixedGallery, KeptDecisions, taken
from worker.engine import Engine
from worker.enrolment import EnrolmentService
from worker.pipeline import Pipeline
from worker.protocol.entries import EnrolRequest, GalleryPerson
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters


def as_jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture(scope="module")
def hopper() -> Image.Image:
    """The US Navy's portrait of Grace Hopper (public domain)."""
    file: Any = matplotlib.cbook.get_sample_data("grace_hopper.jpg")
    with file:
        return Image.open(file).convert("RGB")


def test_from_enrolment_to_a_name(
    redis_pair: RedisPair, real_engine: Engine, portrait: NDArray[np.uint8], hopper: Image.Image
) -> None:
    settings = real_engine.settings
    gallery = FixedGallery()
    service = EnrolmentService(settings, real_engine, gallery, redis_pair.live, Counters())
    said = service.judge(EnrolRequest(request_id="r", jpeg=as_jpeg(Image.fromarray(portrait))))
    assert said.outcome is Outcome.ENROLLED
    assert said.template is not None
    assert said.model_id == real_engine.info.id
    gallery.hold(GalleryPerson(employee_id="e1", name="Eileen Collins", templates=[said.template]))
    again = service.judge(EnrolRequest(request_id="r", jpeg=as_jpeg(Image.fromarray(portrait[:, ::-1]))))
    assert again.outcome is Outcome.ALREADY_ENROLLED
    assert again.similar_employee_id == "e1"

    sender = KeptDecisions()
    pipeline = Pipeline(settings, real_engine, gallery, redis_pair.live, sender, Counters())
    for i in range(5):
        light = ImageEnhance.Brightness(Image.fromarray(portrait)).enhance(0.7 + 0.1 * i)
        pipeline.process(
            [
                taken(0, 300 * i, kiosk="front", data=as_jpeg(light.rotate(2 * i))),
                taken(0, 300 * i, kiosk="back", data=as_jpeg(hopper)),
            ]
        )
    pipeline.close_all()
    assert [(one.kiosk, one.outcome, one.employee_id) for one in sender.kept] == [
        ("front", Outcome.ACCEPTED, "e1"),
        ("back", Outcome.UNKNOWN, None),
    ]
    accepted, unknown = sender.kept
    assert accepted.distance is not None
    assert unknown.distance is not None
    assert accepted.distance < 7 < pipeline.threshold().distance < unknown.distance


def test_a_sight_is_as_good_as_its_quality(real_engine: Engine, portrait: NDArray[np.uint8]) -> None:
    dark, empty = (portrait * 0.1).astype(np.uint8), np.zeros((200, 300, 3), np.uint8)
    pair = np.concatenate([portrait, portrait], axis=1)
    (good, bad, nobody, two), stages = real_engine.look([portrait, dark, empty, pair])
    assert good.template is not None
    assert np.linalg.norm(good.template) == pytest.approx(10, abs=1e-3)
    assert bad.quality is None or bad.quality.fault is Outcome.TOO_DARK
    assert bad.template is None
    assert (nobody.faces, nobody.quality, nobody.template) == ([], None, None)
    assert two.several
    assert two.template is None
    assert set(stages) == {"detect", "embed"}


def test_batches_answer_as_single_pictures_do(real_engine: Engine, portrait: NDArray[np.uint8]) -> None:
    (alone,), _ = real_engine.look([portrait])
    many, _ = real_engine.look([portrait] * 3)
    for one in many:
        np.testing.assert_allclose(one.template, alone.template, atol=0.02)  # type: ignore[arg-type]
