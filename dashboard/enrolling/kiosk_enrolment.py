"""Enrolment at a kiosk, as the dashboard sees it: the wish that a kiosk's worker heeds, and what it has collected so far.

All of it is in the live Redis alone, which writes nothing to disk, and expires by itself. Knows neither Flask nor the
database. Functions raise redis's errors where the server is away.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import redis
from flask_babel import gettext as _
from pydantic import ValidationError

from worker.protocol import heartbeats, keys
from worker.protocol.entries import MAX_JPEG_BYTES, BadEntry, KioskEnrolment, pack_fields, unpack_fields
from worker.protocol.guided import Enrolling, Pose

Phase = Literal["waiting", "collecting", "complete", "over"]


class KioskBusy(RuntimeError):
    """The kiosk enrols somebody already; `name` is who."""

    def __init__(self, name: str) -> None:
        super().__init__(_("this kiosk is enrolling %(name)s already", name=name))
        self.name = name


@dataclass(frozen=True)
class Place:
    """A kiosk that is alive; `problem` says in words why nobody can be enrolled there now."""

    kiosk: str
    shard: str
    problem: str = ""


@dataclass(frozen=True)
class Sitting:
    """Where a session stands. `poses` are those there is a picture of."""

    phase: Phase
    said: Enrolling | None
    poses: tuple[Pose, ...]
    left_s: int
    """Until the kiosk is a door again by itself; 0 when it is one."""


def places(lives: Mapping[str, redis.Redis]) -> Iterator[Place]:
    """Every kiosk that lives, by name; shards that don't answer are left out."""
    for shard, live in lives.items():
        try:
            beats = sorted(heartbeats.read(live, shard, "kiosk"), key=lambda beat: beat.name)
            busy = {
                beat.name: wish_at(live, shard, beat.name) for beat in beats if keys.KIOSK_NAME.fullmatch(beat.name)
            }
        except (redis.exceptions.RedisError, OSError):
            continue
        for name, wish in busy.items():
            camera = next(beat.data.get("camera") for beat in beats if beat.name == name)
            problem = "" if camera in ("ok", None) else _("its camera isn’t running")
            if wish:
                problem = _("is enrolling %(name)s", name=wish.name)
            yield Place(name, shard, problem)


def wish_at(live: redis.Redis, shard: str, kiosk: str) -> KioskEnrolment | None:
    """Whom the kiosk enrols; None when nobody, or what is written there can't be read."""
    raw: Any = live.get(keys.enrolling(shard, kiosk))
    try:
        return KioskEnrolment.from_fields(unpack_fields(raw)) if raw else None
    except BadEntry:
        return None


def start(live: redis.Redis, shard: str, kiosk: str, wish: KioskEnrolment) -> None:
    """Have the kiosk take this person's pictures; raises KioskBusy when it takes somebody's already."""
    raw = pack_fields(wish.to_fields())
    if not live.set(keys.enrolling(shard, kiosk), raw, nx=True, px=keys.ENROLLING_TTL_S * 1000):
        other = wish_at(live, shard, kiosk)
        raise KioskBusy(other.name if other else "somebody")


def look(live: redis.Redis, shard: str, kiosk: str, session: str, employee_id: str) -> Sitting:
    """Where the session stands; `over` too when it isn't this employee's."""
    wish = wish_at(live, shard, kiosk)
    mine = wish is not None and (wish.session, wish.employee_id) == (session, employee_id)
    left_ms: Any = live.pttl(keys.enrolling(shard, kiosk)) if mine else 0
    kept = _kept(live, shard, session, employee_id)
    try:
        said = Enrolling.model_validate_json(kept.get(b"state", b""))
    except ValidationError:
        said = None
    poses = tuple(pose for pose in Pose if pose.value.encode() in kept)
    phase: Phase = "collecting" if said else "waiting"
    if said and said.pose is None:
        phase = "complete"
    elif not mine:
        phase = "over"
    return Sitting(phase, said, poses, max(0, left_ms) // 1000)


def pictures(live: redis.Redis, shard: str, session: str, employee_id: str) -> dict[Pose, bytes]:
    """The chosen frames of that employee's session, in the order of the poses."""
    kept = _kept(live, shard, session, employee_id)
    found = {pose: kept[pose.value.encode()] for pose in Pose if pose.value.encode() in kept}
    return {pose: jpeg for pose, jpeg in found.items() if len(jpeg) <= MAX_JPEG_BYTES}


def _kept(live: redis.Redis, shard: str, session: str, employee_id: str) -> dict[bytes, bytes]:
    kept: Any = live.hgetall(keys.enrol_pictures(shard, session))
    return kept if kept.get(b"employee_id", b"").decode(errors="replace") == employee_id else {}


def end(live: redis.Redis, shard: str, kiosk: str, session: str) -> None:
    """The kiosk is a door again, and the pictures are gone; another session there is left alone."""
    key = keys.enrolling(shard, kiosk)
    with live.pipeline(transaction=True) as pipe:
        pipe.watch(key)  # type: ignore[no-untyped-call]
        wish = wish_at(live, shard, kiosk)
        if wish is not None and wish.session == session:
            pipe.multi()
            pipe.delete(key)
            with contextlib.suppress(redis.exceptions.WatchError):  # it expired, and another one began
                pipe.execute()
    live.delete(keys.enrol_pictures(shard, session))
