"""Enrolment: a picture goes to a worker, its verdict comes back, and only a good one is stored, with its template.

Nothing here knows Flask, so the command and the pages share it. Without a stored consent no worker even sees the picture.
Pictures that are given together are stored together or not at all, and the old ones that they replace go in that same
transaction: workers hear of the change as one, so the old ones serve until the new ones do.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import redis
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.enrolling.enrolment_words import EnrolResult, Refusal, words_for
from dashboard.enrolling.pictures import BadPicture, normalise_upload
from dashboard.enrolling.worker_requests import ask_worker
from dashboard.gallery import serving
from dashboard.gallery.outbox import queue_change
from dashboard.models import Employee, EnrolmentPicture, LikenessDecision, Template
from dashboard.settings import DashboardSettings
from worker.protocol.entries import EnrolReply, new_id
from worker.protocol.outcomes import Outcome

log = logging.getLogger(__name__)

SWITCHES_FOLLOWED = 3
"""Switches of the model during one enrolment, more than which nobody makes."""

QUALITY_CHARS = 2_000
"""What the column holds."""


@dataclass(frozen=True)
class Wish:
    """Whose pictures, and on which terms. `replaced` are ids of stored pictures that go when the new ones are stored."""

    employee_id: str
    by: str
    replaced: frozenset[str] = frozenset()
    accept_similar: bool = False
    """Faces that look like somebody else's are stored too: HR compared them."""
    actor: audit.Actor = audit.COMMAND
    """Who enrols, for the audit trail; `by` is their name."""


@dataclass(frozen=True)
class Judged:
    """A picture that a worker found good, with its templates by model id."""

    jpeg: bytes
    reply: EnrolReply
    templates: dict[str, bytes]


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
    wish = Wish(employee_id, by, frozenset(), accept_similar, actor)
    return enrol_pictures(session_factory, live, settings, wish, [data])[0]


def enrol_pictures(
    session_factory: SessionFactory,
    live: redis.Redis,
    settings: DashboardSettings,
    wish: Wish,
    uploads: Sequence[bytes],
) -> list[EnrolResult]:
    """Enrol all of the uploads or none; a result for each. Blocks as `enrol_picture` does, for each picture."""
    with reading(session_factory) as session:
        refusal = _person_refusal(session.get(Employee, wish.employee_id))
    if refusal:
        return [EnrolResult(refusal, words_for(refusal)) for _ in uploads]
    looked: list[Judged | EnrolResult] = []
    for data in uploads:
        looked.append(_judge(session_factory, live, settings, wish, data, looked, len(uploads)))
    looked = _without_other_faces(looked)
    judged = [one for one in looked if isinstance(one, Judged)]
    if len(judged) < len(looked):
        left_out = EnrolResult(Refusal.NOT_ALONE, words_for(Refusal.NOT_ALONE))
        return [left_out if isinstance(one, Judged) else one for one in looked]
    for _time in range(SWITCHES_FOLLOWED):
        reasons = [_embed_by_others(session_factory, live, settings, one.jpeg, one.templates) for one in judged]
        results = _store(session_factory, settings, wish, judged)
        if results is not None:
            return results
    reason = next((reason for reason in reasons if reason), None)
    return [
        EnrolResult(Outcome.NOT_READY, words_for(Outcome.NOT_READY, reason), quality=j.reply.quality) for j in judged
    ]


def _judge(
    session_factory: SessionFactory,
    live: redis.Redis,
    settings: DashboardSettings,
    wish: Wish,
    data: bytes,
    before: Sequence[Judged | EnrolResult],
    together: int,
) -> Judged | EnrolResult:
    """One of `together` uploads; `before` is what became of those before it."""
    for earlier in before:
        if isinstance(earlier, EnrolResult) and earlier.outcome is Outcome.NO_WORKER:
            return earlier  # one picture waited for a worker in vain; the others needn't
    try:
        jpeg = normalise_upload(data)
    except BadPicture as error:
        return EnrolResult(Outcome.BAD_FRAME, str(error))
    twice = any(isinstance(earlier, Judged) and earlier.jpeg == jpeg for earlier in before)
    with reading(session_factory) as session:
        refused = _picture_refusal(session, wish, jpeg, settings.max_pictures, together)
    if refused or twice:
        return refused or EnrolResult(Refusal.SAME_PICTURE, words_for(Refusal.SAME_PICTURE))
    reply = ask_worker(live, settings.shard, jpeg, wish.employee_id, settings.enrol_timeout_s)
    if reply.outcome is Outcome.ALREADY_ENROLLED and not wish.accept_similar:
        return _looks_alike(session_factory, reply, jpeg)
    if reply.outcome not in (Outcome.ENROLLED, Outcome.ALREADY_ENROLLED):
        return EnrolResult(reply.outcome, words_for(reply.outcome, reply.reason), quality=reply.quality)
    assert reply.template is not None
    assert reply.model_id
    return Judged(jpeg, reply, {reply.model_id: reply.template})


