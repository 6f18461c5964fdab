"""Which model serves here: follows the ledger's key, loads what is named or coming, and hands it to the main loop.

The main loop asks `due()` before each batch and switches engine and gallery together, so a template is never compared
with a gallery of another model. While the named model is not held, can't be loaded, or isn't known yet, `due()` is None
and nobody is judged: the worker never serves another model instead.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from worker.engine import Engine
from worker.gallery import GalleryFollower
from worker.model_store import ModelStore
from worker.protocol import keys
from worker.protocol.announced import MOST_ANNOUNCED, AnnouncedModel
from worker.protocol.bundle import BadBundle, ModelInfo
from worker.protocol.connection import Client, keep_trying
from worker.protocol.entries import BadEntry
from worker.protocol.serving import Serving

log = logging.getLogger(__name__)

POLL_S = 0.4
RETRY_LOAD_S = 30.0
"""After a failure: too little memory, a busy device. A broken bundle isn't held any more, but our own setting's is."""
OTHER_PERSON = 1.1
"""Templates of two frames farther apart than the loosest threshold times this are two people."""


@dataclass(frozen=True)
class Model:
    """A loaded network and the gallery of its templates; they belong together."""

    engine: Engine
    gallery: GalleryFollower

    @property
    def id(self) -> str:
        return self.engine.info.id

    @property
    def other_person(self) -> float:
        return self.engine.info.thresholds[0].distance * OTHER_PERSON


class Models(threading.Thread):
    """`own` is the setting's model. `load(where)` gives an engine for what ATTENDANCE_MODEL would say, `follow(info)` a
    gallery's follower that isn't started yet. `active` is set by the main loop: that one isn't let go."""

    def __init__(
        self,
        ledger: Client,
        shard: str,
        own: Model,
        store: ModelStore,
        load: Callable[[str], Engine],
        follow: Callable[[ModelInfo], GalleryFollower],
    ) -> None:
        super().__init__(name="models", daemon=True)
        self.ledger, self.shard, self.own_id, self.store = ledger, shard, own.id, store
        self.active = own
        self.failed: dict[str, str] = {}
        """Model id → why it can't be loaded, for the heartbeat."""
        self._load, self._follow = load, follow
        self._loaded = {own.id: own}
        self._known = False
        self._serving: Serving | None = None
        self.limits: dict[str, float] = {}
        """The site's stricter thresholds by model id. A ledger that lost its key loosens nothing: they stay until it is read."""
        self._retry_s: dict[str, float] = {}
        self._said: str | None = None
        self._stop_asked = threading.Event()

    def start(self) -> None:
        self.active.gallery.start()
        super().start()

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "models", cap_s=0.5)

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)
        for model in list(self._loaded.values()):
            model.gallery.stop()

    # --- for the other threads ---------------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        return self._serving.epoch if self._serving else 0

    @property
    def named(self) -> str:
        """The id of the model that should serve, as far as known."""
        return (self._serving.model_id if self._serving else None) or self.own_id

    @property
    def coming(self) -> str | None:
        return self._serving.coming if self._serving else None

    def due(self) -> Model | None:
        """The model that must judge the next frame; None: nobody may."""
        return self._loaded.get(self.named) if self._known else None

    def get(self, model_id: str) -> Model | None:
        """A loaded model."""
        return self._loaded.get(model_id)

    def missing(self) -> str | None:
        """The named model, where it isn't held or can't be loaded here."""
        if not self._known or self.named in self._loaded:
            return None
        return self.named if self.named in self.failed or self.store.where(self.named) is None else None

    def report(self) -> dict[str, object]:
        """The heartbeat's part about models."""
        return {
            "model_epoch": self.epoch,
            "model_missing": self.missing(),
            "models_held": self.store.held(),
            "models_loaded": {
                model.id: model.gallery.version if model.gallery.ready else None
                for model in list(self._loaded.values())
            },
            "models_failed": dict(self.failed),
            "models": self._announced(),
        }

    def _announced(self) -> list[dict[str, object]]:
        """What held models say of themselves, loaded ones first."""
        infos = {model.id: model.engine.info for model in list(self._loaded.values())}
        for model_id in self.store.held():
            info = infos.get(model_id) or self.store.info(model_id)
            if info is not None:
                infos[model_id] = info
        return [AnnouncedModel.of(info).model_dump() for info in list(infos.values())[:MOST_ANNOUNCED]]

    # --- following the key -------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One look at the key, and whatever loading follows from it."""
        self._look()
        if self._known:
            wanted = {self.named, *([self.coming] if self.coming else [])}
            for model_id in sorted(wanted - set(self._loaded)):
                self._bring(model_id)
            for model_id in set(self.failed) - wanted:
                self.failed.pop(model_id)
            self._let_go(wanted)
        self._stop_asked.wait(POLL_S)

    def _look(self) -> None:
        raw = self.ledger.get(keys.serving(self.shard))
        try:
            self._serving = Serving.from_bytes(raw) if raw is not None else None
            self._known = True
            if self._serving is not None:
                self.limits = self._serving.limits
        except BadEntry as error:
            self._known = False
            self._say(f"which model serves can't be read from the ledger ({error}); nobody is judged")

    def _bring(self, model_id: str) -> None:
        """Load a model that is held; a failure is told, and tried again when there is a reason to."""
        where = self.store.where(model_id)
        if where is None:
            self._retry_s.pop(model_id, None)
            if model_id not in self.failed:  # a broken bundle was told when it was found
                words = "nobody is judged until it is here" if model_id == self.named else "it is to serve next"
                self._say(f"model {model_id} is not held: {words}; bring it by `attendance model push`")
            return
        if time.monotonic() < self._retry_s.get(model_id, 0.0):
            return
        log.info("loading model %s", model_id)
        try:
            engine = self._load(where)
            if engine.info.id != model_id:
                raise BadBundle(f"{where}: holds {engine.info.id}, not {model_id}")
        except BadBundle as error:
            self.store.reject(model_id)
            self._retry_s[model_id] = time.monotonic() + RETRY_LOAD_S
            self._fail(model_id, str(error))
            return
        except (redis.exceptions.RedisError, MemoryError, OSError, RuntimeError, ValueError) as error:
            self._retry_s[model_id] = time.monotonic() + RETRY_LOAD_S
            self._fail(model_id, f"{type(error).__name__}: {error}")
            return
        gallery = self._follow(engine.info)
        gallery.start()
        self.failed.pop(model_id, None)
        self._loaded = {**self._loaded, model_id: Model(engine, gallery)}
        log.info("model %s is loaded", model_id)

    def _fail(self, model_id: str, words: str) -> None:
        self.failed[model_id] = " ".join(words.split())[:300]
        self._say(f"model {model_id} can't be loaded: {self.failed[model_id]}")

    def _let_go(self, wanted: set[str]) -> None:
        """Free what neither serves nor will; the one that the main loop still has is left to the next time."""
        for model_id in set(self._loaded) - wanted - {self.active.id}:
            gone = self._loaded[model_id]
            self._loaded = {name: model for name, model in self._loaded.items() if name != model_id}
            gone.gallery.stop()
            log.info("model %s is let go", model_id)

    def _say(self, words: str) -> None:
        """Once, until something else is to be said."""
        if words != self._said:
            log.error(words)
            self._said = words
