"""The worker process: take, look, decide, answer, until told to stop."""

import logging
import signal
import threading
import time
from collections.abc import Callable

from worker import named_models, recogniser
from worker.backlog import Backlog, Turns
from worker.bundle_receiver import BundleReceiver
from worker.consumer import Consumer
from worker.decision_sender import DecisionSender
from worker.engine import Engine
from worker.enrolment import EnrolmentService
from worker.gallery import GalleryFollower
from worker.janitor import Janitor
from worker.leases import Leases
from worker.metrics import figures
from worker.model_store import ModelStore
from worker.pipeline import Pipeline
from worker.protocol.bundle import ModelInfo
from worker.protocol.connection import FAILURES, Backoff, connect, server_time_ms
from worker.protocol.explained import announced
from worker.protocol.heartbeats import Heart, product_version
from worker.protocol.metrics import serve
from worker.protocol.rate import Rate
from worker.protocol.telemetry import Counters
from worker.serving_models import Model, Models
from worker.settings import WorkerSettings

log = logging.getLogger(__name__)


class Worker:
    """All parts of one worker. `run` returns after `stop`."""

    def __init__(
        self,
        settings: WorkerSettings,
        engine: Engine | None = None,
        load: Callable[[str], Engine] | None = None,
    ) -> None:
        self.settings = settings
        live_url, ledger_url = (
            settings.url("live"),
            settings.url("ledger"),
        )  # a missing URL is told before a model loads
        own = engine or Engine(settings)
        self.counters = Counters()
        self.live = connect(live_url, name=settings.name)
        # Separate clients: a thread that blocks in XREAD must not hold up the others' connections.
        gallery = self._follower(own.info)
        store = ModelStore(settings.models_folder, self._own_models(own))
        self.models = Models(
            connect(ledger_url, name=settings.name),
            settings.shard,
            Model(own, gallery),
            store,
            load or (lambda where: own.beside(recogniser.load(settings.model_copy(update={"model": where})))),
            self._follower,
        )
        self.bundles = BundleReceiver(connect(live_url, name=settings.name), settings.shard, settings.name, store)
        self.sender = DecisionSender(connect(ledger_url, name=settings.name), settings.shard)
        self.pipeline = Pipeline(settings, own, gallery, self.live, self.sender, self.counters)
        self.pipeline.paused = True  # until the ledger has said which model serves
        self.turns = Turns()
        live = connect(live_url, name=settings.name)
        self.enrolment = EnrolmentService(settings, own, gallery, live, self.counters, self.models, self.turns)
        self.enrolment.model = None
        self._epoch = 0
        self.leases = Leases(self.live, settings.shard, settings.name, settings.lease_ms)
        self.consumer = Consumer(self.live, settings.shard, settings.batch_size, self.counters)
        self._rate = Rate()
        self.heart = Heart(connect(live_url, name=settings.name), settings.shard, "worker", settings.name, self.report)
        self.janitor = Janitor(
            connect(live_url, name=settings.name),
            connect(ledger_url, name=settings.name),
            settings.shard,
            self.counters,
        )
        self.backlog = self._backlog(ledger_url)
        self._stop_asked = threading.Event()

    @property
    def engine(self) -> Engine:
        return self.pipeline.engine

    @property
    def gallery(self) -> GalleryFollower:
        return self.pipeline.gallery

    def _follower(self, info: ModelInfo) -> GalleryFollower:
        ledger = connect(self.settings.url("ledger"), name=self.settings.name)
        return GalleryFollower(ledger, self.settings.shard, info)

    def _own_models(self, own: Engine) -> dict[str, str]:
        """Models that need no place in the models folder: those that come with the product, and the setting's."""
        return named_models.here() | {own.info.id: self.settings.model}

    def _backlog(self, ledger_url: str) -> Backlog | None:
        key, name = self.settings.site_private_key, self.settings.name
        if key is None:
            log.warning("what kiosks keep during an outage waits in the ledger: set ATTENDANCE_SITE_PRIVATE_KEY")
            return None
        return Backlog(
            self.settings,
            self.pipeline,
            connect(ledger_url, name=name),
            key.get_secret_value(),
            self.counters,
            self.turns,
        )

    def stop(self) -> None:
        self._stop_asked.set()

    def report(self) -> dict[str, object]:
        """What the heartbeat carries."""
        threshold = self.pipeline.threshold()
        counts = self.counters.to_dict()
        return {
            "version": product_version(),
            "settings": announced(self.settings),
            "recogniser": self.engine.info.architecture,
            "model_id": self.engine.info.id,
            "ready": self.pipeline.ready,
            "gallery_version": self.gallery.version,
            "gallery_size": len(self.gallery.index.people),
            "gallery_templates": len(self.gallery.index),
            "threshold": threshold.distance,
            "meets_target": threshold.meets_target,
            "promised_fpir": threshold.promised_fpir,
            "rule_threshold": threshold.rule_distance,
            "site_limit": self.models.limits.get(self.engine.info.id),
            "true_accept_rate": threshold.true_accept_rate,
            "accepts_too_few": threshold.accepts_too_few,
            "alpha": self.engine.info.alpha,
            "wanted_fpir": self.settings.fpir,
            "liveness": "not_checked",
            "site_key": self.backlog.key_id if self.backlog else None,
            "kiosks": len(self.leases.held),
            "kiosks_held": sorted(self.leases.held),
            "decisions_pending": self.sender.pending,
            "frames_processed": counts.get("frames_processed", 0),
            "frames_per_s": self._rate.of(counts.get("frames_processed", 0), time.monotonic()),
            "frames_stale": counts.get("frames_stale", 0),
            "counts": counts,
            **self.models.report(),
        }

    def run(self) -> None:
        threads = (self.models, self.bundles, self.sender, self.enrolment, self.heart, self.janitor)
        for thread in threads:
            thread.start()
        self._stop_metrics = serve(self.settings.metrics_port, self.settings.metrics_host, lambda: figures(self))
        if self.backlog is not None:
            self.backlog.start()
        log.info(
            "worker %s serves shard %s with model %s", self.settings.name, self.settings.shard, self.engine.info.id
        )
        # In this thread time.sleep, not the event's wait: a signal handler's set() could meet its lock taken.
        backoff = Backoff(cap_s=1.0)
        away = False
        while not self._stop_asked.is_set():
            try:
                self._round()
            except FAILURES as error:
                if not away:
                    log.warning("live Redis is away (%s); trying again", error)
                away = True
                self.consumer.restart()
                time.sleep(backoff.next_s())
            except Exception:
                # One frame's surprise must not stop the worker: it is counted, told, and the next frame is taken.
                self.counters.add("rounds_failed")
                log.exception("a batch failed and was dropped")
                time.sleep(0.05)
            else:
                if away:
                    log.info("live Redis is back")
                away = False
                backoff.reset()
        self._leave()

    def _round(self) -> None:
        self._follow_model()
        if self.leases.refresh(self.pipeline.ready):
            self.pipeline.close_all()  # dropped before a frame is touched, and those never named are written down
        held = self.leases.held
        self.consumer.keep_only(held)
        self.pipeline.keep_only(held)
        if self.backlog is not None:
            self.backlog.kiosks = frozenset(held)
        batch = self.consumer.take(held)
        if batch:
            with self.turns.live():
                self.pipeline.process(batch)
        self.pipeline.expire(server_time_ms(self.live))
        if not batch:
            self.consumer.wait(held)

    def _follow_model(self) -> None:
        """Switch where another model is due, or the same one under a new epoch; a site's limit holds from the next frame on."""
        due, epoch = self.models.due(), self.models.epoch
        self.pipeline.limits = self.models.limits
        now = None if self.pipeline.paused else self.pipeline.model
        if due is now and epoch == self._epoch:
            return
        self.pipeline.serve(due)
        self.enrolment.model = due
        self.models.active = self.pipeline.model
        self._epoch = epoch
        if due is None:
            log.warning("model %s is to serve but isn't loaded here; nobody is judged until it is", self.models.named)
        else:
            log.info("model %s serves (epoch %d)", due.id, epoch)

    def _leave(self) -> None:
        """Finish: presences are written down, decisions sent, kiosks given up at once."""
        self.pipeline.close_all()
        if self.backlog is not None:
            self.backlog.stop()
        for part in (self.enrolment, self.sender, self.models, self.bundles, self.janitor):
            part.stop()
        try:
            self.leases.leave()
        except FAILURES as error:
            log.warning("leases end by their time-out: %s", error)
        self.heart.stop()
        self._stop_metrics()
        log.info("worker %s stopped", self.settings.name)


def run(settings: WorkerSettings) -> int:
    """Run until SIGTERM or SIGINT; 0 when it ended as asked."""
    worker = Worker(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()
    return 0
