"""`attendance up` as a process of its own, with a camera that the tests direct."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path

from dashboard.database import SessionFactory, engine_for, session_factory
from deploy.secret_store import running_urls
from tests.end_to_end.processes import alive, command_lines, descendants, free_ports, wait_for, working_in
from tests.end_to_end.stage import CAMERA_FPS, Stage
from worker.protocol.connection import Client, connect

CLI = [sys.executable, "-m", "deploy.cli"]
DOOR = "front-door"
SHARD = "s0"
START_S, STOP_S = 150.0, 40.0


def clean_environment() -> dict[str, str]:
    """Ours, without a developer's own settings of the product."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ATTENDANCE_")}


class RunningSite:
    """Two Redis roles, worker, recorder, dashboard and one kiosk. `settings` are further environment variables."""

    def __init__(self, home: Path, stage: Stage, model_cache: Path, settings: dict[str, str]) -> None:
        self.home, self.stage = home, stage
        home.mkdir()
        (home / "cache").symlink_to(model_cache)  # converting the network once is enough for all sites
        self._port = free_ports()
        self.dashboard_url, self.screen_url = (f"http://127.0.0.1:{self._port + n}" for n in (0, 1))
        self.environment = clean_environment() | {
            "ATTENDANCE_HOME": str(home),
            "ATTENDANCE_SHARD": SHARD,
            "ATTENDANCE_KIOSKS": f"{DOOR}={stage.folder}",
            "ATTENDANCE_KIOSK_FOLDER_FPS": str(CAMERA_FPS),
            "ATTENDANCE_DASHBOARD_PORT": str(self._port),
            "ATTENDANCE_KIOSK_SCREEN_BASE_PORT": str(self._port + 1),
            "ATTENDANCE_REDIS_BASE_PORT": str(self._port + 2),
            **settings,
        }
        self.said = ""
        self.up: subprocess.Popen[str] | None = None

    def start(self) -> "RunningSite":
        self.up = subprocess.Popen(
            [*CLI, "up"],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        end_s = time.monotonic() + START_S
        while "everything is running" not in self.hear():
            assert self.up.poll() is None, self.said
            assert time.monotonic() < end_s, self.said
            time.sleep(0.05)
        self.stage.start()
        return self

    def _listen(self) -> None:
        assert self.up is not None
        for line in self.up.stdout or []:
            self._lines.put(line)

    def hear(self) -> str:
        """All that the launcher has said so far."""
        while not self._lines.empty():
            self.said += self._lines.get()
        return self.said

    # --- looking inside ----------------------------------------------------------------------------------------------

    @property
    def one_time_password(self) -> str:
        found = re.search(r"first log-in: +admin / (\S+)", self.said)
        assert found, self.said
        return found[1]

    @cached_property
    def sessions(self) -> SessionFactory:
        return session_factory(engine_for(f"sqlite:///{self.home / 'attendance.db'}"))

    def client(self, role: str) -> Client:
        """The administrator's, of the live or the ledger role."""
        return connect(running_urls(self.home)[role], name="test")

    def pid(self, service: str) -> int:
        """Process id of `worker`, `recorder`, `kiosk`, `dashboard`, `live` or `ledger`; 0 while it is down."""
        assert self.up is not None
        marks = {
            "live": f"127.0.0.1:{self._port + 2}",
            "ledger": f"127.0.0.1:{self._port + 3}",
            "dashboard": "dashboard.app:create_app()",
        }
        mark = marks.get(service, f"-m deploy.cli {service} ")
        for pid, (parent, words) in command_lines().items():
            if parent == self.up.pid and mark in words:
                return pid
        return 0

    def kill(self, service: str) -> int:
        """kill -9; returns the process id that ended."""
        pid = wait_for(lambda: self.pid(service), 20, f"{service} runs")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive({pid}), 10, f"{service} ends by kill -9")
        return pid

    def log(self, name: str) -> str:
        return (self.home / "logs" / f"{name}.log").read_text(errors="replace")

    # --- ending ------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """As Ctrl-C does; everything must end in good order and leave nothing behind."""
        assert self.up is not None
        self.stage.stop()
        if self.up.poll() is None:
            family = set(descendants(self.up.pid))
            self.up.send_signal(signal.SIGINT)
            try:
                code = self.up.wait(STOP_S)
            finally:
                self.up.kill()
                self.up.wait()
            assert code == 0, self.hear()
            assert alive(family) == set()
        self.assert_nothing_runs()

    def assert_nothing_runs(self, within_s: float = 5) -> None:
        wait_for(lambda: not working_in(self.home), within_s, f"all of the site has ended: {working_in(self.home)}")
