"""`attendance model use` and `rollback` on a whole site: workers, publisher, database and Redis are real, faces aren't."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from dashboard.database import reading
from dashboard.gallery import serving
from dashboard.gallery.serving import Standing
from dashboard.models import Employee, EnrolmentPicture, ServingModel, Template
from deploy.cli import app
from deploy.errors import Problem
from tests.conftest import RedisPair
from tests.deploy.swap_site import FACELESS, SlowEngine, SwapSite
from tests.worker import fakes
from tests.worker.bundles import small_bundle, small_fusion
from tests.worker.fakes import MODEL, until
from tests.worker.test_main import Kiosk
from worker import named_models, sface
from worker.protocol import keys
from worker.protocol.outcomes import Outcome
from worker.protocol.serving import Serving


@pytest.fixture
def site(redis_pair: RedisPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SwapSite]:
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)
    monkeypatch.setattr(SlowEngine, "pause_s", 0.0)
    monkeypatch.setattr(SlowEngine, "embedded", 0)
    made = SwapSite(redis_pair, tmp_path)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.stop()


def ready(site: SwapSite, *names: str) -> None:
    for name in names:
        site.start_worker(name)
    until(lambda: set(site.beats()) == set(names) and all(one.ready for one in site.beats().values()))


def standing(site: SwapSite) -> Standing:
    with reading(site.sessions) as session:
        return serving.read(session)


def test_there_and_back_with_somebody_at_the_door(site: SwapSite) -> None:
    site.enrol("E-1", 10, 20)
    site.enrol("E-2", 30)
    ready(site, "w1", "w2")
    door = Kiosk(site.pair, 10)
    door.start()
    try:
        until(lambda: fakes.decisions(site.pair.ledger))
        assert site.swap() == Standing(site.bundle_id, MODEL, None, 1, 2)
        assert site.all_serve(site.bundle_id, 1)
        assert "3 pictures embedded" in site.words()
        until(lambda: fakes.decisions(site.pair.ledger)[-1].model_id == site.bundle_id)
        site.enrol("E-3", 40, model=site.bundle_id)
        assert site.swap(MODEL) == Standing(MODEL, site.bundle_id, None, 2, 4)
        assert site.templates(MODEL) == 4, "who came meanwhile was embedded by the old one, too"
        until(lambda: fakes.decisions(site.pair.ledger)[-1].model_id == MODEL)
    finally:
        door.stop()
    found = fakes.answers(site.pair.live)
    assert {one.outcome for one in found} <= {Outcome.ACCEPTED, Outcome.DECIDING, Outcome.NOT_READY}
    made = {(d.outcome, d.employee_id is not None) for d in fakes.decisions(site.pair.ledger)}
    assert made == {(Outcome.ACCEPTED, True)}, "nobody was unknown for a moment"
    assert site.swap(MODEL).epoch == 2, "what serves already is left alone"


def test_who_lacks_it_is_named_and_nothing_begins(site: SwapSite) -> None:
    site.enrol("E-1", 10)
    ready(site, "w1")
    site.start_worker("w2", holds=False)
    until(lambda: len(site.beats()) == 2)
    with pytest.raises(Problem, match=rf"worker s0/w2 doesn't hold {site.bundle_id}(.|\n)*attendance model push"):
        site.swap()
    assert standing(site) == Standing()
    result = CliRunner().invoke(app, ["model", "push", str(site.home / "bundle")])
    assert (result.exit_code, result.stdout) == (0, f"{site.bundle_id}: 1 workers took it, 1 had it\n"), result.stderr
    until(lambda: site.bundle_id in site.beats()["w2"].held)
    result = CliRunner().invoke(app, ["model", "use", str(site.home / "bundle")])
    assert result.exit_code == 0, result.output
    assert site.all_serve(site.bundle_id, 1)
    said = json.loads(CliRunner().invoke(app, ["model", "list", "--json"]).stdout)
    serving = {"revision": 2, "epoch": 1, "model_id": site.bundle_id, "coming": None, "limits": {}}
    assert said["shards"] == {"s0": serving}
    assert [one["name"] for one in said["workers"]] == ["w1", "w2"]
    shown = CliRunner().invoke(app, ["model", "list"]).stdout
    assert f"shard s0: {site.bundle_id} serves (epoch 1)" in shown
    result = CliRunner().invoke(app, ["model", "rollback"])
    assert result.exit_code == 0, result.output
    assert site.all_serve(MODEL, 2)


def test_a_worker_that_comes_later_without_it_judges_nobody(site: SwapSite) -> None:
    site.enrol("E-1", 10)
    ready(site, "w1")
    site.swap()
    site.start_worker("w9", holds=False)
    late = until(lambda: (one := site.beats().get("w9")) and one.missing and one)
    assert (late.ready, late.missing) == (False, site.bundle_id)
    shown = CliRunner().invoke(app, ["status", "--json", "--seconds", "0.6"]).stdout
    assert f"worker w9 is not ready: it doesn't hold {site.bundle_id}" in shown
    shown = CliRunner().invoke(app, ["doctor", "--json"]).stdout
    assert f"doesn't hold {site.bundle_id}, which is to serve" in shown
    with pytest.raises(Problem, match="worker s0/w9 doesn't hold"):
        site.swap()


def test_who_would_be_unknown_is_named_first(site: SwapSite) -> None:
    site.enrol("E-1", 10)
    site.enrol("N-1")
    ready(site, "w1")
    with pytest.raises(Problem, match="1 people won't be recognised by"):
        site.swap()
    assert "Name of N-1 (N-1): no stored picture" in site.words()
    assert standing(site) == Standing(), "nothing was begun"
    with site.sessions.begin() as session:
        session.execute(Employee.__table__.delete().where(Employee.code == "N-1"))
    site.enrol("F-1", FACELESS)
    with pytest.raises(Problem, match=r"1 people won't be recognised.*enrol them with another picture"):
        site.swap()
    assert standing(site).coming == site.bundle_id
    assert site.swap(yes=True).epoch == 1
    assert "Name of F-1 (F-1): the model finds no face in their pictures" in site.words()


def test_two_at_once_and_what_is_cancelled(site: SwapSite, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        site.enrol(f"E-{number}", 10 + 10 * number)
    ready(site, "w1")
    monkeypatch.setattr(SlowEngine, "pause_s", 0.15)
    said: list[object] = []
    first = threading.Thread(target=lambda: said.append(site.swap()))
    first.start()
    until(lambda: standing(site).coming)
    with pytest.raises(Problem, match="another command is bringing"):
        site.swap()
    result = CliRunner().invoke(app, ["model", "cancel"])
    assert result.exit_code == 2
    assert "another command is bringing" in result.stderr
    first.join(30)
    assert said == [Standing(site.bundle_id, MODEL, None, 1, 2)]
    assert CliRunner().invoke(app, ["model", "cancel"]).stdout == "nothing was being brought in\n"


def test_a_command_that_is_killed_is_given_again(site: SwapSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 in the middle: the old model serves on, and the next run makes only what is missing."""
    for number in range(12):
        site.enrol(f"E-{number}", 10 + 10 * number)
    ready(site, "w1")
    monkeypatch.setattr(SlowEngine, "pause_s", 0.2)
    command = [sys.executable, "-m", "deploy.cli", "model", "use", site.bundle_id]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen(
        command, cwd=site.home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        until(lambda: site.templates(site.bundle_id) >= 3 or process.poll() is not None, 60)
    finally:
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=20)
    made = site.templates(site.bundle_id)
    assert 3 <= made < 12, output.decode()
    assert site.beats()["w1"].serving == MODEL
    with pytest.raises(Problem, match="wait 30 s"):
        site.swap()
    with site.sessions.begin() as session:  # half a minute later
        session.execute(update(ServingModel).values(held_until_ms=1))
    monkeypatch.setattr(SlowEngine, "pause_s", 0.0)
    until(lambda: not site.pair.live.xlen(keys.requests("s0")))
    before = SlowEngine.embedded
    assert site.swap().epoch == 1
    # One more where the worker was still at the killed command's last picture.
    assert SlowEngine.embedded - before <= 12 - made + 1
    assert site.templates(site.bundle_id) == 12


