"""Enrolment on a person's page: pictures go in, each is answered in words, and the stored ones are shown to HR only."""

from typing import Any

from flask import Blueprint, Response, abort, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select

from dashboard import audit
from dashboard.audit_actions import Action
from dashboard.auth import actor, viewer_name
from dashboard.database import reading
from dashboard.enrolment import EnrolResult, delete_picture, enrol_picture, shard_with_worker
from dashboard.models import Employee, EnrolmentPicture
from dashboard.people import person_page
from dashboard.web import services, wants_json
from worker.protocol.outcomes import QUALITY_PROMPTS, Outcome

AT_ONCE = 5
"""Pictures of one form."""
TRY_AGAIN = QUALITY_PROMPTS | {Outcome.NO_FACE, Outcome.NOT_READY, Outcome.NO_WORKER}
"""Verdicts that another try may change: shown as a hint, not as a refusal."""

pages = Blueprint("pictures", __name__, url_prefix="/people/<employee_id>/pictures")


def verdict(file_name: str, result: EnrolResult) -> dict[str, Any]:
    """One picture's result as page and script show it; `confirm` offers to enrol a look-alike anyway."""
    kind = "good" if result.stored else "warn" if result.outcome in TRY_AGAIN else "bad"
    return {
        "file": file_name[:100],
        "outcome": result.outcome.value,
        "words": result.words,
        "kind": kind,
        "stored": result.stored,
        "confirm": result.outcome is Outcome.ALREADY_ENROLLED,
    }


@pages.post("")
def add(employee_id: str) -> ResponseReturnValue:
    """Enrol the form's pictures one after the other; `accept_similar` says that a look-alike is a different person."""
    app = services()
    with reading(app.sessions) as session:
        if not session.scalar(select(exists().where(Employee.id == employee_id))):
            abort(404)
    files = [file for file in request.files.getlist("pictures") if file.filename or file.content_length]
    if not 1 <= len(files) <= AT_ONCE:
        problem = (
            f"{len(files)} pictures were sent; choose 1 to {AT_ONCE}." if files else "Choose at least one picture."
        )
        if wants_json():
            return jsonify(error=problem), 422
        return person_page(employee_id, upload_problem=problem), 422
    shard = shard_with_worker(app.lives)
    settings = app.settings.model_copy(update={"shard": shard})
    verdicts, nobody = [], None
    for file in files:
        # one picture waited for a worker in vain; the others needn't
        result = nobody or enrol_picture(
            app.sessions,
            app.lives[shard],
            settings,
            employee_id,
            file.read(),
            accept_similar=bool(request.form.get("accept_similar")),
            by=viewer_name(),
            actor=actor(),
        )
        nobody = result if result.outcome is Outcome.NO_WORKER else None
        verdicts.append(verdict(file.filename or "picture", result))
    if wants_json():
        return jsonify(results=verdicts)
    return person_page(employee_id, verdicts=verdicts)


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
    flash("The picture and its template are deleted.", "good")
    return redirect(url_for("people.person", employee_id=employee_id))
