"""`attendance calibrate` on a whole site: workers, publisher, database and Redis are real, faces aren't."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from dashboard.models import Employee, Template
from deploy.cli import app
from deploy.doctor_site import calibration as doctors_look
from tests.conftest import RedisPair
from tests.deploy.swap_site import SwapSite
from tests.worker.fakes import INFO, MODEL, away, until
from worker.protocol import keys
from worker.protocol.finding import State
from worker.protocol.heartbeats import Heart

NEAR = 8.0
"""Two people are as near as that, well within the 9 to 10 of the fakes' model."""


@pytest.fixture
def site(redis_pair: RedisPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SwapSite]:
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)
    made = SwapSite(redis_pair, tmp_path)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    for code, level in (("E-1", 10), ("E-2", 20), ("E-3", 30)):
        made.enrol(code, level)
    with made.sessions.begin() as session:  # E-2 looks like E-1
        picture = select(Template.picture_id).join(Template.picture).join(Employee).where(Employee.code == "E-2")
        vector = away(1, NEAR).astype("<f4").tobytes()
        session.execute(update(Template).where(Template.picture_id.in_(picture)).values(vector=vector))
    yield made
    made.stop()


def ready(site: SwapSite, *names: str) -> None:
    for name in names:
        site.start_worker(name)
    until(
        lambda: set(site.beats()) == set(names) and all(one.ready and one.people == 3 for one in site.beats().values())
    )


def calibrate(*options: str) -> Result:
    return CliRunner().invoke(app, ["calibrate", *options])


def as_json(*options: str) -> dict[str, Any]:
    result = calibrate("--json", *options)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert isinstance(said, dict)
    return said


def test_a_limit_is_found_applied_followed_and_taken_back(site: SwapSite) -> None:
    ready(site, "w1", "w2")
    rule = site.workers["w1"][0].pipeline.threshold().distance
    said = as_json()
    assert said["nearest"][0]["distance"] == pytest.approx(NEAR, abs=1e-3)
    assert {said["nearest"][0][side]["code"] for side in ("one", "other")} == {"E-1", "E-2"}
    assert (said["false_matches"]["hits"], said["false_matches"]["of"]) == (1, 3)
    assert (said["meets_target"], said["applied"], said["threshold"]) == (False, None, rule)
    assert NEAR - 1e-3 < said["stricter"] < NEAR
    assert [worker.pipeline.threshold().distance for worker, _ in site.workers.values()] == [rule, rule]

    began_s = time.monotonic()
    applied = as_json("--apply")
    assert time.monotonic() - began_s < 3
    assert applied["applied"] == said["stricter"]
    assert applied["not_followed_by"] == []
    for worker, _ in site.workers.values():
        until(lambda worker=worker: worker.pipeline.rules().threshold == said["stricter"], 2)
        assert worker.pipeline.ready, "nobody is left unjudged for it"

    site.start_worker("w3")  # one that starts later knows it from the ledger
    until(lambda: site.workers["w3"][0].pipeline.ready)
    assert site.workers["w3"][0].pipeline.rules().threshold == said["stricter"]
    until(lambda: "w3" in site.beats())
    again = calibrate("--apply")
    assert "the site's limit; the bundle's rule gives" in again.stdout
    assert "No stricter threshold is needed.\nNothing is changed." in again.stdout

    assert as_json("--reset")["reset"] == said["stricter"]
    for worker, _ in site.workers.values():
        until(lambda worker=worker: worker.pipeline.rules().threshold == rule, 2)
    assert "has set no limit" in calibrate("--reset").stdout


def test_a_lost_key_loosens_nothing(site: SwapSite) -> None:
    ready(site, "w1")
    limit = as_json("--apply")["applied"]
    worker = site.workers["w1"][0]
    for _ in range(20):
        site.pair.ledger.delete(keys.serving("s0"))
        assert worker.pipeline.threshold().distance == limit
        time.sleep(0.05)
    until(lambda: site.pair.ledger.exists(keys.serving("s0")))


def test_another_model_keeps_its_own_rule(site: SwapSite) -> None:
    ready(site, "w1")
    limit = as_json("--apply")["applied"]
    site.swap()
    until(lambda: site.all_serve(site.bundle_id, 1))
    worker = site.workers["w1"][0]
    assert worker.pipeline.threshold().distance == worker.pipeline.threshold().rule_distance
    site.swap(MODEL)
    until(lambda: worker.pipeline.threshold().distance == limit)


def test_the_words_name_the_pair_and_say_what_to_do(site: SwapSite) -> None:
    ready(site, "w1")
    words = calibrate().stdout
    for part in ("E-1 Name of E-1 and E-2", "WITHIN the threshold", "1 of 3 (33.333%", "Nobody has two pictures"):
        assert part in words
    assert "A stricter threshold of 7.9" in words


def test_names_that_would_move_the_cursor_are_shown_harmlessly(site: SwapSite) -> None:
    with site.sessions.begin() as session:
        session.execute(update(Employee).values(name="\x1b[2J\nEve"))
    ready(site, "w1")
    assert "\x1b" not in calibrate().stdout


def test_without_a_worker_or_with_an_odd_one(site: SwapSite, redis_pair: RedisPair) -> None:
    assert "no worker is ready" in calibrate().output
    good = {"ready": True, "model_id": MODEL, "alpha": INFO.alpha, "rule_threshold": 9.5, "wanted_fpir": 1e-3}
    for odd in ({"threshold": None}, {"threshold": True}, {"threshold": -1}, {"threshold": 9.5, "model_id": [1]}):
        Heart(redis_pair.live, "s0", "worker", "odd", lambda odd=odd: good | odd).beat()
        assert "no worker is ready" in calibrate().output
    Heart(redis_pair.live, "s0", "worker", "odd", lambda: good | {"threshold": 9.5}).beat()
    Heart(redis_pair.live, "s0", "worker", "other", lambda: good | {"threshold": 9, "model_id": "other"}).beat()
    result = calibrate()
    assert result.exit_code == 2
    assert "workers serve different models" in result.output
    assert "choose one" in calibrate("--apply", "--reset").output


def test_doctor_offers_it(site: SwapSite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctors_look() == []
    ready(site, "w1")
    assert [one.state for one in doctors_look()] == [State.OK]
    monkeypatch.setattr("dashboard.gallery.calibration.OFFER_EVERY", 3)
    (finding,) = doctors_look()
    assert finding.words == "3 people enrolled since the last calibration"
    assert "attendance calibrate" in finding.advice
    limit = as_json("--apply")["applied"]
    (finding,) = doctors_look()
    assert (finding.state, finding.words) == (State.OK, f"the site's limit: {limit:.4f}")
