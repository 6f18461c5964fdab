"""Settings as they may be shown, models as they are announced, and how fast counts rise."""

import json

import pytest
from pydantic import SecretStr, ValidationError

from dashboard.connectors.settings import FrappeSettings
from kiosk.settings import KioskSettings
from tests.worker.fakes import INFO
from worker.protocol.accuracy import Accuracy
from worker.protocol.announced import LONGEST_LICENCE, AnnouncedModel
from worker.protocol.explained import HIDDEN, announced, explain
from worker.protocol.rate import Rate
from worker.settings import WorkerSettings

KEY = "ab" * 32


def test_secrets_are_hidden_wherever_they_are() -> None:
    worker = WorkerSettings(site_private_key=SecretStr(KEY), redis_url="redis://w:a@b@host:1/0")
    frappe = FrappeSettings(api_key=SecretStr("hush-key"), api_secret=SecretStr("hush-secret"))
    kiosk = KioskSettings(source="rtsp://cam:p@ss/word@10.0.0.7/1?token=hush&x=1")
    said = json.dumps([announced(settings) for settings in (worker, frappe, kiosk)])
    for secret in (KEY, "hush", "p@ss", "ss/word", "a@b"):
        assert secret not in said
    assert f"redis://{HIDDEN}@host:1/0" in said
    assert f"rtsp://{HIDDEN}@10.0.0.7/1?token={HIDDEN}&x=1" in said


def test_only_what_differs_is_announced() -> None:
    assert (
        announced(WorkerSettings(name=WorkerSettings.model_fields["name"].get_default(call_default_factory=True))) == []
    )
    [one] = announced(KioskSettings(min_sharpness=7.5))
    assert (one["variable"], one["value"]) == ("ATTENDANCE_KIOSK_MIN_SHARPNESS", "7.5")
    assert "Laplacian" in one["words"]
    shown = {one.name: one for one in explain(KioskSettings(site_public_key="0" * 63 + "9"))}
    assert shown["site_public_key"].value == "0" * 63 + "9", "a public key is no secret"
    assert (shown["sound"].value, shown["mirror"].value) == ("true", "")


def test_a_model_is_announced_short_and_read_leniently() -> None:
    long = INFO.model_copy(update={"licence": "x" * 5_000})
    told = json.loads(json.dumps(AnnouncedModel.of(long).model_dump()))
    assert len(told["licence"]) == LONGEST_LICENCE
    read = AnnouncedModel.model_validate(told | {"said_by_a_newer_version": 1})
    assert (read.id, read.thresholds) == (INFO.id, tuple(INFO.thresholds))
    for wrong in ({"id": "<b>"}, {"embedding_size": 0}, {"thresholds": [{}]}, {"licence": "x" * 400}):
        with pytest.raises(ValidationError):
            AnnouncedModel.model_validate(told | wrong)
    assert read.accuracy is None
    known = {"lfw_view2": 0.98, "takes": 2, "takes_recognised": 1, "takes_confused": 0}
    assert AnnouncedModel.model_validate(told | {"accuracy": known}).accuracy == Accuracy.model_validate(known)
    for unread in ({"lfw_view2": 2}, {"a_newer_figure": 1}, "x", [1], {"takes": 2}):
        assert AnnouncedModel.model_validate(told | {"accuracy": unread}).accuracy is None


def test_a_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate(window_s=10)
    assert rate.of(0, 100.0) is None
    assert rate.of(5, 100.5) == 10.0
    for second in range(101, 130):
        found = rate.of(5, float(second))
    assert found == 0.0
    assert rate.of(25, 130.0) == 2.0
