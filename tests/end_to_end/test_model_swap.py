"""Another model goes through push and use into a running site, and back: real processes, real networks, nobody restarted.

The bundle has random weights and a threshold that nobody meets, so all that it may do is not to recognise.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dashboard.database import reading
from dashboard.models import AttendanceEvent, DecisionRecord, Template
from deploy.demo_scene import ENROLLED, ENROLLED_CODE, portrait_jpeg
from tests.end_to_end.processes import wait_for
from tests.end_to_end.running_site import CLI, DOOR, SHARD, RunningSite
from training.export import write_bundle
from worker.network import build
from worker.protocol import heartbeats, keys
from worker.protocol.bundle import Threshold
from worker.protocol.entries import Feedback, decode_feedback
from worker.protocol.outcomes import Outcome

NOBODY = 1e-6
"""A distance that no two pictures have."""


@pytest.fixture
def site(make_site: Any) -> Iterator[RunningSite]:
    made = make_site(ATTENDANCE_DASHBOARD_PRESENCE_GAP_S="0", ATTENDANCE_WORKER_COOLDOWN_S="0")
    yield made
    made.stop()


def command(site: RunningSite, *words: str) -> str:
    """The command as its operator gives it, in the site's home; what it printed."""
    root = str(Path(__file__).parents[2])
    environment = {**site.environment, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([*CLI, *words], env=environment, cwd=site.home, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recorded(site: RunningSite, model_id: str) -> int:
    with reading(site.sessions) as session:
        query = select(func.count()).select_from(AttendanceEvent).join(DecisionRecord)
        return session.scalar(query.where(DecisionRecord.model_id == model_id)) or 0


def worker_says(site: RunningSite) -> dict[str, Any]:
    client = site.client("live")
    try:
        return next((beat.data for beat in heartbeats.read(client, SHARD, "worker")), {})
    finally:
        client.close()


def judged_faces(site: RunningSite, model_id: str) -> list[Outcome]:
    """Outcomes of the frames with a face that the model has judged, as far as they are kept."""
    client = site.client("live")
    try:
        entries = [decode_feedback(fields) for _, fields in client.xrange(keys.feedback(SHARD, DOOR))]
    finally:
        client.close()
    return [one.outcome for one in entries if isinstance(one, Feedback) and one.faces and one.model_id == model_id]


@pytest.mark.long
def test_a_bundle_is_pushed_used_and_rolled_back(site: RunningSite, tmp_path: Path) -> None:
    people = tmp_path / "people" / f"{ENROLLED_CODE}_{ENROLLED.replace(' ', '-')}"
    people.mkdir(parents=True)
    (people / "portrait.jpg").write_bytes(portrait_jpeg(ENROLLED))
    command(site, "enroll", "--consent", str(people.parent))
    old, worker_pid = worker_says(site)["model_id"], site.pid("worker")
    site.stage.enter(ENROLLED)
    wait_for(lambda: recorded(site, old), 40, "she is recorded by SFace")
    site.stage.leave()

    bundle = tmp_path / "bundle"
    thresholds = [Threshold(false_match_rate=1e-3, distance=NOBODY)]
    info = write_bundle(
        build().eval(),
        bundle,
        thresholds=thresholds,
        threshold_source="random weights",
        licence="none",
        card="# None\n",
    )
    assert info.id in command(site, "model", "check", str(bundle))
    assert f"{info.id}: 1 workers took it" in command(site, "model", "push", str(bundle))
    assert (site.home / "models" / info.id / "model.json").read_bytes() == (bundle / "model.json").read_bytes()
    assert worker_says(site)["model_id"] == old
    assert f"{info.id} serves (epoch 1)" in command(site, "model", "use", str(bundle))
    assert (worker_says(site)["model_id"], worker_says(site)["ready"]) == (info.id, True)
    with reading(site.sessions) as session:
        assert set(session.scalars(select(Template.model_id))) == {old, info.id}

    before = recorded(site, old)
    site.stage.enter(ENROLLED)
    wait_for(lambda: len(judged_faces(site, info.id)) >= 8, 40, "the new model judges faces")
    assert Outcome.ACCEPTED not in judged_faces(site, info.id), "random weights know nobody"
    site.stage.leave()
    assert f"{old} serves (epoch 2)" in command(site, "model", "rollback")
    site.stage.enter(ENROLLED)
    wait_for(lambda: recorded(site, old) > before, 40, "she is recorded by SFace again")
    assert recorded(site, info.id) == 0
    assert site.pid("worker") == worker_pid, "nothing was started again"
