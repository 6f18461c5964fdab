"""Worker, recorder and kiosk at work on somebody enrolled, logging all they can: her name and template aren't in it."""

import base64
import logging
import threading
from pathlib import Path

import pytest

from dashboard.database import engine_for, now_ms, session_factory, upgrade
from dashboard.gallery.outbox import queue_change
from dashboard.models import EnrolmentPicture, Template
from dashboard.people.employees import create_employee
from dashboard.recording.recorder import run as run_recorder
from dashboard.settings import DashboardSettings
from deploy.logs import JsonLines
from kiosk.main import run as run_kiosk
from kiosk.settings import KioskSettings
from tests.conftest import RedisPair
from tests.kiosk.support import write_picture
from tests.worker.fakes import MODEL, FakeEngine, axis, sight, until
from worker.main import Worker
from worker.protocol import heartbeats, keys
from worker.settings import WorkerSettings

NAME, CODE, DEPARTMENT = "Zephyrine Quillfeather", "ZQX-4711", "Umbrella Loft"


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(JsonLines("test"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def enrol(settings: DashboardSettings) -> str:
    upgrade(settings.database)
    engine = engine_for(settings.database)
    with session_factory(engine).begin() as session:
        employee = create_employee(session, CODE, NAME, DEPARTMENT, consent_by="admin", now_ms=now_ms())
        template = Template(model_id=MODEL, vector=axis(1).astype("<f4").tobytes(), created_ms=now_ms())
        session.add(
            EnrolmentPicture(
                employee_id=employee.id, sha256="0" * 64, jpeg=b"x", created_ms=now_ms(), templates=[template]
            )
        )
        queue_change(session, "put", employee.id, MODEL)
    engine.dispose()
    return employee.id


@pytest.mark.end_to_end
def test_no_name_of_an_enrolled_person_reaches_a_log(redis_pair: RedisPair, tmp_path: Path) -> None:
    urls = {"live_url": redis_pair.live_server.url(), "ledger_url": redis_pair.ledger_server.url()}
    common = {"home": tmp_path, **urls}
    records = DashboardSettings(**common, time_zone="UTC")
    enrol(records)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for level in (60, 120):
        write_picture(pictures / f"{level:03}.png", level)
    engine = FakeEngine({60: sight(axis(1)), 120: RuntimeError("the network fell over")})
    worker = Worker(WorkerSettings(**common, name="w1"), engine)
    door = KioskSettings(
        **common, name="front", source=str(pictures), folder_fps=5, screen_port=0, answer_deadline_ms=9_000
    )
    kept, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    stop = threading.Event()
    threads = [
        threading.Thread(target=worker.run),
        threading.Thread(target=run_recorder, args=(records, stop)),
        threading.Thread(target=run_kiosk, args=(door, stop)),
    ]
    try:
        for thread in threads:
            thread.start()
        until(lambda: redis_pair.live.xlen(keys.events("s0")), timeout_s=60)
        redis_pair.ledger.xadd(keys.decisions("s0"), {"v": "1", "meta": f'{{"name": "{NAME}"}}'})
        redis_pair.live.xadd(keys.frames("s0", "front"), {"v": "1", "meta": f'{{"seq": "{NAME}"}}'})
        until(lambda: redis_pair.ledger.xlen(keys.dead("s0")))
        until(lambda: any(beat.data.get("feedback", 0) > 3 for beat in heartbeats.read(redis_pair.live, "s0", "kiosk")))
    finally:
        stop.set()
        worker.stop()
        for thread in threads:
            thread.join(30)
        root.removeHandler(kept)
        root.setLevel(level)
    told = "\n".join(kept.lines)
    assert '"event_id"' in told
    assert '"seq"' in told
    assert "recorded" in told
    for private in (*NAME.split(), CODE, DEPARTMENT, base64.b64encode(axis(1).tobytes()).decode()[8:40]):
        assert private not in told, private