def _without_other_faces(looked: Sequence[Judged | EnrolResult]) -> list[Judged | EnrolResult]:
    """Refuse pictures that look like none of those that were judged with them: two people may have taken turns.

    One that is enrolled alone isn't compared with anything, so an unusual picture still has a way in.
    """
    judged = [one for one in looked if isinstance(one, Judged)]
    refused = EnrolResult(Refusal.OTHER_FACE, words_for(Refusal.OTHER_FACE))
    odd = {id(one) for one in judged if _is_apart(one, [other for other in judged if other is not one])}
    return [refused if id(one) in odd else one for one in looked]


def _is_apart(one: Judged, others: Sequence[Judged]) -> bool:
    limit, model_id = one.reply.other_person, str(one.reply.model_id)
    vector = np.frombuffer(one.templates[model_id], "<f4")
    near = [np.frombuffer(other.templates[model_id], "<f4") for other in others if model_id in other.templates]
    apart = [float(np.linalg.norm(vector - other)) for other in near if other.shape == vector.shape]
    return limit is not None and bool(apart) and min(apart) > limit


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
    session_factory: SessionFactory, settings: DashboardSettings, wish: Wish, judged: Sequence[Judged]
) -> list[EnrolResult] | None:
    """Check again under the employee's lock (they may have been withdrawn meanwhile), then store all or nothing.

    None when another model serves by now, and its template is not among one's.
    """
    with session_factory.begin() as session:
        now = serving.wanted(session)
        if now.model_id is not None and any(now.model_id not in one.templates for one in judged):
            return None
        employee = session.get(Employee, wish.employee_id, with_for_update=True)
        refusal = _person_refusal(employee)
        if refusal:
            return [EnrolResult(refusal, words_for(refusal)) for _ in judged]
        refused = [_picture_refusal(session, wish, one.jpeg, settings.max_pictures, len(judged)) for one in judged]
        if any(refused):
            left_out = EnrolResult(Refusal.NOT_ALONE, words_for(Refusal.NOT_ALONE))
            return [one or left_out for one in refused]
        try:
            for one in judged:
                for model_id, vector in one.templates.items():
                    serving.require_size(session, model_id, vector)
        except serving.WrongSize as error:
            words = _("Nothing was stored: %(error)s.", error=error)
            return [EnrolResult(Outcome.NOT_READY, words, quality=one.reply.quality) for one in judged]
        gone, models = _delete_replaced(session, wish)
        pictures = [_new_picture(wish, one) for one in judged]
        session.add_all(pictures)
        session.flush()
        for one, picture in zip(judged, pictures, strict=True):
            if one.reply.similar_employee_id is not None:
                session.add(_found_different(wish, one, picture.id))
        for model_id in sorted(models | {model_id for one in judged for model_id in one.templates}):
            queue_change(session, "put", wish.employee_id, model_id)
        assert employee is not None
        audit.add_all(session, wish.actor, _told(session, employee, gone, judged, pictures))
    log.info("%d pictures enrolled for employee %s, %d replaced", len(pictures), wish.employee_id, len(gone))
    return [
        EnrolResult(Outcome.ENROLLED, words_for(Outcome.ENROLLED), picture.id, one.reply.quality)
        for one, picture in zip(judged, pictures, strict=True)
    ]


