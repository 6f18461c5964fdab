"""Enrolment on a person's page: pictures go in, each is answered in words, and the stored ones are shown to HR only."""

from flask import Blueprint, Response, abort, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import exists, select

from dashboard.access.auth import actor, viewer_name
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms, reading
from dashboard.enrolling.enrolment import Wish, delete_picture, enrol_pictures
from dashboard.enrolling.enrolment_words import EnrolResult
from dashboard.enrolling.verdicts import verdict
from dashboard.enrolling.worker_requests import shard_with_worker
from dashboard.models import Employee, EnrolmentPicture, LikenessDecision
from dashboard.people.people_pages import person_page
from dashboard.web.answers import services, wants_json
from worker.protocol.outcomes import Outcome

AT_ONCE = 5
"""Pictures of one form."""
MOST_REPLACED = 50
"""Ids of stored pictures in one form; more than anybody may have."""

pages = Blueprint("pictures", __name__, url_prefix="/people/<employee_id>/pictures")


def wish_of(employee_id: str) -> Wish:
    """The terms of an enrolment form; `replaced` names the pictures that the clerk saw and wants gone."""
    replaced = request.form.getlist("replaced") if request.form.get("replace") else []
    if len(replaced) > MOST_REPLACED:
        abort(
            400,
            _(
                "At most %(most)s pictures can be replaced at once, got %(count)s.",
                most=MOST_REPLACED,
                count=len(replaced),
            ),
        )
    accept_similar = bool(request.form.get("accept_similar"))
    return Wish(employee_id, viewer_name(), frozenset(replaced), accept_similar, actor())


def enrol(wish: Wish, uploads: list[bytes], together: bool) -> list[EnrolResult]:
    """Enrol the uploads in one step, or each by itself, on a shard that has a worker."""
    app = services()
    shard = shard_with_worker(app.lives)
    settings = app.settings.model_copy(update={"shard": shard})
    if together or wish.replaced:
        return enrol_pictures(app.sessions, app.lives[shard], settings, wish, uploads)
    results: list[EnrolResult] = []
    for data in uploads:
        # one picture waited for a worker in vain; the others needn't
        nobody = next((one for one in results if one.outcome is Outcome.NO_WORKER), None)
        results.append(nobody or enrol_pictures(app.sessions, app.lives[shard], settings, wish, [data])[0])
    return results


@pages.post("")
def add(employee_id: str) -> ResponseReturnValue:
    """Enrol the form's pictures one after the other, or with `together` all or none.

    `accept_similar` says that a look-alike is a different person, `replace` that the new ones take the old ones' place.
    """
    require_person(employee_id)
    files = [file for file in request.files.getlist("pictures") if file.filename or file.content_length]
    if not 1 <= len(files) <= AT_ONCE:
        problem = (
            _("%(count)s pictures were sent; choose 1 to %(most)s.", count=len(files), most=AT_ONCE)
            if files
            else _("Choose at least one picture.")
        )
        if wants_json():
            return jsonify(error=problem), 422
        return person_page(employee_id, upload_problem=problem), 422
    results = enrol(wish_of(employee_id), [file.read() for file in files], bool(request.form.get("together")))
    verdicts = [verdict(file.filename or "picture", result) for file, result in zip(files, results, strict=True)]
    if wants_json():
        return jsonify(results=verdicts)
    return person_page(employee_id, verdicts=verdicts)


def require_person(employee_id: str) -> None:
    with reading(services().sessions) as session:
        if not session.scalar(select(exists().where(Employee.id == employee_id))):
            abort(404)


@pages.get("/<picture_id>.jpg")
def show(employee_id: str, picture_id: str) -> ResponseReturnValue:
    with reading(services().sessions) as session:
        jpeg = session.scalar(
            select(EnrolmentPicture.jpeg).where(
                EnrolmentPicture.id == picture_id, EnrolmentPicture.employee_id == employee_id
            )
        )
    if jpeg is None:
        abort(404)
    return Response(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@pages.post("/<picture_id>/delete")
def delete(employee_id: str, picture_id: str) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        owner = session.scalar(select(EnrolmentPicture.employee_id).where(EnrolmentPicture.id == picture_id))
        if owner != employee_id:
            abort(404)
        delete_picture(session, picture_id)
        subject = audit.person(session.get_one(Employee, employee_id))
        audit.add(session, actor(), Action.PICTURE_DELETED, subject, before={"picture": picture_id})
    flash(_("The picture and its template are deleted."), "good")
    return redirect(url_for("people.person", employee_id=employee_id))


@pages.post("/same-person")
def same_person(employee_id: str) -> ResponseReturnValue:
    """HR compared two faces and says that they are one person's: nothing is enrolled, the decision is kept."""
    other_id = request.form.get("other_id", "")
    require_person(employee_id)
    with services().sessions.begin() as session:
        other = session.get(Employee, other_id[:64])
        if other is None or other.id == employee_id:
            abort(400, _("The person it looks like is not there (any more). Reload the page."))
        session.add(
            LikenessDecision(
                employee_id=employee_id,
                other_id=other.id,
                decision="same",
                decided_by=viewer_name()[:64],
                decided_ms=now_ms(),
            )
        )
        person = audit.person(session.get_one(Employee, employee_id))
        audit.add(session, actor(), Action.FACES_SAME, person, after={"looks_like": other.id})
    words = _(
        "Noted: it is %(name)s (%(code)s). Nothing was enrolled here; keep one of the two entries.",
        name=other.name,
        code=other.code,
    )
    if wants_json():
        return jsonify(words=words)
    flash(words, "info")
    return redirect(url_for("people.person", employee_id=employee_id))
