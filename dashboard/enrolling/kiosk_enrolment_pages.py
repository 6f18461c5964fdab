"""Enrolment at a kiosk: HR chooses the kiosk, follows along while the person is guided there, and accepts or repeats."""

from typing import Any

import redis
from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from dashboard.access.auth import actor
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import reading
from dashboard.enrolling import kiosk_enrolment
from dashboard.enrolling.enrolment import may_enrol
from dashboard.enrolling.enrolment_words import HINTS, POSE_NAMES, POSES, words_for
from dashboard.enrolling.kiosk_enrolment import KioskBusy, Place, Sitting
from dashboard.enrolling.pictures_pages import enrol, wish_of
from dashboard.enrolling.verdicts import verdict
from dashboard.models import Employee, EnrolmentPicture, Kiosk
from dashboard.web.answers import services
from worker.protocol import keys
from worker.protocol.entries import KioskEnrolment, new_id
from worker.protocol.guided import Pose
from worker.protocol.outcomes import Outcome

PHASES = {
    "waiting": lazy_gettext("Waiting for the kiosk to begin."),
    "complete": lazy_gettext("All pictures are there. Look at them, then accept or repeat."),
    "over": lazy_gettext("The kiosk has stopped: the time is over, or somebody ended it."),
}
REDIS_AWAY = lazy_gettext("The live Redis doesn’t answer, so kiosks can’t be asked. Try again in a moment.")

pages = Blueprint("kiosk_enrolment", __name__, url_prefix="/people/<employee_id>/at-kiosk")


def load_person(employee_id: str) -> Employee:
    with reading(services().sessions) as session:
        employee = session.get(Employee, employee_id)
    if employee is None:
        abort(404)
    return employee


@pages.errorhandler(redis.exceptions.RedisError)
def away(_error: Exception) -> ResponseReturnValue:
    return render_template("error.html", code=503, title=_("Not available right now"), words=REDIS_AWAY), 503


@pages.get("")
def choose(employee_id: str) -> ResponseReturnValue:
    return _choose(load_person(employee_id))


def _choose(employee: Employee, problem: str = "", code: int = 200) -> ResponseReturnValue:
    app = services()
    with reading(app.sessions) as session:
        labels = {kiosk.name: kiosk.label for kiosk in session.scalars(select(Kiosk))}
        refusal = may_enrol(session, employee.id)
    return render_template(
        "kiosk_choose.html",
        person=employee,
        places=list(kiosk_enrolment.places(app.lives)),
        labels=labels,
        problem=problem,
        refusal=words_for(refusal) if refusal else "",
    ), code


@pages.post("")
def start(employee_id: str) -> ResponseReturnValue:
    employee, app = load_person(employee_id), services()
    with reading(app.sessions) as session:
        refusal = may_enrol(session, employee_id)
    if refusal:
        return _choose(employee, words_for(refusal), 422)
    name = request.form.get("kiosk", "")
    place = next((place for place in kiosk_enrolment.places(app.lives) if place.kiosk == name), None)
    if place is None:
        return _choose(employee, _("Kiosk “%(kiosk)s” isn’t running. Choose one of those below.", kiosk=name[:32]), 422)
    wish = KioskEnrolment(session=new_id(), employee_id=employee_id, name=employee.name)
    try:
        with app.sessions.begin() as db:
            kiosk_enrolment.start(app.lives[place.shard], place.shard, place.kiosk, wish)
            told = {"kiosk": place.kiosk}
            audit.add(db, actor(), Action.KIOSK_ENROLMENT_BEGUN, audit.person(employee), after=told)
    except KioskBusy as busy:
        words = _(
            "Kiosk %(kiosk)s is enrolling %(person)s already. Wait until that is done, or choose another kiosk.",
            kiosk=name,
            person=busy.name,
        )
        return _choose(employee, words, 409)
    return redirect(url_for("kiosk_enrolment.follow", employee_id=employee_id, kiosk=name, session=wish.session))


def _place(kiosk: str) -> tuple[redis.Redis, Place]:
    """Where a kiosk's keys are: its shard while it lives, else the first, where there is nothing of it."""
    if not keys.KIOSK_NAME.fullmatch(kiosk):
        abort(404)
    lives = services().lives
    place = Place(kiosk, next(iter(lives)))
    if len(lives) > 1:
        place = next((found for found in kiosk_enrolment.places(lives) if found.kiosk == kiosk), place)
    return lives[place.shard], place


