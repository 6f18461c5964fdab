"""From a batch of frames to feedback and decisions: decode, look, follow, decide, answer."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.consumer import BadFrame, TakenFrame
from worker.decision import Rules, cast_vote
from worker.decision_sender import DecisionSender
from worker.decode import BadPicture, decode_jpeg
from worker.detector import Face
from worker.engine import Engine, Sight
from worker.gallery import GalleryFollower, GalleryIndex
from worker.kiosk_enrolment import KioskEnrolments, Sitting
from worker.protocol import keys
from worker.protocol.bundle import ServingThreshold, serving_threshold
from worker.protocol.connection import Client
from worker.protocol.entries import FEEDBACK_FACES, Decision, Feedback, SeenFace, as_any, new_id
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters
from worker.serving_models import Model
from worker.settings import WorkerSettings
from worker.stages import Stages
from worker.tracks import Track, same_face
from worker.wire import face_crop, finite, fractions

log = logging.getLogger(__name__)

UNWATCHED_MS = 10_000
"""A face that no frame was looked at for so long is somebody new, however busy we were."""
PRESENCE_MIN_MS = 1_000
"""Somebody seen for less and never named only passed by: no decision is written."""
STILL_HERE_MS = 30_000
"""Somebody named who stays is decided on again this often. To the recorder it is a repetition, by which it knows that a
presence longer than its gap is one; nobody is greeted for it."""


@dataclass
class Greeted:
    """Who was accepted at a kiosk, last seen when, under which event id, and when a decision on them was sent last."""

    last_ms: int
    event_id: str
    decided_ms: int


class Pipeline:
    """Holds the tracks of the kiosks that this worker serves. `process` never raises for what a kiosk sent."""

    def __init__(
        self,
        settings: WorkerSettings,
        engine: Engine,
        gallery: GalleryFollower,
        live: Client,
        sender: DecisionSender,
        counters: Counters,
    ) -> None:
        self.settings, self.live = settings, live
        self.model = Model(engine, gallery)
        self.limits: Mapping[str, float] = {}
        """The site's stricter thresholds by model id; the main loop sets them."""
        self.paused = False
        """Whether the model that should serve can't: nobody is judged, by no other model either."""
        self.sender, self.counters, self.stages = sender, counters, Stages()
        self._tracks: dict[str, list[Track]] = {}
        self._looked_ms: dict[str, int] = {}
        """Capture time of the last frame looked at, by kiosk."""
        self._greeted: dict[tuple[str, str], Greeted] = {}
        self._enrolments = KioskEnrolments(live, settings)

    @property
    def engine(self) -> Engine:
        return self.model.engine

    @property
    def gallery(self) -> GalleryFollower:
        return self.model.gallery

    @property
    def ready(self) -> bool:
        return not self.paused and self.gallery.ready

    def serve(self, model: Model | None) -> None:
        """Go on with that model, or with none. Every presence ends before a frame is touched: its templates are the old
        model's. Who was greeted lately stays known, by their id."""
        self.close_all()
        if model is None:
            self.paused = True
        else:
            self.model, self.paused = model, False

    def threshold(self) -> ServingThreshold:
        info = self.engine.info
        return serving_threshold(info, len(self.gallery.index), self.settings.fpir, self.limits.get(info.id))

    def keep_only(self, kiosks: set[str]) -> None:
        """Forget the tracks of kiosks that another worker serves now."""
        self._enrolments.keep_only(kiosks)
        for kiosk in set(self._tracks) - kiosks:
            del self._tracks[kiosk]
            self._looked_ms.pop(kiosk, None)

    def drop_tracks(self) -> None:
        self._tracks.clear()

    def process(self, batch: list[TakenFrame | BadFrame]) -> None:
        """Answer every frame of the batch on its kiosk's feedback stream; raises only when Redis is away."""
        answers: list[tuple[str, Feedback]] = []
        pictures, taken = [], []
        self.stages.took_batch(batch)
        t0 = time.perf_counter()
        for item in batch:
            if isinstance(item, BadFrame):
                answers.append((item.kiosk, self._refusal(0, item.captured_ms, item.reason)))
                continue
            try:
                pictures.append(decode_jpeg(item.frame.jpeg))
                taken.append(item)
            except BadPicture as error:
                self.counters.add("frames_bad")
                log.debug("bad picture: %s", error, extra={"kiosk": item.kiosk, "seq": item.frame.seq})
                answers.append((item.kiosk, self._refusal(item.frame.seq, item.captured_ms, str(error))))
        timings = {"decode": (time.perf_counter() - t0) * 1e3}
        if taken and not self.ready:
            self.drop_tracks()
            answers += [(item.kiosk, self._answer(item, Outcome.NOT_READY, [], timings)) for item in taken]
        elif taken:
            sittings = self._enrolments.active(item.kiosk for item in taken)
            for kiosk in sittings:
                self._close_kiosk(kiosk)
            sights, stages = self._look(pictures, taken, frozenset(sittings))
            timings |= stages
            index, rules = self.gallery.index, self.rules()
            decisions = []
            t1 = time.perf_counter()
            for item, picture, sight in zip(taken, pictures, sights, strict=True):
                if sight is None:
                    reason = "the worker failed on this picture"
                    log.warning(reason, extra={"kiosk": item.kiosk, "seq": item.frame.seq})
                    answers.append((item.kiosk, self._refusal(item.frame.seq, item.captured_ms, reason)))
                    continue
                if item.kiosk in sittings:
                    answers.append((item.kiosk, self._enrol(item, sittings[item.kiosk], picture, sight, timings)))
                    continue
                feedback, decision = self._decide(item, picture, sight, index, rules, timings)
                self._looked_ms[item.kiosk] = max(item.captured_ms, self._looked_ms.get(item.kiosk, 0))
                answers.append((item.kiosk, feedback))
                decisions += [decision] if decision else []
            self.stages.took(timings | {"decide": (time.perf_counter() - t1) * 1e3})
            for decision in decisions:
                self._send(decision)
        self.counters.add("frames_processed", len(taken))
        self._feed_back(answers)

    def expire(self, now_ms: int) -> None:
        """End the presences whose face is gone; those that were never accepted are written down with their outcome."""
        for kiosk, tracks in self._tracks.items():
            over = [track for track in tracks if self._is_over(track, now_ms, self._looked_ms.get(kiosk, now_ms))]
            for track in over:
                tracks.remove(track)
                self._close(kiosk, track)
        horizon_ms = now_ms - round(self.settings.cooldown_s * 1000)
        for key in [key for key, greeted in self._greeted.items() if greeted.last_ms < horizon_ms]:
            del self._greeted[key]

    def _is_over(self, track: Track, now_ms: int, looked_ms: int) -> bool:
        """Whether the face has been missing for the gap from frames that were looked at, or nothing was looked at for long.

        A busy worker may look at a kiosk only every few seconds: that nobody looked doesn't mean that nobody stood there.
        """
        return looked_ms - track.last_ms > self.settings.track_gap_ms or now_ms - track.last_ms > UNWATCHED_MS

    def close_all(self) -> None:
        """A graceful stop ends every presence."""
        for kiosk in list(self._tracks):
            self._close_kiosk(kiosk)

    def _close_kiosk(self, kiosk: str) -> None:
        for track in self._tracks.pop(kiosk, []):
            self._close(kiosk, track)

    def _look(
        self, pictures: list[NDArray[np.uint8]], taken: list[TakenFrame], enrolling: frozenset[str]
    ) -> tuple[list[Sight | None], dict[str, float]]:
        """The engine's sights. Where it fails, each picture alone and None for the one: other kiosks go on."""
        try:
            sights, stages = self.engine.look(
                pictures, lambda i, face: taken[i].kiosk not in enrolling and self._due(taken[i], face)
            )
            return list(sights), stages
        except Exception:
            if len(pictures) == 1:
                self.counters.add("frames_failed")
                log.exception("the engine failed on a picture")
                return [None], {}
        return [
            self._look([picture], [item], enrolling)[0][0] for picture, item in zip(pictures, taken, strict=True)
        ], {}

    def _due(self, item: TakenFrame, face: Face) -> bool:
        """Whether a face needs to be compared with the gallery again."""
        tracks = self._tracks.get(item.kiosk, [])
        return not any(track.known_still(face.box, item.captured_ms) for track in tracks)

    # --- one frame ---------------------------------------------------------------------------------------------------

    def _enrol(self, item: TakenFrame, sitting: Sitting, picture, sight: Sight, timings) -> Feedback:  # type: ignore[no-untyped-def]
        """A frame of a kiosk that takes enrolment pictures: it guides, and decides nothing."""
        height, width = picture.shape[:2]
        said = self._enrolments.look(sitting, sight, height, item.frame.jpeg, item.captured_ms)
        faces = [
            SeenFace(box=fractions(face.box, width, height), track=0, outcome=Outcome.ENROLLING)
            for face in sight.faces[:FEEDBACK_FACES]
        ]
        answer = self._answer(item, Outcome.ENROLLING, faces, timings)
        return answer.model_copy(update={"enrolling": said})

    def _decide(self, item: TakenFrame, picture, sight: Sight, index: GalleryIndex, rules: Rules, timings):  # type: ignore[no-untyped-def]
        if not sight.faces or sight.quality is None:
            return self._answer(item, Outcome.NO_FACE, [], timings), None
        face = sight.faces[0]
        outcome = Outcome.SEVERAL_FACES if sight.several else sight.quality.fault or Outcome.DECIDING
        track = self._track_of(item, face.box, sight.template, rules, index)
        track.see(face.box, item.captured_ms, outcome)
        decision = None
        if sight.template is not None:
            vote = cast_vote(index.search(sight.template[None])[0], item.captured_ms, rules)
            verdict = track.vote(vote, sight.template)
            outcome = verdict.outcome
            if verdict.outcome is Outcome.ACCEPTED and verdict.employee_id is not None and track.accepted_id is None:
                decision = self._accept(item, track, verdict.employee_id, picture, face.box)
            if vote.employee_id is not None and vote.employee_id == track.accepted_id:
                again = self._seen_on(item, track, vote.employee_id)
                decision = decision or again
        if track.names_now(item.captured_ms):
            outcome = Outcome.ACCEPTED
        elif outcome is Outcome.ACCEPTED:
            outcome = Outcome.DECIDING
        height, width = picture.shape[:2]
        seen = [self._seen(track, outcome, face.box, width, height, index)]
        rest = Outcome.SEVERAL_FACES if sight.several else Outcome.TOO_SMALL
        seen += [
            SeenFace(box=fractions(other.box, width, height), track=0, outcome=rest)
            for other in sight.faces[1:FEEDBACK_FACES]
        ]
        return self._answer(item, outcome, seen, timings), decision

    def _track_of(self, item: TakenFrame, box, template, rules: Rules, index: GalleryIndex) -> Track:  # type: ignore[no-untyped-def]
        """The track that this face continues, else a new one. Who left the gallery, or was contradicted, starts anew."""
        tracks = self._tracks.setdefault(item.kiosk, [])
        looked_ms = self._looked_ms.get(item.kiosk, item.captured_ms)
        for track in sorted(tracks, key=lambda t: t.last_ms, reverse=True):
            if self._is_over(track, item.captured_ms, looked_ms):
                continue
            if not same_face(track, box, template, self.model.other_person):
                continue
            gone = track.accepted_id is not None and track.accepted_id not in index.people
            if gone or track.contradicted():
                tracks.remove(track)
                continue
            track.rules = rules
            return track
        tracks.append(Track(rules, item.frame.presence, box, item.captured_ms, item.captured_ms))
        return tracks[-1]

    def _accept(self, item: TakenFrame, track: Track, employee_id: str, picture, box) -> Decision | None:  # type: ignore[no-untyped-def]
        """Take the verdict. A decision is due unless this person was only just seen here: then the presence goes on."""
        before = self._greeted.get((item.kiosk, employee_id))
        track.accept(employee_id, item.captured_ms)
        if before and item.captured_ms - before.last_ms <= self.settings.cooldown_s * 1000:
            track.event_id = before.event_id
            return None
        crop = face_crop(picture, box) if self.settings.keep_snapshots else None
        return self._decision(item.kiosk, track, Outcome.ACCEPTED, item.captured_ms, crop)

    def _seen_on(self, item: TakenFrame, track: Track, employee_id: str) -> Decision | None:
        """Somebody named is there again in this frame; a further decision is due now and then."""
        before = self._greeted.get((item.kiosk, employee_id))
        if before is None or before.event_id != track.event_id:
            self._greeted[item.kiosk, employee_id] = Greeted(item.captured_ms, track.event_id, item.captured_ms)
            return None
        before.last_ms = item.captured_ms
        if item.captured_ms - before.decided_ms < STILL_HERE_MS:
            return None
        before.decided_ms = item.captured_ms
        again = self._decision(item.kiosk, track, Outcome.ACCEPTED, item.captured_ms)
        return again.model_copy(update={"event_id": new_id(), "employee_id": employee_id, "repeats": track.event_id})

    def _close(self, kiosk: str, track: Track) -> None:
        """The presence is over. Accepted ones were written when they were decided."""
        if track.accepted_id is None and track.last_ms - track.first_ms >= PRESENCE_MIN_MS:
            self._send(self._decision(kiosk, track, track.final_outcome(), track.last_ms))

    # --- words -------------------------------------------------------------------------------------------------------

    def rules(self) -> Rules:
        s = self.settings
        return Rules(self.threshold().distance, s.margin, s.votes_needed, max(s.votes_needed, s.votes_kept))

    def _decision(
        self, kiosk: str, track: Track, outcome: Outcome, captured_ms: int, snapshot: bytes | None = None
    ) -> Decision:
        verdict = track.last_verdict
        return Decision(
            event_id=track.event_id,
            kiosk=kiosk,
            presence=track.presence,
            outcome=outcome,
            employee_id=verdict.employee_id if outcome is Outcome.ACCEPTED else None,
            captured_ms=captured_ms,
            distance=finite(verdict.distance),
            threshold=track.rules.threshold,
            runner_up_distance=finite(verdict.runner_up_distance),
            good_frames=track.good_frames,
            model_id=self.engine.info.id,
            worker=self.settings.name,
            snapshot=snapshot,
        )

    def _seen(self, track: Track, outcome: Outcome, box, width: int, height: int, index: GalleryIndex) -> SeenFace:  # type: ignore[no-untyped-def]
        person = index.people.get(track.accepted_id) if outcome is Outcome.ACCEPTED and track.accepted_id else None
        return SeenFace(
            box=fractions(box, width, height),
            track=track.number,
            outcome=outcome,
            employee_id=person.employee_id if person else None,
            name=person.name if person else None,
            event_id=track.event_id if person else None,
        )

    def _answer(self, item: TakenFrame, outcome: Outcome, faces: list[SeenFace], timings: dict[str, float]) -> Feedback:
        return Feedback(
            seq=item.frame.seq,
            captured_ms=item.captured_ms,
            outcome=outcome,
            faces=faces,
            timings_ms={"queue": float(item.waited_ms)} | {name: round(ms, 1) for name, ms in timings.items()},
            model_id=self.engine.info.id,
            worker=self.settings.name,
        )

    def _refusal(self, seq: int, captured_ms: int, reason: str) -> Feedback:
        return Feedback(
            seq=seq,
            captured_ms=max(0, captured_ms),
            outcome=Outcome.BAD_FRAME,
            reason=reason[:300],
            worker=self.settings.name,
        )

    def _send(self, decision: Decision) -> None:
        self.counters.add(f"decisions_{decision.outcome}")
        about = {"kiosk": decision.kiosk, "event_id": decision.event_id}
        log.info("decision %s kiosk=%s outcome=%s", decision.event_id, decision.kiosk, decision.outcome, extra=about)
        self.sender.put(decision)

    def _feed_back(self, answers: list[tuple[str, Feedback]]) -> None:
        pipe = self.live.pipeline(transaction=False)
        for kiosk, feedback in answers:
            self.counters.add(f"answered_{feedback.outcome}")
            key = keys.feedback(self.settings.shard, kiosk)
            pipe.xadd(key, as_any(feedback.to_fields()), maxlen=keys.FEEDBACK_KEPT, approximate=False)
        pipe.execute()
