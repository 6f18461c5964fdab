"""Several workers of one machine: who gets which name, threads and port, and that they all end together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.workers import environments
from tests.conftest import RedisPair
from tests.deploy.test_cli import call
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]


def test_cores_are_shared_out_and_names_and_ports_differ() -> None:
    three = environments(WorkerSettings(name="w", metrics_port=9100), 3, "w", cores=8)
    assert [one["ATTENDANCE_WORKER_NAME"] for one in three] == ["w-1", "w-2", "w-3"]
    assert [one["ATTENDANCE_WORKER_THREADS"] for one in three] == ["2", "2", "2"]
    assert [one["ATTENDANCE_WORKER_METRICS_PORT"] for one in three] == ["9100", "9101", "9102"]


def test_more_workers_than_cores_have_a_thread_each_and_set_threads_hold() -> None:
    assert {one["ATTENDANCE_WORKER_THREADS"] for one in environments(WorkerSettings(name="w"), 4, "w", cores=2)} == {
        "1"
    }
    assert environments(WorkerSettings(name="w", threads=6), 2, "w", cores=2)[1]["ATTENDANCE_WORKER_THREADS"] == "6"
    (alone,) = environments(WorkerSettings(name="w"), 1, "w", cores=2)
    assert alone == {"ATTENDANCE_WORKER_NAME": "w", "ATTENDANCE_WORKER_THREADS": "2"}


def test_the_longest_name_still_fits() -> None:
    for one in environments(WorkerSettings(name="w" * 64), 32, "w" * 64):
        WorkerSettings(name=one["ATTENDANCE_WORKER_NAME"])


@pytest.mark.parametrize("value", ["0", "33", "many"])
def test_a_wrong_number_is_refused(value: str, tmp_path: Path) -> None:
    assert call("worker", "--count", value)[0] == 2
    code, text = call("up", ATTENDANCE_WORKERS=value, ATTENDANCE_HOME=str(tmp_path))
    assert (code, text.split("=")[0]) == (2, "ATTENDANCE_WORKERS")


def test_processes_start_and_end_together(redis_pair: RedisPair, tmp_path: Path) -> None:
    """A model that isn't there ends each worker at once: enough to see them started, told apart and stopped."""
    model = {"ATTENDANCE_MODEL": str(tmp_path / "no-bundle"), "ATTENDANCE_HOME": str(tmp_path)}
    environment = {**os.environ, **redis_pair.environment(), **model, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "deploy.cli", "worker", "--count", "2", "--name", "w"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("2 workers")
    logs = [tmp_path / "logs" / f"worker-{number}.log" for number in (1, 2)]
    deadline_s = time.monotonic() + 60
    while not all(log.exists() and "no-bundle" in log.read_text() for log in logs):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()
