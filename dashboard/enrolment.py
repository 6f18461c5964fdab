"""Enrolment: a picture goes to a worker, its verdict comes back, and only a good one is stored, with its template.

Nothing here knows Flask, so the command and the pages share it. Without a stored consent no worker even sees the picture.
"""

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import numpy as np
import redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard import audit, serving
from dashboard.audit_actions import Action
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.models import Employee, EnrolmentPicture, Template
from dashboard.outbox import queue_change
from dashboard.pictures import BadPicture, normalise_upload
from dashboard.settings import DashboardSettings
from worker.protocol import heartbeats, keys
from worker.protocol.connection import MAX_BLOCK_MS
from worker.protocol.entries import BadEntry, EnrolReply, EnrolRequest, as_any, new_id, unpack_fields
from worker.protocol.outcomes import Outcome

log = logging.getLogger(__name__)

REQUESTS_KEPT = 32
"""Pictures that may wait for a worker; with 1.5 MB each they stay far below the live server's memory."""

SWITCHES_FOLLOWED = 3
"""Switches of the model during one enrolment, more than which nobody makes."""

QUALITY_CHARS = 2_000
"""What the column holds."""


class Refusal(StrEnum):
    """Why a picture was refused before any worker judged it (or, for the first two, again before it was stored)."""

    SAME_PICTURE = "same_picture"
    TOO_MANY_PICTURES = "too_many_pictures"
    NO_SUCH_EMPLOYEE = "no_such_employee"


@dataclass(frozen=True)
class EnrolResult:
    """What became of one picture, for a page or a report. `words` is a plain English sentence."""

    outcome: Outcome | Refusal
    words: str
    picture_id: str | None = None
    """Set exactly when the picture and its template were stored."""
    quality: dict[str, float] = field(default_factory=dict)
    similar_code: str | None = None
    similar_name: str | None = None

    @property
    def stored(self) -> bool:
        return self.picture_id is not None


WORDS: dict[Outcome | Refusal, str] = {
    Outcome.ENROLLED: "Enrolled: the face is clear.",
    Outcome.ALREADY_ENROLLED: "This face is already enrolled as somebody else.",
    Outcome.NO_FACE: "No face was found. Use a picture in which the face is large, lit and seen from the front.",
    Outcome.SEVERAL_FACES: "There is more than one face. Use a picture of this person alone.",
    Outcome.TOO_SMALL: "The face is too small. Come closer, or use a larger picture.",
    Outcome.CUT_OFF: "The face is cut off at the edge. Use a picture with the whole head.",
    Outcome.BLURRED: "The face is blurred. Hold still, or use a sharper picture.",
    Outcome.TOO_DARK: "The face is too dark. Turn towards the light.",
    Outcome.TOO_BRIGHT: "The face is too bright. Avoid direct light and flash.",
    Outcome.TURNED_AWAY: "The face is turned away. Look straight into the camera.",
    Outcome.SPOOF_SUSPECTED: "This looks like a picture of a picture. Take it of the person themselves.",
    Outcome.NOT_LIVE: "This doesn't look like a person in front of the camera.",
    Outcome.BAD_FRAME: "The picture can't be read.",
    Outcome.NO_CONSENT: "There is no stored consent to keep this person's face data. Record the consent first.",
    Outcome.INACTIVE: "This employee is deactivated. Reactivate them first.",
    Outcome.NO_WORKER: "No worker answered. Check that a worker is running (`attendance doctor`), then try again.",
    Outcome.NOT_READY: "The worker is still loading. Try again in a few seconds.",
    Refusal.SAME_PICTURE: "This very picture is already stored for this employee. Use another one.",
    Refusal.TOO_MANY_PICTURES: "This employee has all the pictures they may have. Delete one first.",
    Refusal.NO_SUCH_EMPLOYEE: "There is no such employee any more.",
}


def words_for(
    outcome: Outcome | Refusal, reason: str | None = None, similar: str | None = None, limit: int | None = None
) -> str:
    """The verdict as a sentence. `reason` is added in brackets; `similar` is who looks alike; `limit` the most pictures."""
    if outcome is Outcome.ALREADY_ENROLLED and similar:
        words = (
            f"This face is already enrolled as {similar}. If they really are two people, say so and enrol it anyway."
        )
    elif outcome is Refusal.TOO_MANY_PICTURES and limit:
        words = f"This employee has {limit} pictures already, which is the most. Delete one first."
    else:
        words = WORDS.get(outcome, f"Refused: {outcome.value.replace('_', ' ')}.")
    return f"{words} ({reason})" if reason and outcome is not Outcome.ENROLLED else words


def shard_with_worker(lives: Mapping[str, redis.Redis]) -> str:
    """A shard whose workers can judge a picture: all have the same gallery, so the first that has a worker."""
    first, *others = lives
    for shard in lives if others else ():
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            if any(heartbeats.read(lives[shard], shard, "worker")):
                return shard
    return first


