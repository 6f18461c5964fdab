"""A site as HR knows it, light enough for a long scene: dashboard and recorder as processes of their own, on real Redis
servers. The door and the worker are played: they only send what the real ones send."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy import func, select

from dashboard.database import SessionFactory, engine_for, reading, session_factory
from dashboard.models import DecisionRecord, Employee
from deploy.processes import die_with_parent
from deploy.up import first_password
from tests.conftest import RedisPair
from tests.dashboard.site import MODEL
from tests.end_to_end.processes import free_ports, wait_for
from tests.end_to_end.running_site import CLI, SHARD, clean_environment
from worker.protocol import keys
from worker.protocol.entries import Decision, as_any, new_id
from worker.protocol.heartbeats import Heart
from worker.protocol.outcomes import Outcome

ROOT = Path(__file__).parents[2]
DOOR = "front-door"
STOP_S = 20.0
STARTING_S = 60.0


class Office:
    """Its home is empty when it starts, and its machine's clock is UTC, as a rented server's is."""

    def __init__(self, home: Path, redis: RedisPair) -> None:
        self.home, self.redis, self.port = home, redis, free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = clean_environment() | {
            "ATTENDANCE_HOME": str(home),
            "ATTENDANCE_SHARD": SHARD,
            "ATTENDANCE_DASHBOARD_PORT": str(self.port),
            "ATTENDANCE_DASHBOARD_TIME_ZONE": "UTC",
            "PYTHONPATH": str(ROOT),
            **redis.environment(),
        }
        self.database = f"sqlite:///{home / 'attendance.db'}"
        self.sessions: SessionFactory = session_factory(engine_for(self.database))
        self.one_time_password = ""
        """The administrator's, which an installation prints once."""
        self._sent = 0

    def attendance(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command, run to its end."""
        return subprocess.run(
            [*CLI, *words], env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=60
        )

    def audit(self, *more: str) -> tuple[int, dict[str, Any]]:
        """Exit code and answer of `attendance audit verify`."""
        done = self.attendance("audit", "verify", "--json", *more)
        return done.returncode, json.loads(done.stdout)

    def punch(self, moments: Iterable[tuple[int, str]]) -> None:
        """People at the door, by UTC milliseconds and code; returns once the recorder has written all of them down."""
        with reading(self.sessions) as session:
            ids = {row.code: row.id for row in session.execute(select(Employee.code, Employee.id))}
        for captured_ms, code in sorted(moments):
            decision = Decision(
                event_id=new_id(), kiosk=DOOR, presence=new_id(), outcome=Outcome.ACCEPTED, employee_id=ids[code],
                captured_ms=captured_ms, distance=4.5, threshold=8.5, good_frames=3, model_id=MODEL, worker="played",
            )  # fmt: skip
            self.redis.ledger.xadd(keys.decisions(SHARD), as_any(decision.to_fields()))
            self._sent += 1
        wait_for(lambda: self._written() == self._sent, 30, "the recorder wrote all of them")

    def _written(self) -> int:
        with reading(self.sessions) as session:
            return session.scalar(select(func.count()).select_from(DecisionRecord)) or 0

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


@contextmanager
def open_office(home: Path, redis: RedisPair) -> Iterator[Office]:
    """Started from nothing; stopped, and its processes' good ends looked at, when the block ends."""
    home.mkdir()
    office = Office(home, redis)
    report = {
        "ready": True,
        "recogniser": "played",
        "model_id": MODEL,
        "gallery_size": 0,
        "alpha": 10.0,
        "threshold": 8.5,
        "rule_threshold": 8.5,
        "wanted_fpir": 1e-3,
    }
    hearts = [
        Heart(redis.live, SHARD, "kiosk", DOOR, lambda: {"frames_sent": 0}),
        Heart(redis.live, SHARD, "worker", "played", lambda: report),
    ]
    with (home / "services.log").open("w") as log:
        services = [_start(office, role, log) for role in ("dashboard", "recorder")]
        try:
            wait_for(office.answers, STARTING_S, "the dashboard answers")
            office.one_time_password = first_password(office.database) or ""
            for heart in hearts:
                heart.start()
            yield office
        finally:
            for heart in hearts:
                heart.stop(last_words=False)
            for service in services:
                service.terminate()
            ends = [service.wait(STOP_S) for service in services]
            office.sessions.kw["bind"].dispose()
    assert ends == [0, 0], (home / "services.log").read_text()


def _start(office: Office, role: str, log: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*CLI, role],
        env=office.environment,
        cwd=office.home,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent,
    )
