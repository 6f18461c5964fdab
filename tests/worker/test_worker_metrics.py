"""A worker process is scraped while frames go through it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import RedisPair
from tests.scrape import free_port, scrape
from tests.worker.fakes import Publisher, person, until
from tests.worker.test_main import ANNA, TROUBLE, WORKER, Kiosk
from worker.protocol import keys


def test_a_worker_tells_of_frames_stages_gallery_and_decisions(redis_pair: RedisPair, tmp_path: Path) -> None:
    Publisher(redis_pair.ledger).reset(person(1))
    port, root = free_port(), Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "ATTENDANCE_WORKER_METRICS_PORT": str(port)}
    urls = [redis_pair.live_server.url(), redis_pair.ledger_server.url()]
    redis_pair.live.xadd(keys.frames("s0", "bad"), {"v": "1", "meta": "["})
    doors = [Kiosk(redis_pair, ANNA), Kiosk(redis_pair, TROUBLE, "bad")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", WORKER, *urls], cwd=root, env=environment, stderr=log)
    try:
        for door in doors:
            door.start()
        until(lambda: scrape(port).get("attendance_worker_decisions_total{outcome=accepted}"), timeout_s=60)
        until(lambda: scrape(port).get("attendance_worker_frames_total{outcome=bad_frame}"))
        found = scrape(port)
    finally:
        for door in doors:
            door.stop()
        process.terminate()
        process.kill()
        process.wait()
    prefix = "attendance_worker"
    assert found[f"{prefix}_frames_total{{outcome=accepted}}"] >= 1
    assert f"{prefix}_frames_total{{outcome=stale}}" in found
    assert found[f"{prefix}_frames_failed_total"] >= 1
    for stage in ("decode", "detect", "embed", "decide", "queue"):
        assert f"{prefix}_stage_seconds_sum{{stage={stage}}}" in found
    assert found[f"{prefix}_stage_seconds_count{{stage=decide}}"] >= 3
    assert found[f"{prefix}_frame_age_seconds_count"] >= 3
    assert found[f"{prefix}_batch_frames_count"] >= 3
    assert found[f"{prefix}_gallery_version"] == found[f"{prefix}_gallery_people"] == found[f"{prefix}_ready"] == 1
    assert found[f"{prefix}_kiosks"] == 2
    assert found[f"{prefix}_rounds_failed_total"] == 0
    assert not any("Person" in name or "e1" in name for name in found)
