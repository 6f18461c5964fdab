"""Enrolment at a kiosk: HR sets a key, and while it is there the kiosk's frames are enrolment pictures and nobody is judged.

The best frames wait in the live Redis, which writes nothing to disk, until HR accepts them or they expire. They are only
offered here: an accepted one is judged and stored like every upload. A worker that takes a kiosk over goes on where the
last one stopped, by what is in Redis.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from worker.engine import Sight
from worker.guidance import Collector, guide
from worker.protocol import keys
from worker.protocol.connection import Client
from worker.protocol.entries import BadEntry, KioskEnrolment, unpack_fields
from worker.protocol.guided import Enrolling, Pose
from worker.settings import WorkerSettings

log = logging.getLogger(__name__)

STATE_EVERY_MS = 500
"""A state that stays the same is written again this often, as a sign of life for HR's page."""


@dataclass
class Sitting:
    """One session at one kiosk, as far as this worker knows."""

    wish: KioskEnrolment
    collector: Collector = field(default_factory=Collector)
    said: Enrolling | None = None
    said_ms: int = 0


class KioskEnrolments:
    def __init__(self, live: Client, settings: WorkerSettings) -> None:
        self.live, self.settings = live, settings
        self._sittings: dict[str, Sitting] = {}

    def keep_only(self, kiosks: set[str]) -> None:
        """Forget the sittings at kiosks that another worker serves now."""
        for kiosk in set(self._sittings) - kiosks:
            del self._sittings[kiosk]

    def active(self, kiosks: Iterable[str]) -> dict[str, Sitting]:
        """Those of the kiosks that take enrolment pictures now. Asked before every batch: a door must be one at once."""
        names = sorted(set(kiosks))
        pipe = self.live.pipeline(transaction=False)
        for kiosk in names:
            pipe.get(keys.enrolling(self.settings.shard, kiosk))
        found = {}
        for kiosk, raw in zip(names, pipe.execute(), strict=True):
            sitting = self._sitting(kiosk, raw) if raw else None
            if sitting is None:
                self._sittings.pop(kiosk, None)
            else:
                found[kiosk] = self._sittings[kiosk] = sitting
        return found

    def _sitting(self, kiosk: str, raw: bytes) -> Sitting | None:
        try:
            wish = KioskEnrolment.from_fields(unpack_fields(raw))
        except BadEntry as error:
            log.warning("enrolment at kiosk %s can't be read and is passed over: %s", kiosk, error)
            return None
        known = self._sittings.get(kiosk)
        if known is not None and known.wish == wish:
            return known
        there = self.live.hkeys(keys.enrol_pictures(self.settings.shard, wish.session))
        done = {Pose(name.decode()) for name in there if name.decode(errors="replace") in set(Pose)}
        log.info("kiosk %s takes enrolment pictures (session %s)", kiosk, wish.session)
        return Sitting(wish, Collector(done))

    def look(self, sitting: Sitting, sight: Sight, frame_height: int, jpeg: bytes, captured_ms: int) -> Enrolling:
        """Guide by one frame, keep what is good, and tell HR's page; returns what the kiosk's screen says."""
        wish, collector = sitting.wish, sitting.collector
        pose, chosen, hint = collector.pose, None, None
        if pose is not None:
            seen = guide(sight, frame_height, pose, self.settings)
            chosen = collector.offer(seen, jpeg, captured_ms)
            hint = seen.hint if chosen is None else None  # what it said of one pose says nothing of the next
        said = Enrolling(name=wish.name, pose=collector.pose, hint=hint, done=len(collector.done))
        if chosen is not None or said != sitting.said or captured_ms - sitting.said_ms >= STATE_EVERY_MS:
            key = keys.enrol_pictures(self.settings.shard, wish.session)
            values = {"state": said.model_dump_json().encode(), "employee_id": wish.employee_id.encode()}
            if chosen is not None and pose is not None:
                values[pose.value] = chosen
            pipe = self.live.pipeline(transaction=True)
            pipe.hset(key, mapping=values)
            pipe.expire(key, keys.ENROL_PICTURES_TTL_S)
            pipe.execute()
            sitting.said, sitting.said_ms = said, captured_ms
        return said