def _told(
    session: Session,
    employee: Employee,
    gone: Sequence[str],
    judged: Sequence[Judged],
    pictures: Sequence[EnrolmentPicture],
) -> list[audit.Entry]:
    """What the audit trail tells of it: pictures and look-alikes that were found different by their ids."""
    person = audit.person(employee)
    entries = [audit.Entry(Action.PICTURE_DELETED, person, before={"picture": one}) for one in gone]
    for one, picture in zip(judged, pictures, strict=True):
        entries.append(audit.Entry(Action.PICTURE_ADDED, person, after={"picture": picture.id}))
        if one.reply.similar_employee_id is not None:
            told = {"picture": picture.id, "looks_like": one.reply.similar_employee_id}
            entries.append(audit.Entry(Action.FACES_DIFFERENT, person, after=told))
    return entries


def _delete_replaced(session: Session, wish: Wish) -> tuple[list[str], set[str]]:
    """Delete those of the replaced pictures that are this person's; their ids, and the models that they had templates of."""
    gone, models = [], set()
    for picture_id in sorted(wish.replaced):
        picture = session.get(EnrolmentPicture, picture_id)
        if picture is not None and picture.employee_id == wish.employee_id:
            models |= {template.model_id for template in picture.templates}
            session.delete(picture)
            gone.append(picture_id)
    session.flush()
    return gone, models


def _new_picture(wish: Wish, one: Judged) -> EnrolmentPicture:
    quality_json = _short_json(one.reply.quality)
    made = [
        Template(model_id=model_id, vector=vector, quality_json=quality_json, created_ms=now_ms())
        for model_id, vector in one.templates.items()
    ]
    return EnrolmentPicture(
        id=new_id(),
        employee_id=wish.employee_id,
        sha256=_digest(one.jpeg),
        jpeg=one.jpeg,
        created_ms=now_ms(),
        created_by=wish.by[:64],
        templates=made,
    )


def _found_different(wish: Wish, one: Judged, picture_id: str) -> LikenessDecision:
    return LikenessDecision(
        employee_id=wish.employee_id,
        other_id=one.reply.similar_employee_id,
        picture_id=picture_id,
        decision="different",
        distance=one.reply.similar_distance,
        decided_by=wish.by[:64],
        decided_ms=now_ms(),
    )


def _person_refusal(employee: Employee | None) -> Outcome | Refusal | None:
    if employee is None or employee.erased_ms is not None:
        return Refusal.NO_SUCH_EMPLOYEE
    if employee.deactivated_ms is not None:
        return Outcome.INACTIVE
    return Outcome.NO_CONSENT if employee.consent_ms is None else None


def may_enrol(session: Session, employee_id: str) -> Outcome | Refusal | None:
    """Why no picture of this person may be taken, before one is; None when it may."""
    return _person_refusal(session.get(Employee, employee_id))


def _picture_refusal(session: Session, wish: Wish, jpeg: bytes, limit: int, together: int) -> EnrolResult | None:
    mine = (EnrolmentPicture.employee_id == wish.employee_id) & EnrolmentPicture.id.not_in(wish.replaced)
    if session.scalar(select(EnrolmentPicture.id).where(mine, EnrolmentPicture.sha256 == _digest(jpeg))):
        return EnrolResult(Refusal.SAME_PICTURE, words_for(Refusal.SAME_PICTURE))
    count = session.scalar(select(func.count()).select_from(EnrolmentPicture).where(mine))
    if (count or 0) + together > limit:
        return EnrolResult(Refusal.TOO_MANY_PICTURES, words_for(Refusal.TOO_MANY_PICTURES, limit=limit))
    return None


def _short_json(quality: dict[str, float]) -> str:
    text = json.dumps(quality)
    return text if len(text) <= QUALITY_CHARS else "{}"


def _digest(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


def _looks_alike(session_factory: SessionFactory, reply: EnrolReply, jpeg: bytes) -> EnrolResult:
    similar_id, code, name = None, None, reply.similar_name
    if reply.similar_employee_id:
        with reading(session_factory) as session:
            similar = session.get(Employee, reply.similar_employee_id)
            if similar is not None:
                similar_id, code, name = similar.id, similar.code, similar.name
    label = f"{name} ({code})" if name and code else name
    return EnrolResult(
        reply.outcome,
        words_for(reply.outcome, similar=label),
        quality=reply.quality,
        similar_id=similar_id,
        similar_code=code,
        similar_name=name,
        jpeg=jpeg,
    )


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