@pages.get("/<kiosk>/<session>")
def follow(employee_id: str, kiosk: str, session: str) -> ResponseReturnValue:
    return _follow(load_person(employee_id), kiosk, session)


def _follow(employee: Employee, kiosk: str, session: str, verdicts: list[dict[str, Any]] | None = None) -> str:
    live, place = _place(kiosk)
    with reading(services().sessions) as db:
        stored = list(db.scalars(select(EnrolmentPicture.id).where(EnrolmentPicture.employee_id == employee.id)))
    return render_template(
        "kiosk_follow.html",
        person=employee,
        kiosk=kiosk,
        session_id=session,
        state=state_of(kiosk_enrolment.look(live, place.shard, kiosk, session, employee.id)),
        stored=stored,
        room=max(0, services().settings.max_pictures - len(stored)),
        verdicts=verdicts or [],
    )


@pages.get("/<kiosk>/<session>/state")
def state(employee_id: str, kiosk: str, session: str) -> ResponseReturnValue:
    """What the following page shows, asked once a second."""
    live, place = _place(kiosk)
    return jsonify(state_of(kiosk_enrolment.look(live, place.shard, kiosk, session, employee_id)))


def state_of(sitting: Sitting) -> dict[str, Any]:
    said, words = sitting.said, str(PHASES.get(sitting.phase, ""))
    if sitting.phase == "collecting" and said is not None and said.pose is not None:
        words = f"{HINTS[said.hint] if said.hint else POSES[said.pose]}."
    return {
        "phase": sitting.phase,
        "words": words,
        "done": len(sitting.poses),
        "poses": [pose.value for pose in sitting.poses],
        "left_s": sitting.left_s,
    }


@pages.get("/<kiosk>/<session>/<pose>.jpg")
def picture(employee_id: str, kiosk: str, session: str, pose: str) -> ResponseReturnValue:
    live, place = _place(kiosk)
    found = kiosk_enrolment.pictures(live, place.shard, session, employee_id)
    jpeg = found.get(Pose(pose)) if pose in set(Pose) else None
    if jpeg is None:
        abort(404)
    return Response(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@pages.post("/<kiosk>/<session>/accept")
def accept(employee_id: str, kiosk: str, session: str) -> ResponseReturnValue:
    """Enrol what the kiosk collected, all or none; where it can't be, HR decides or repeats."""
    employee = load_person(employee_id)
    live, place = _place(kiosk)
    found = kiosk_enrolment.pictures(live, place.shard, session, employee_id)
    if not found:
        flash(_("There are no pictures (any more): they are kept for ten minutes. Begin again."), "warn")
        return redirect(url_for("kiosk_enrolment.choose", employee_id=employee_id))
    results = enrol(wish_of(employee_id), list(found.values()), together=True)
    if not all(result.stored for result in results):
        names = [str(POSE_NAMES[pose]) for pose in found]
        verdicts = [verdict(name, result) for name, result in zip(names, results, strict=True)]
        code = 503 if any(result.outcome is Outcome.NO_WORKER for result in results) else 200
        return _follow(employee, kiosk, session, verdicts), code
    kiosk_enrolment.end(live, place.shard, kiosk, session)
    flash(_("%(count)s pictures are stored; %(name)s is enrolled.", count=len(results), name=employee.name), "good")
    return redirect(url_for("people.person", employee_id=employee_id))


@pages.post("/<kiosk>/<session>/end")
def end(employee_id: str, kiosk: str, session: str) -> ResponseReturnValue:
    """Cancel, or begin again at the same kiosk; nothing of the pictures is kept."""
    employee = load_person(employee_id)
    live, place = _place(kiosk)
    with services().sessions.begin() as db:
        kiosk_enrolment.end(live, place.shard, kiosk, session)
        audit.add(db, actor(), Action.KIOSK_ENROLMENT_ENDED, audit.person(employee), before={"kiosk": kiosk})
    if request.form.get("again"):
        return start(employee_id)
    flash(_("The kiosk is a door again. Nothing was stored."), "info")
    return redirect(url_for("people.person", employee_id=employee_id))