def test_a_worker_that_ends_in_the_middle_is_no_loss(site: SwapSite, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        site.enrol(f"E-{number}", 10 + 10 * number)
    ready(site, "w1", "w2")
    monkeypatch.setattr(SlowEngine, "pause_s", 0.15)
    said: list[object] = []
    swapping = threading.Thread(target=lambda: said.append(site.swap()))
    swapping.start()
    until(lambda: site.templates(site.bundle_id) >= 2)
    site.stop_worker("w2")
    swapping.join(60)
    assert said == [Standing(site.bundle_id, MODEL, None, 1, 2)]
    assert site.templates(site.bundle_id) == 10


def test_a_bundle_that_workers_cant_load(site: SwapSite) -> None:
    site.enrol("E-1", 10)
    ready(site, "w1")
    (site.home / "w1" / "models" / site.bundle_id / "MODEL_CARD.md").write_text("damaged")
    with pytest.raises(Problem, match=r"worker s0/w1: model.safetensors: holds NaN(.|\n)*attendance model cancel"):
        site.swap()
    assert site.beats()["w1"].ready, "the old one serves on"
    other = small_bundle(site.home / "other", seed=2, size=20_000).id
    small_bundle(site.home / "w1" / "models" / other, seed=2, size=20_000)
    until(lambda: other in site.beats()["w1"].held)
    with pytest.raises(Problem, match="half brought in"):
        site.swap(other)
    assert CliRunner().invoke(app, ["model", "cancel"]).stdout == f"{site.bundle_id} is given up\n"
    assert site.swap(other).model_id == other


def test_a_wrong_database_is_noticed(site: SwapSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site.enrol("E-1", 10)
    ready(site, "w1")
    until(lambda: site.beats()["w1"].people == 1)
    with site.sessions.begin() as session:
        session.execute(EnrolmentPicture.__table__.delete())
    with pytest.raises(Problem, match="holds no pictures, but workers know people"):
        site.swap()
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "elsewhere"))
    result = CliRunner().invoke(app, ["model", "rollback"])
    assert result.exit_code == 2
    assert "attendance.db is not there" in result.stderr