def ask_worker(
    live: redis.Redis,
    shard: str,
    jpeg: bytes,
    employee_id: str | None,
    timeout_s: float,
    model_id: str | None = None,
) -> EnrolReply:
    """Have a worker judge `jpeg`, or only embed it where a `model_id` is named.

    Outcome `no_worker`, with the reason, when none answers within `timeout_s`.
    """
    request = EnrolRequest(request_id=new_id(), employee_id=employee_id, jpeg=jpeg, model_id=model_id)
    stream, reply_key = keys.requests(shard), keys.reply(shard, request.request_id)
    deadline = time.monotonic() + timeout_s
    try:
        entry_id = live.xadd(stream, as_any(request.to_fields()), maxlen=REQUESTS_KEPT, approximate=False)
        while (left_s := deadline - time.monotonic()) > 0:
            answer = live.blpop([reply_key], timeout=max(0.01, min(left_s, MAX_BLOCK_MS / 1000)))
            if answer:
                return _checked(EnrolReply.from_fields(unpack_fields(cast(bytes, answer[1]))), request)
        live.xdel(stream, entry_id)  # so that a worker that comes later doesn't judge pictures nobody waits for
        reason = f"waited {timeout_s:.0f} s"
    except BadEntry as error:
        reason = f"its answer could not be read: {error}"
    except (redis.exceptions.RedisError, OSError) as error:
        reason = f"Redis is away: {error}"
    return EnrolReply(request_id=request.request_id, outcome=Outcome.NO_WORKER, reason=reason[:300])


def _checked(reply: EnrolReply, request: EnrolRequest) -> EnrolReply:
    if reply.request_id != request.request_id:
        raise BadEntry("request_id: answers another request")
    if request.model_id is not None and reply.model_id != request.model_id:
        raise BadEntry(f"model_id: {request.model_id} was asked for; update that worker")
    if reply.outcome in (Outcome.ENROLLED, Outcome.ALREADY_ENROLLED):
        if reply.template is None or not reply.model_id:
            raise BadEntry("template, model_id: missing in a good verdict")
        if not np.isfinite(np.frombuffer(reply.template, "<f4")).all():
            raise BadEntry("template: holds numbers that are not finite")
    return reply


def enrol_picture(
    session_factory: SessionFactory,
    live: redis.Redis,
    settings: DashboardSettings,
    employee_id: str,
    data: bytes,
    accept_similar: bool = False,
    by: str = "admin",
    actor: audit.Actor = audit.COMMAND,
) -> EnrolResult:
    """Enrol one uploaded picture (any size or format that `normalise_upload` takes) of an employee.

    Blocks up to `settings.enrol_timeout_s` and holds no database session meanwhile. `accept_similar` stores a face
    that looks like somebody else's, `by` is the user who enrols, `actor` the same for the audit trail. Refusals are
    results; database errors are raised.
    """
    with reading(session_factory) as session:
        refusal = _person_refusal(session.get(Employee, employee_id))
    if refusal:
        return EnrolResult(refusal, words_for(refusal))
    try:
        jpeg = normalise_upload(data)
    except BadPicture as error:
        return EnrolResult(Outcome.BAD_FRAME, str(error))
    with reading(session_factory) as session:
        refused = _picture_refusal(session, employee_id, jpeg, settings.max_pictures)
    if refused:
        return refused

    reply = ask_worker(live, settings.shard, jpeg, employee_id, settings.enrol_timeout_s)
    if reply.outcome is Outcome.ALREADY_ENROLLED and not accept_similar:
        return _looks_alike(session_factory, reply)
    if reply.outcome not in (Outcome.ENROLLED, Outcome.ALREADY_ENROLLED):
        return EnrolResult(reply.outcome, words_for(reply.outcome, reply.reason), quality=reply.quality)
    assert reply.template is not None
    assert reply.model_id
    templates = {reply.model_id: reply.template}
    for _ in range(SWITCHES_FOLLOWED):
        reason = _embed_by_others(session_factory, live, settings, jpeg, templates)
        result = _store(session_factory, settings, employee_id, jpeg, reply, templates, by, actor)
        if result is not None:
            return result
    return EnrolResult(Outcome.NOT_READY, words_for(Outcome.NOT_READY, reason), quality=reply.quality)


