"""The whole product as a newcomer sees it: the demo, and `attendance up`. Whole processes, real Redis, real networks."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deploy.demo_home import PREFIX
from deploy.demo_scene import ENROLLED, portrait_picture
from tests.end_to_end.processes import free_ports

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(420)]
CLI = [sys.executable, "-m", "deploy.cli"]


def processes_in(home: Path | str) -> list[str]:
    """Command lines of living processes whose environment or arguments name `home`."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            said = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if folder.name.isdigit() and int(folder.name) != os.getpid() and str(home).encode() in said:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.mark.long
def test_the_headless_demo_records_the_enrolled_person_once_and_no_stranger(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [*CLI, "demo", "--headless", "--json", "--seconds", "32"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=environment)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert len(done.stdout.splitlines()) == 1
    assert set(result) == {
        *("frames_sent", "frames_processed", "frames_stale", "recorded", "unknown", "strangers_recorded"),
        *("latency_ms", "model_id"),
    }
    (record,) = result["recorded"]
    assert set(record) == {"employee", "kiosk", "captured_at", "distance", "threshold", "source"}
    assert record["employee"] == "E001"
    assert record["distance"] < record["threshold"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["captured_at"])
    assert result["strangers_recorded"] == 0
    assert result["unknown"] >= 1
    assert result["frames_sent"] >= result["frames_processed"] > 20
    assert result["latency_ms"]["p50"] <= result["latency_ms"]["p95"] <= result["latency_ms"]["p99"]
    assert result["model_id"].startswith("sface-")
    assert list(tmp_path.glob(f"{PREFIX}*")) == [], "the home with people's data is gone"
    assert processes_in(tmp_path) == []


@pytest.mark.long
def test_own_people_and_own_sources(tmp_path: Path) -> None:
    """Pictures of the demo's portrait, moved a little, as a folder source; the stranger's portrait as another."""
    import cv2
    import numpy as np

    people = tmp_path / "people" / "C7_Eileen_Collins"
    people.mkdir(parents=True)
    portrait = portrait_picture(ENROLLED)
    cv2.imwrite(str(people / "portrait.png"), portrait)
    for name, picture in (("walks", portrait), ("strange", portrait_picture("Grace Hopper"))):
        (tmp_path / name).mkdir()
        for number in range(6):
            move = np.array([[1, 0, 2.0 * number], [0, 1, 1.0 * number]])
            shifted = cv2.warpAffine(picture, move, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            cv2.imwrite(str(tmp_path / name / f"{number}.jpg"), shifted)
    sources = [str(tmp_path / "walks"), str(tmp_path / "strange")]
    command = [*CLI, "demo", "--headless", "--json", "--seconds", "12", "--fps", "4", "--stagger", "1"]
    command += ["--enroll", str(tmp_path / "people"), "--source", sources[0], "--source", sources[1]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["strangers_recorded"] is None
    assert [(r["employee"], r["source"], r["kiosk"]) for r in result["recorded"]] == [("C7", sources[0], "door-1")]


@pytest.mark.long
def test_up_starts_everything_refuses_a_second_one_and_stops_without_leftovers(tmp_path: Path) -> None:
    import cv2

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "1.jpg"), portrait_picture(ENROLLED))
    port, home = free_ports(), tmp_path / "home"
    environment = {
        **os.environ,
        "ATTENDANCE_HOME": str(home),
        "ATTENDANCE_KIOSKS": f"front-door={pictures}",
        "ATTENDANCE_DASHBOARD_PORT": str(port),
        "ATTENDANCE_KIOSK_SCREEN_BASE_PORT": str(port + 1),
        "ATTENDANCE_REDIS_BASE_PORT": str(port + 2),
    }
    up = subprocess.Popen([*CLI, "up"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert up.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in up.stdout or []:
            lines.put(line)

    threading.Thread(target=listen, daemon=True).start()
    said = ""
    try:
        deadline_s = time.monotonic() + 200
        while "everything is running" not in said:
            assert time.monotonic() < deadline_s, said
            assert up.poll() is None, said
            try:
                said += lines.get(timeout=1)
            except queue.Empty:
                continue
        assert re.search(r"admin / [a-z0-9]{4}-", said)
        second = subprocess.run([*CLI, "up"], capture_output=True, text=True, env=environment, timeout=60)
        assert second.returncode == 2
        assert f"process {up.pid}" in second.stderr
        asked = {**environment, "ATTENDANCE_KIOSK_SOURCE": str(pictures)}
        doctor = subprocess.run([*CLI, "doctor", "--json"], capture_output=True, text=True, env=asked, timeout=60)
        assert doctor.returncode == 0, doctor.stdout
        states = {f["check"]: f["state"] for f in json.loads(doctor.stdout)["findings"]}
        assert states["Redis, live"] == states["Redis, ledger"] == states["database"] == states["camera"] == "ok"
        assert any(check.startswith("worker ") and state == "ok" for check, state in states.items())
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    finally:
        up.kill()
        up.wait()
    assert processes_in(home) == []
    assert (home / "attendance.db").exists()