def test_every_shard_gets_its_own_key_under_the_same_epoch(redis_pair: RedisPair, tmp_path: Path) -> None:
    site = SwapSite(redis_pair, tmp_path, ("s0", "s1"))
    try:
        site.enrol("E-1", 10)
        site.start_worker("w1")
        site.start_worker("w2", shard="s1")
        until(lambda: len(site.beats()) == 2 and all(one.ready for one in site.beats().values()))
        site.swap()
        assert site.all_serve(site.bundle_id, 1)
        found = {redis_pair.ledger.get(keys.serving(shard)) for shard in ("s0", "s1")}
        assert [Serving.from_bytes(raw) for raw in found] == [Serving(revision=2, epoch=1, model_id=site.bundle_id)]
    finally:
        site.stop()


@pytest.mark.parametrize("name", ["resnet50-triplet", "fusion"])
def test_what_ships_needs_no_push(site: SwapSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A fusion's templates have 256 numbers, from the worker through database and ledger to the next worker."""
    monkeypatch.setattr(named_models, "FOLDER", tmp_path / "shipped")
    resnet = small_bundle(tmp_path / "shipped" / "resnet50-triplet", seed=9, size=1_000).id
    small_fusion(tmp_path / "shipped" / "fusion", [sface.info().id, resnet])
    site.enrol("E-1", 10)
    site.enrol("E-2", 20, 30)
    ready(site, "w1", "w2")
    result = CliRunner().invoke(app, ["model", "use", name])
    assert result.exit_code == 0, result.output
    info = named_models.info_of(name)
    assert site.all_serve(info.id, 1)
    with reading(site.sessions) as session:
        vectors = session.scalars(select(Template.vector).where(Template.model_id == info.id)).all()
    assert [len(vector) for vector in vectors] == [4 * info.embedding_size] * 3
    door = Kiosk(site.pair, 20)
    door.start()
    try:
        until(lambda: any(one.outcome is Outcome.ACCEPTED for one in fakes.decisions(site.pair.ledger)))
    finally:
        door.stop()
    assert {one.model_id for one in fakes.decisions(site.pair.ledger)} == {info.id}
    assert site.swap(MODEL).model_id == MODEL, "and back to templates of 128"


def test_what_can_be_said_about_a_target(site: SwapSite, tmp_path: Path) -> None:
    ready(site, "w1")
    for words, why in (
        (str(tmp_path / "nothing"), "nor the folder of a model bundle"),
        ("sface", "name one by its id"),
    ):
        result = CliRunner().invoke(app, ["model", "use", words])
        assert (result.exit_code, why in result.stderr) == (2, True), result.output
    result = CliRunner().invoke(app, ["model", "rollback"])
    assert (result.exit_code, "nothing to go back to" in result.stderr) == (2, True)
    result = CliRunner().invoke(app, ["model", "check", str(site.home / "bundle")])
    assert (result.exit_code, "export the bundle again" in result.stderr) == (2, True), result.output