def _embed_by_others(
    session_factory: SessionFactory,
    live: redis.Redis,
    settings: DashboardSettings,
    jpeg: bytes,
    templates: dict[str, bytes],
) -> str | None:
    """Add the templates of the model that is coming, and of one that began to serve meanwhile; the reason where one fails.

    `attendance model use` looks after a coming model's template that couldn't be had.
    """
    with reading(session_factory) as session:
        now = serving.read(session)
    reason = None
    for model_id in (now.model_id, now.coming):
        if model_id is not None and model_id not in templates:
            reply = ask_worker(live, settings.shard, jpeg, None, settings.enrol_timeout_s, model_id)
            if reply.template is not None:
                templates[model_id] = reply.template
            else:
                reason = reply.reason or reply.outcome.value
                log.warning("a picture gets no template of %s yet: %s", model_id, reason)
    return reason


def _store(
    session_factory: SessionFactory,
    settings: DashboardSettings,
    employee_id: str,
    jpeg: bytes,
    reply: EnrolReply,
    templates: dict[str, bytes],
    by: str,
    actor: audit.Actor,
) -> EnrolResult | None:
    """Check again under the employee's lock (they may have been withdrawn meanwhile), then store all or nothing.

    None when another model serves by now, and its template is not among them.
    """
    with session_factory.begin() as session:
        now = serving.wanted(session)
        if now.model_id is not None and now.model_id not in templates:
            return None
        employee = session.get(Employee, employee_id, with_for_update=True)
        refusal = _person_refusal(employee)
        if refusal:
            return EnrolResult(refusal, words_for(refusal))
        refused = _picture_refusal(session, employee_id, jpeg, settings.max_pictures)
        if refused:
            return refused
        try:
            for model_id, vector in templates.items():
                serving.require_size(session, model_id, vector)
        except serving.WrongSize as error:
            return EnrolResult(Outcome.NOT_READY, f"Nothing was stored: {error}.", quality=reply.quality)
        quality_json = _short_json(reply.quality)
        made = [
            Template(model_id=model_id, vector=vector, quality_json=quality_json, created_ms=now_ms())
            for model_id, vector in templates.items()
        ]
        picture = EnrolmentPicture(
            id=new_id(),
            employee_id=employee_id,
            sha256=_digest(jpeg),
            jpeg=jpeg,
            created_ms=now_ms(),
            created_by=by[:64],
            templates=made,
        )
        session.add(picture)
        session.flush()
        for model_id in templates:
            queue_change(session, "put", employee_id, model_id)
        assert employee is not None
        audit.add(session, actor, Action.PICTURE_ADDED, audit.person(employee), after={"picture": picture.id})
    log.info("picture %s enrolled for employee %s", picture.id, employee_id)
    return EnrolResult(Outcome.ENROLLED, words_for(Outcome.ENROLLED), picture.id, reply.quality)


def _person_refusal(employee: Employee | None) -> Outcome | Refusal | None:
    if employee is None:
        return Refusal.NO_SUCH_EMPLOYEE
    if employee.deactivated_ms is not None:
        return Outcome.INACTIVE
    return Outcome.NO_CONSENT if employee.consent_ms is None else None


def _picture_refusal(session: Session, employee_id: str, jpeg: bytes, limit: int) -> EnrolResult | None:
    same = (EnrolmentPicture.employee_id == employee_id) & (EnrolmentPicture.sha256 == _digest(jpeg))
    if session.scalar(select(EnrolmentPicture.id).where(same)):
        return EnrolResult(Refusal.SAME_PICTURE, words_for(Refusal.SAME_PICTURE))
    count = session.scalar(
        select(func.count()).select_from(EnrolmentPicture).where(EnrolmentPicture.employee_id == employee_id)
    )
    if (count or 0) >= limit:
        return EnrolResult(Refusal.TOO_MANY_PICTURES, words_for(Refusal.TOO_MANY_PICTURES, limit=limit))
    return None


def _short_json(quality: dict[str, float]) -> str:
    text = json.dumps(quality)
    return text if len(text) <= QUALITY_CHARS else "{}"


def _digest(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


def _looks_alike(session_factory: SessionFactory, reply: EnrolReply) -> EnrolResult:
    code, name = None, reply.similar_name
    if reply.similar_employee_id:
        with reading(session_factory) as session:
            similar = session.get(Employee, reply.similar_employee_id)
            if similar is not None:
                code, name = similar.code, similar.name
    label = f"{name} ({code})" if name and code else name
    words = words_for(reply.outcome, similar=label)
    return EnrolResult(reply.outcome, words, quality=reply.quality, similar_code=code, similar_name=name)


def delete_picture(session: Session, picture_id: str) -> str | None:
    """Delete a picture and its templates in the caller's transaction, and have the gallery follow.

    Returns the employee's id, or None when there is no such picture (any more).
    """
    picture = session.get(EnrolmentPicture, picture_id)
    if picture is None:
        return None
    employee_id = picture.employee_id
    session.get(Employee, employee_id, with_for_update=True)
    models = {template.model_id for template in picture.templates}
    session.delete(picture)
    session.flush()
    for model_id in sorted(models):
        queue_change(session, "put", employee_id, model_id)
    return employee_id
