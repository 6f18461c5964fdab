"""The site that is hit: what `attendance up` runs, by its own launcher, with the database in PostgreSQL.

The dashboard's web pages are left out: nothing passes through them. With the engine `markers` the worker is the real
worker process with its networks replaced (marker_worker.py); everything else is as it is delivered.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from dashboard.database import SessionFactory, engine_for, now_ms, reading, session_factory, upgrade
from dashboard.gallery.outbox import queue_change
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, EnrolmentPicture, Template
from dashboard.people.employees import create_employee
from dashboard.settings import DashboardSettings
from deploy.demo_scene import ENROLLED, STRANGER, portrait_jpeg
from deploy.enrol_folder import read_plan
from deploy.enroll import enrol_people
from deploy.launcher import Launcher
from deploy.secret_store import Passwords, load_site_keys
from deploy.site import Site
from tests.chaos.marker_engine import MODEL_ID, template
from tests.chaos.truth import Punch
from worker.protocol import keys
from worker.protocol.connection import Client

SHARD = "s0"
PEOPLE = 24
"""Employees with markers: enough that somebody is always free to come who wasn't at that door within the presence gap."""


@dataclass
class Chosen:
    """`engine` is markers or real."""

    engine: str
    kiosks: list[str]
    workers: int
    presence_gap_s: float


class ChaosSite:
    def __init__(self, home: Path, database_url: str, chosen: Chosen, camera_fps: float) -> None:
        for name in [name for name in os.environ if name.startswith("ATTENDANCE_")]:
            del os.environ[name]  # a developer's own settings
        self.home, self.chosen, self.camera_fps = home, chosen, camera_fps
        upgrade(database_url)
        self.engine = engine_for(database_url)
        self.sessions: SessionFactory = session_factory(self.engine)
        self.settings = DashboardSettings(home=home, shard=SHARD, database_url=database_url)
        self.site = Site(
            home=home,
            shard=SHARD,
            passwords=Passwords(),
            database_url=database_url,
            site_keys=load_site_keys(home),
        )
        self.workers = [f"worker-{number}" for number in range(1, chosen.workers + 1)]
        self.live: Client = None
        self.ledger: Client = None

    def start(self, launcher: Launcher) -> None:
        """Everything, ready, with everybody enrolled. Raises NotReady or NoRedis."""
        site, chosen = self.site, self.chosen
        site.start_redis(launcher, chosen.kiosks)
        self.live, self.ledger = site.admin("live"), site.admin("ledger")
        if chosen.engine == "markers":
            self._enrol_markers([f"M{number}" for number in range(1, PEOPLE + 1)])
        for number in range(1, chosen.workers + 1):
            settings = {"ATTENDANCE_WORKER_NAME": f"worker-{number}"}
            settings |= {"ATTENDANCE_WORKER_THREADS": str(max(1, (os.cpu_count() or 1) // chosen.workers))}
            child = site.child("worker", str(number), settings)
            if chosen.engine == "markers":
                child.command = [sys.executable, "-m", "tests.chaos.marker_worker"]
            launcher.start(child)
        launcher.start(
            site.child("recorder", settings={"ATTENDANCE_DASHBOARD_PRESENCE_GAP_S": str(chosen.presence_gap_s)})
        )
        for name in chosen.kiosks:
            camera = {
                "ATTENDANCE_KIOSK_SOURCE": str(self.camera_folder / name),
                "ATTENDANCE_KIOSK_FOLDER_FPS": str(self.camera_fps),
                "ATTENDANCE_KIOSK_SCREEN_PORT": "0",
            }
            launcher.start(site.child("kiosk", name, camera))
        launcher.wait_until(lambda: site.not_ready(launcher, self.live), site.ready_timeout_s)
        if chosen.engine == "real":
            self._enrol_portraits()

    @property
    def camera_folder(self) -> Path:
        return self.home / "cameras"

    def _enrol_markers(self, codes: list[str]) -> None:
        with self.sessions.begin() as session:
            for number, code in enumerate(codes, 1):
                one = create_employee(session, code, f"Marker {number}", "", consent_by="chaos", now_ms=now_ms())
                vector = template(number).astype("<f4").tobytes()
                made = Template(model_id=MODEL_ID, vector=vector, created_ms=now_ms())
                session.add(
                    EnrolmentPicture(
                        employee_id=one.id, sha256=f"{number:064x}", jpeg=b"-", created_ms=now_ms(), templates=[made]
                    )
                )
                session.flush()
                queue_change(session, "put", one.id, MODEL_ID)

    def _enrol_portraits(self) -> None:
        folder = self.home / "people"
        folder.mkdir()
        for code, name in {"C1": ENROLLED, "C2": STRANGER}.items():
            (folder / f"{code}_{name.replace(' ', '_')}.jpg").write_bytes(portrait_jpeg(name))
        reports = enrol_people(read_plan(folder), self.sessions, self.live, self.settings)
        assert [report.enrolled for report in reports] == [1, 1], reports

    # --- looking inside ----------------------------------------------------------------------------------------------

    def waiting(self) -> dict[str, int]:
        """What is still on its way, by where; raises redis errors while a server is away."""
        found = {"decisions": self.ledger.xlen(keys.decisions(SHARD))}
        found |= {f"backlog of {name}": self.ledger.xlen(keys.backlog(SHARD, name)) for name in self.chosen.kiosks}
        found["spooled"] = sum(path.is_file() for path in (self.home / "spool").rglob("*"))
        return {where: number for where, number in found.items() if number}

    def dead_letters(self) -> int:
        return int(self.ledger.xlen(keys.dead(SHARD)))

    def punches(self) -> list[Punch]:
        """All attendance events; kiosk-named doors, employees by their code."""
        query = (
            select(AttendanceEvent, DecisionRecord, Employee.code)
            .join(DecisionRecord, DecisionRecord.event_id == AttendanceEvent.event_id)
            .join(Employee, Employee.id == AttendanceEvent.employee_id)
        )
        with reading(self.sessions) as session:
            return [
                Punch(e.event_id, code, e.kiosk, e.captured_ms / 1000, d.late, d.time_uncertain)
                for e, d, code in session.execute(query)
            ]

    def decisions(self) -> list[DecisionRecord]:
        with reading(self.sessions) as session:
            return list(session.scalars(select(DecisionRecord).order_by(DecisionRecord.captured_ms)))

    def close(self) -> None:
        for client in (self.live, self.ledger):
            if client is not None:
                client.close()
        self.engine.dispose()
