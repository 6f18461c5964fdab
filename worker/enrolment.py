"""Answering the dashboard's enrolment pictures: a quality verdict and, for a good one, the template."""

import logging
import threading
import time

import redis

from worker.backlog import Turns
from worker.decode import BadPicture, decode_jpeg
from worker.engine import Engine
from worker.gallery import GalleryFollower
from worker.guidance import guide
from worker.protocol import keys
from worker.protocol.bundle import serving_threshold
from worker.protocol.connection import MAX_BLOCK_MS, Client, keep_trying, server_time_ms
from worker.protocol.entries import BadEntry, EnrolReply, EnrolRequest, entry_time_ms, pack_fields
from worker.protocol.guided import Hint, Pose
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters
from worker.serving_models import Model, Models
from worker.settings import WorkerSettings
from worker.wire import fractions

log = logging.getLogger(__name__)

TURN_S = 0.02


class EnrolmentService(threading.Thread):
    """Takes requests in a consumer group, so that each is answered by one worker. A request lost with its worker is
    asked again by a person: the dashboard says after its time-out that nobody answered."""

    def __init__(
        self,
        settings: WorkerSettings,
        engine: Engine,
        gallery: GalleryFollower,
        live: Client,
        counters: Counters,
        models: Models | None = None,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(name="enrolment", daemon=True)
        self.settings, self.live, self.counters = settings, live, counters
        self.model: Model | None = Model(engine, gallery)
        """What serves; None while nobody is judged. The main loop sets it."""
        self.models, self.turns = models, turns or Turns()
        self._stop_asked = threading.Event()

    def run(self) -> None:
        keep_trying(self.step, self._stop_asked, "enrolment")

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)

    def step(self) -> None:
        key = keys.requests(self.settings.shard)
        try:
            answer = self.live.xreadgroup(
                keys.WORKERS_GROUP, self.settings.name, {key: ">"}, count=1, block=MAX_BLOCK_MS
            )
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group(key)
            return
        for _, entries in answer or []:
            for entry_id, fields in entries:
                self.live.xack(key, keys.WORKERS_GROUP, entry_id)
                self.live.xdel(key, entry_id)  # a picture of a face doesn't lie about
                self._answer(fields, entry_time_ms(entry_id))

    def _make_group(self, key: str) -> None:
        try:
            self.live.xgroup_create(key, keys.WORKERS_GROUP, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _answer(self, fields: dict[bytes, bytes], asked_ms: int) -> None:
        try:
            request = EnrolRequest.from_fields(fields)
        except BadEntry as error:
            self.counters.add("requests_bad")
            log.warning("enrolment request refused: %s", error)
            return
        if request.deadline_ms is not None and server_time_ms(self.live) - asked_ms > request.deadline_ms:
            self.counters.add("requests_stale")
            return
        try:
            reply = self.judge(request)
        except Exception:
            log.exception("enrolment request %s failed", request.request_id)
            reply = EnrolReply(
                request_id=request.request_id, outcome=Outcome.BAD_FRAME, reason="the worker failed on this picture"
            )
        self.counters.add(f"enrolment_{reply.outcome}")
        key = keys.reply(self.settings.shard, request.request_id)
        pipe = self.live.pipeline(transaction=True)
        pipe.rpush(key, pack_fields(reply.to_fields()))
        pipe.expire(key, keys.REPLY_TTL_S)
        pipe.execute()

    def judge(self, request: EnrolRequest) -> EnrolReply:
        """The verdict on one picture. Nobody is enrolled while the gallery isn't ready: look-alikes couldn't be found."""
        if request.model_id is not None:
            return self._embed(request, request.model_id)
        if request.pose is not None:
            return self._guide(request, request.pose)
        model = self.model
        if model is None or not model.gallery.ready:
            model_id = model.id if model else None
            reason = "the worker has no complete gallery yet; try again in a few seconds"
            return EnrolReply(
                request_id=request.request_id, outcome=Outcome.NOT_READY, reason=reason, model_id=model_id
            )
        model_id = model.id
        try:
            picture = decode_jpeg(request.jpeg)
        except BadPicture as error:
            return EnrolReply(
                request_id=request.request_id, outcome=Outcome.BAD_FRAME, reason=str(error), model_id=model_id
            )
        sight = model.engine.look([picture])[0][0]
        if not sight.faces or sight.quality is None:
            return EnrolReply(request_id=request.request_id, outcome=Outcome.NO_FACE, model_id=model_id)
        height, width = picture.shape[:2]
        common = {
            "request_id": request.request_id,
            "model_id": model_id,
            "faces": len(sight.faces),
            "box": fractions(sight.faces[0].box, width, height),
            "quality": sight.quality.figures(),
        }
        if sight.several or sight.template is None:
            fault = Outcome.SEVERAL_FACES if sight.several else sight.quality.fault or Outcome.NO_FACE
            return EnrolReply.model_validate({**common, "outcome": fault})
        index = model.gallery.index
        match = index.search(sight.template[None], leave_out=request.employee_id)[0]
        # by the bundle's rule: a stricter limit of the site must not hide from HR who looks alike
        limit = serving_threshold(model.engine.info, len(index), self.settings.fpir).distance
        similar = {}
        if match.employee_id is not None and match.distance <= limit:
            similar = {
                "similar_employee_id": match.employee_id,
                "similar_name": index.people[match.employee_id].name,
                "similar_distance": match.distance,
            }
        outcome = Outcome.ALREADY_ENROLLED if similar else Outcome.ENROLLED
        template = sight.template.astype("<f4").tobytes()
        rest = {"outcome": outcome, "template": template, "other_person": model.other_person}
        return EnrolReply.model_validate({**common, **similar, **rest})

    def _guide(self, request: EnrolRequest, pose: Pose) -> EnrolReply:
        """A hint on a frame of a guided enrolment; no template is made and nobody is looked for."""
        about = {"request_id": request.request_id}
        if self.model is None:
            return EnrolReply.model_validate({**about, "outcome": Outcome.NOT_READY})
        try:
            picture = decode_jpeg(request.jpeg)
        except BadPicture as error:
            return EnrolReply.model_validate({**about, "outcome": Outcome.BAD_FRAME, "reason": str(error)})
        sight = self.model.engine.look([picture], lambda _number, _face: False)[0][0]
        look = guide(sight, picture.shape[0], pose, self.settings)
        quality = sight.quality.figures() if sight.quality else {}
        score = look.score if look.hint is Hint.GOOD else None
        return EnrolReply.model_validate(
            {**about, "outcome": Outcome.DECIDING, "quality": quality, "hint": look.hint, "score": score}
        )

    def _embed(self, request: EnrolRequest, model_id: str) -> EnrolReply:
        """A stored picture's template under a model that serves or is coming; people at the doors come first."""
        about = {"request_id": request.request_id, "model_id": model_id}
        model = self.models.get(model_id) if self.models else self.model
        if model is None or model.id != model_id:
            words = f"worker {self.settings.name} hasn't loaded {model_id}"
            return EnrolReply.model_validate({**about, "outcome": Outcome.NOT_READY, "reason": words[:300]})
        while not self.turns.may_look() and not self._stop_asked.wait(TURN_S):
            pass
        began_s = time.monotonic()
        try:
            template = model.engine.embed_nearest(decode_jpeg(request.jpeg))
        except (BadPicture, ValueError) as error:
            reason = str(error)[:300]
            return EnrolReply.model_validate({**about, "outcome": Outcome.BAD_FRAME, "reason": reason})
        finally:
            self.turns.late_done(time.monotonic() - began_s)
        if template is None:
            return EnrolReply.model_validate({**about, "outcome": Outcome.NO_FACE})
        wire = template.astype("<f4").tobytes()
        return EnrolReply.model_validate({**about, "outcome": Outcome.ENROLLED, "template": wire})
