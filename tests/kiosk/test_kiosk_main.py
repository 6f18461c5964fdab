"""A whole kiosk process against a real Redis: sends, listens, reports, survives, stops in time."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.main import WRONG_SETTINGS, run
from kiosk.settings import KioskSettings
from tests.conftest import RedisPair
from tests.kiosk.support import accepted, eventually, write_picture
from worker.protocol import heartbeats, keys
from worker.protocol.entries import Feedback, Frame, as_any
from worker.protocol.heartbeats import Heartbeat

CODE = """
import logging, sys
logging.basicConfig(level="INFO")
from kiosk.main import run
from kiosk.settings import KioskSettings
sys.exit(run(KioskSettings()))
"""
FRAMES, FEEDBACK = keys.frames("s0", "door-1"), keys.feedback("s0", "door-1")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for level in (40, 120, 200):
        write_picture(folder / f"{level:03}.png", level)
    return folder


@pytest.fixture
def start(redis_pair: RedisPair, pictures: Path) -> Iterator[Start]:
    running = []

    def begin(**settings: object) -> "subprocess.Popen[str]":
        chosen = {"source": pictures, "screen_port": 0, "folder_fps": 20, "answer_deadline_ms": 10_000} | settings
        environment = {f"ATTENDANCE_KIOSK_{name.upper()}": str(value) for name, value in chosen.items()}
        process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            env=os.environ | redis_pair.environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def heartbeat(pair: RedisPair) -> Heartbeat | None:
    return next(heartbeats.read(pair.live, "s0", "kiosk"), None)


def report(pair: RedisPair) -> dict[str, Any]:
    found = heartbeat(pair)
    return found.data if found else {}


def newest_frame(pair: RedisPair) -> Frame | None:
    found: Any = pair.live.xrevrange(FRAMES, count=1)
    return Frame.from_fields(found[0][1]) if found else None


def reply(pair: RedisPair, entry: Feedback) -> None:
    pair.live.xadd(FEEDBACK, as_any(entry.to_fields()), maxlen=keys.FEEDBACK_KEPT, approximate=False)


def stopped(process: "subprocess.Popen[str]") -> str:
    """Ask it to stop; its log. Fails when it takes longer than 3 s."""
    began_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert time.monotonic() - began_s < 3.0, output
    assert process.returncode == 0, output
    return output


def test_frames_go_out_answers_come_in_and_everything_is_reported(redis_pair: RedisPair, start: Start) -> None:
    process = start()
    assert eventually(lambda: newest_frame(redis_pair))
    frame = newest_frame(redis_pair)
    assert frame is not None
    reply(redis_pair, accepted(frame.seq))
    reply(redis_pair, accepted(7))
    assert eventually(lambda: report(redis_pair).get("feedback_stale") == 1)
    data = report(redis_pair)
    assert data["feedback"] == 1
    assert sum(data["latency"].values()) == 1
    assert data["gate_open"] is True
    assert data["camera"] == "ok"
    assert data["source"].endswith("pictures")
    assert data["presence"] == frame.presence
    assert abs(data["source_started_ms"] - time.time() * 1000) < 60_000
    with urllib.request.urlopen(data["screen_url"] + "healthz", timeout=20) as health:
        assert health.status == 200
    assert eventually(lambda: report(redis_pair).get("frames_sent", 0) > 5), "the face holds the gate open"
    last = report(redis_pair)["frames_sent"]
    output = stopped(process)
    assert "Traceback" not in output
    assert "Grace" not in output, "no names in logs"
    assert report(redis_pair)["frames_sent"] >= last, "the last heartbeat holds the last figures"


def test_a_killed_redis_is_survived(redis_pair: RedisPair, start: Start) -> None:
    process = start()
    assert eventually(lambda: newest_frame(redis_pair))
    redis_pair.live_server.kill()
    time.sleep(0.3)
    redis_pair.live_server.start()
    assert eventually(lambda: heartbeat(redis_pair) and newest_frame(redis_pair))
    frame = newest_frame(redis_pair)
    assert frame is not None
    reply(redis_pair, accepted(frame.seq))
    assert eventually(lambda: report(redis_pair).get("feedback") == 1)
    assert "Traceback" not in stopped(process)


def test_it_stops_in_time_while_redis_hangs(redis_pair: RedisPair, start: Start) -> None:
    process = start()
    assert eventually(lambda: newest_frame(redis_pair))
    server = redis_pair.live_server.process
    assert server is not None
    server.send_signal(signal.SIGSTOP)
    try:
        time.sleep(0.5)
        stopped(process)
    finally:
        server.send_signal(signal.SIGCONT)


@pytest.fixture
def in_thread(redis_pair: RedisPair, pictures: Path) -> Iterator[Callable[..., "InThread"]]:
    """Begin a kiosk in this process, away from the main thread: signal handlers stay what they are."""
    running: list[InThread] = []

    def begin(**settings: Any) -> InThread:
        chosen: dict[str, Any] = {
            "source": str(pictures),
            "live_url": redis_pair.live_server.url(),
            "screen_port": 0,
            "folder_fps": 20,
        }
        running.append(InThread(chosen | settings))
        return running[-1]

    yield begin
    for one in running:
        one.end()


class InThread:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.stop, self.result = threading.Event(), -1
        self.thread = threading.Thread(target=self._run, args=(settings,))
        self.thread.start()

    def _run(self, settings: dict[str, Any]) -> None:
        self.result = run(KioskSettings(**settings), self.stop)

    def end(self) -> int:
        self.stop.set()
        self.thread.join(20)
        return self.result


def test_the_camera_opens_only_once_the_start_file_is_there(
    redis_pair: RedisPair, in_thread: Callable[..., InThread], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    kiosk = in_thread(start_file=go, start_delay_s=0.2)
    assert eventually(lambda: report(redis_pair).get("camera") == "starting")
    assert newest_frame(redis_pair) is None
    go.touch()
    assert eventually(lambda: newest_frame(redis_pair))
    assert kiosk.end() == 0


@pytest.mark.parametrize("waiting", [{"start_file": Path("/nowhere/never")}, {"start_delay_s": 3600}])
def test_it_can_be_stopped_while_it_waits(
    redis_pair: RedisPair, in_thread: Callable[..., InThread], waiting: dict[str, Any]
) -> None:
    kiosk = in_thread(**waiting)
    assert eventually(lambda: heartbeat(redis_pair))
    began_s = time.monotonic()
    assert kiosk.end() == 0
    assert time.monotonic() - began_s < 3


def test_a_kiosk_without_redis_says_so_and_goes_on(
    redis_pair: RedisPair, in_thread: Callable[..., InThread], caplog: pytest.LogCaptureFixture
) -> None:
    redis_pair.live_server.kill()
    kiosk = in_thread()
    assert eventually(lambda: "Redis is away" in caplog.text)
    redis_pair.live_server.start()
    assert eventually(lambda: newest_frame(redis_pair))
    assert kiosk.end() == 0


def test_without_a_site_key_nothing_is_kept_and_the_log_says_so_once(
    redis_pair: RedisPair, in_thread: Callable[..., InThread], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    kiosk = in_thread(home=tmp_path / "home")
    assert eventually(lambda: newest_frame(redis_pair))
    redis_pair.live_server.kill()
    assert eventually(lambda: "Redis is away" in caplog.text)
    assert kiosk.end() == 0
    assert caplog.text.count("ATTENDANCE_SITE_PUBLIC_KEY") == 1
    assert not (tmp_path / "home").exists()


# --- settings that can't work: said at once, exit code 2 ---


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "/nowhere/clip.mp4"}, "no such file or folder"),
        ({"source": "rtmp://host/x"}, "rtmp:// is not known"),
        ({"live_url": None}, "ATTENDANCE_LIVE_URL"),
        (
            {"site_public_key": "a" * 64, "home": Path("/proc/nowhere"), "redis_url": "redis://127.0.0.1:1"},
            "ATTENDANCE_HOME",
        ),
        ({"site_public_key": "a" * 64, "home": Path("/tmp")}, "ATTENDANCE_LEDGER_URL"),
        ({"screen_host": "203.0.113.7"}, "ATTENDANCE_KIOSK_SCREEN_PORT"),
    ],
)
def test_what_cannot_work_is_said_at_start(
    settings: dict[str, Any], said: str, in_thread: Callable[..., InThread], caplog: pytest.LogCaptureFixture
) -> None:
    kiosk = in_thread(**settings)
    kiosk.thread.join(20)
    assert kiosk.result == WRONG_SETTINGS
    assert said in caplog.text
