"""A site for tests of a swap: a database with its publisher, and whole workers whose engines read grey levels as faces."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sqlalchemy import select

from dashboard.background import keep_going
from dashboard.database import SessionFactory, engine_for, now_ms, reading, session_factory, upgrade
from dashboard.gallery.outbox import queue_change
from dashboard.gallery.publisher import ModelsInUse, Publisher
from dashboard.gallery.serving import Standing
from dashboard.models import EnrolmentPicture, Template
from dashboard.people.employees import create_employee
from deploy.model_swap import Swap
from deploy.model_workers import WorkerModels, living
from deploy.operator import SiteClients
from tests.conftest import RedisPair
from tests.worker.bundles import small_bundle
from tests.worker.fakes import MODEL, FakeEngine, axis, jpeg, sight
from worker.engine import Engine
from worker.main import Worker
from worker.named_models import folder_of
from worker.protocol.bundle import CARD, INFO, BadBundle, read_info
from worker.protocol.connection import connect
from worker.settings import WorkerSettings

LEVELS = range(10, 200, 10)
FACELESS = 250
"""The old model sees a face in it, the new one none."""
NEW_AXES = 40


class SlowEngine(FakeEngine):
    """Takes its time for a stored picture, and counts them."""

    pause_s = 0.0
    embedded = 0

    def embed_nearest(self, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        time.sleep(type(self).pause_s)
        type(self).embedded += 1
        return super().embed_nearest(picture)


def old_engine() -> FakeEngine:
    return SlowEngine({level: sight(axis(level // 10)) for level in (*LEVELS, FACELESS)})


def load(where: str) -> Engine:
    """In the place of the real loader, which needs 73 MB of weights."""
    if where == "sface":
        return old_engine()
    folder = folder_of(where)
    assert folder is not None
    info, card = read_info(folder / INFO), folder / CARD
    if card.is_file() and card.read_text() == "damaged":
        raise BadBundle("model.safetensors: holds NaN or infinite weights")
    more = info.embedding_size - len(axis(0))
    return SlowEngine({level: sight(np.pad(axis(NEW_AXES + level // 10), (0, more))) for level in LEVELS}, info)


def picture(level: int, number: int = 0) -> bytes:
    """JPEG of that grey level; those of different numbers are different files."""
    data = np.full((240, 640), level, np.uint8)
    data[0, : number + 1] = 0
    return bytes(cv2.imencode(".jpg", data)[1].tobytes()) if number else jpeg(level)


class SwapSite:
    def __init__(self, pair: RedisPair, home: Path, shards: Sequence[str] = ("s0",)) -> None:
        self.pair, self.home, self.shards = pair, home, shards
        self.urls = {"live_url": pair.live_server.url(), "ledger_url": pair.ledger_server.url()}
        self.database = f"sqlite:///{home / 'attendance.db'}"
        upgrade(self.database)
        self.sessions: SessionFactory = session_factory(engine_for(self.database))
        self.bundle_id = small_bundle(home / "bundle", size=20_000).id
        self.stop_asked = threading.Event()
        self.workers: dict[str, tuple[Worker, threading.Thread]] = {}
        self.said = Console(file=(home / "said").open("w"), width=200)
        self._publishers = [threading.Thread(target=self._publish, args=(shard,), daemon=True) for shard in shards]
        for thread in self._publishers:
            thread.start()

    def _publish(self, shard: str) -> None:
        models = ModelsInUse(connect(self.urls["live_url"], name="publisher"), shard, self.stop_asked)
        models.start()
        ledger = connect(self.urls["ledger_url"], name="publisher")
        keep_going(Publisher(self.sessions, ledger, shard, models).step, self.stop_asked, "publisher", 0.02)

    def environment(self) -> dict[str, str]:
        return self.pair.environment() | {"ATTENDANCE_HOME": str(self.home), "ATTENDANCE_SHARDS": ",".join(self.shards)}

    @property
    def sites(self) -> list[SiteClients]:
        return [SiteClients(self.pair.live, self.pair.ledger, shard) for shard in self.shards]

    def start_worker(self, name: str, holds: bool = True, shard: str = "s0") -> Worker:
        home = self.home / name
        settings = WorkerSettings(home=home, name=name, shard=shard, device="cpu", cooldown_s=0, **self.urls)  # type: ignore[arg-type]
        if holds:
            small_bundle(settings.models_folder / self.bundle_id, size=20_000)
        worker = Worker(settings, old_engine(), load)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        self.workers[name] = (worker, thread)
        return worker

    def stop_worker(self, name: str) -> None:
        worker, thread = self.workers.pop(name)
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()

    def stop(self) -> None:
        self.stop_asked.set()
        for name in list(self.workers):
            self.stop_worker(name)
        for thread in self._publishers:
            thread.join(20)

    def enrol(self, code: str, *levels: int, model: str = MODEL) -> None:
        """Somebody with a picture of each level, as if `model` had judged them."""
        with self.sessions.begin() as session:
            person = create_employee(session, code, f"Name of {code}", consent_by="hr", now_ms=now_ms())
            for number, level in enumerate(levels):
                vector = axis(level // 10 + (NEW_AXES if model != MODEL else 0)).astype("<f4").tobytes()
                template = Template(model_id=model, vector=vector, created_ms=now_ms())
                session.add(
                    EnrolmentPicture(
                        employee_id=person.id,
                        sha256=f"{number:064x}",
                        jpeg=picture(level, number),
                        created_ms=now_ms(),
                        templates=[template],
                    )
                )
            if levels:
                queue_change(session, "put", person.id, model)

    def swap(self, target: str | None = None, yes: bool = False) -> Standing:
        return Swap(self.sessions, self.sites, target or self.bundle_id, yes, self.said).run()

    def words(self) -> str:
        self.said.file.flush()
        return (self.home / "said").read_text()

    def templates(self, model_id: str) -> int:
        with reading(self.sessions) as session:
            return len(session.scalars(select(Template.id).where(Template.model_id == model_id)).all())

    def beats(self) -> dict[str, WorkerModels]:
        return {one.name: one for one in living(self.sites)}

    def all_serve(self, model_id: str, epoch: int) -> bool:
        return all((one.serving, one.epoch, one.ready) == (model_id, epoch, True) for one in self.beats().values())
