"""Enrolling from a folder in the browser: first only the files' names come, and it is said what would become of everybody;
then the page's script (static/folder.js) sends the pictures person by person, as an upload on the person's page does.

Nothing is kept here between the two: whoever has a picture by the time that theirs come is passed over, so a page that was
reloaded, or a request that was sent twice, doubles nothing.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import FileStorage

from dashboard.access.auth import actor, viewer_name
from dashboard.database import now_ms, reading
from dashboard.enrolling import folder_people, picture_names
from dashboard.enrolling.enrolment import Wish
from dashboard.enrolling.enrolment_words import EnrolResult, Refusal, words_for
from dashboard.enrolling.folder_people import Standing
from dashboard.enrolling.picture_names import MAX_PICTURES, Entry, Person
from dashboard.enrolling.pictures_pages import enrol
from dashboard.people.employees import EmployeeError
from dashboard.web.answers import services
from dashboard.web.locales import number_words
from worker.protocol.outcomes import Outcome

MOST_NAMES = 20_000
"""Files of one folder: some 4,000 people."""
SHOWN_CHARS = 300
"""Of a path in an answer."""
AWAY = frozenset({Outcome.NO_WORKER, Outcome.NOT_READY})
"""Not the picture's fault: the script asks again."""

pages = Blueprint("folder", __name__, url_prefix="/people/from-folder")


@pages.get("")
def form() -> ResponseReturnValue:
    return render_template(
        "enrol_folder.html",
        max_upload_mb=services().settings.max_upload_mb,
        most_pictures=MAX_PICTURES,
    )


@pages.post("/look")
def look() -> ResponseReturnValue:
    """What would become of everybody in a folder whose files have these paths (JSON: `{"paths": ["E1_Ann/1.jpg", …]}`).

    The answer names pictures by their places in `paths`. Nothing is changed.
    """
    paths = _paths()
    place_of = {path: place for place, path in enumerate(paths)}
    plan = picture_names.plan_of(Entry(tuple(path.split("/"))) for path in place_of)
    with reading(services().sessions) as session:
        people = [_shown(one, place_of) for one in folder_people.standings(session, plan.people)]
    left_out = [{"path": item.path[:SHOWN_CHARS], "why": item.why} for item in plan.left_out]
    problem = "" if people else picture_names.nobody()
    return jsonify(people=people, left_out=left_out, problem=problem[:1].upper() + problem[1:])


def _paths() -> list[str]:
    sent = request.get_json(silent=True)
    paths = sent.get("paths") if isinstance(sent, dict) else None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        abort(400, _("paths: a list of the files’ names is needed."))
    if len(paths) > MOST_NAMES:
        abort(
            422,
            _(
                "The folder holds %(count)s files, at most %(most)s are taken at once. Choose a part of it first.",
                count=number_words(len(paths)),
                most=number_words(MOST_NAMES),
            ),
        )
    return paths


def _shown(one: Standing, place_of: dict[str, int]) -> dict[str, Any]:
    return {
        "code": one.person.code,
        "name": one.name,
        "folder_name": one.person.name,
        "pictures": [place_of[path] for path in one.person.pictures],
        "kind": one.state.value,
        "words": one.words,
        "page": _page(one.employee_id),
    }


def _page(employee_id: str | None) -> str | None:
    return url_for("people.person", employee_id=employee_id) if employee_id else None


@pages.post("/person")
def person() -> ResponseReturnValue:
    """Enrol one person's pictures, 1 to 5, by `code`; with `agreed` somebody new is entered under `name` first.

    Answers with what became of them: `kind` is enrolled, look_alike, not_enrolled, has_pictures, or away while no worker
    can judge, which another try may change.
    """
    named = _named()
    files = [file for file in request.files.getlist("pictures") if file.filename]
    if not 1 <= len(files) <= MAX_PICTURES:
        abort(422, _("%(count)s pictures were sent; choose 1 to %(most)s.", count=len(files), most=MAX_PICTURES))
    try:
        try:
            employee_id, had_pictures = _found_or_entered(named)
        except IntegrityError:  # another request entered the same code in the same moment: there it is
            employee_id, had_pictures = _found_or_entered(named)
    except EmployeeError as error:
        return jsonify(_told("not_enrolled", [str(error)]))
    if employee_id is None:
        return jsonify(_told("not_enrolled", [words_for(Outcome.NO_CONSENT)]))
    if had_pictures:
        return jsonify(_told("has_pictures", [], employee_id))
    wish = Wish(employee_id, viewer_name(), actor=actor())
    results = enrol(wish, [file.read() for file in files], together=False)
    return jsonify(_told(_kind(results), _lines(files, results), employee_id))


def _named() -> Person:
    code, name = request.form.get("code", ""), request.form.get("name", "")
    if not picture_names.CODE.fullmatch(code):
        abort(
            422,
            _("code “%(code)s”: 1-32 letters, digits, '.' or '-' are needed.", code=code[:40]),
        )
    return Person(code, name)


def _found_or_entered(named: Person) -> tuple[str | None, bool]:
    """Whose pictures these are, and whether they have some already; None where somebody new comes without consent."""
    consent_by = viewer_name() if request.form.get("agreed") else None
    with services().sessions.begin() as session:
        employee = folder_people.find_or_enter(session, named, consent_by, actor(), now_ms())
        return (employee.id, folder_people.has_pictures(session, employee.id)) if employee else (None, False)


def _kind(results: Sequence[EnrolResult]) -> str:
    outcomes = {one.outcome for one in results}
    if Outcome.ALREADY_ENROLLED in outcomes:
        return "look_alike"
    if any(one.stored or one.outcome is Refusal.SAME_PICTURE for one in results):
        return "enrolled"  # the same picture: the request was sent twice, and both came through
    return "away" if outcomes & AWAY else "not_enrolled"


def _lines(files: Sequence[FileStorage], results: Sequence[EnrolResult]) -> list[str]:
    """How many are stored, then what was refused and why; a look-alike is decided where both faces are seen."""
    stored = sum(one.stored for one in results)
    if not stored and len({one.words for one in results}) == 1 and results[0].similar_name is None:
        return [results[0].words]  # about the person or the worker, or the same of every picture
    lines = [
        ngettext(
            "%(stored)s of %(count)s picture is stored.",
            "%(stored)s of %(count)s pictures are stored.",
            len(results),
            stored=stored,
            count=len(results),
        )
    ]
    for file, result in zip(files, results, strict=True):
        words = result.words
        if result.outcome is Outcome.ALREADY_ENROLLED and result.similar_name:
            words = _(
                "looks like %(name)s (%(code)s), who is enrolled already. Add it on the person’s page, which shows both faces.",
                name=result.similar_name,
                code=result.similar_code,
            )
        if not result.stored:
            lines.append(f"{(file.filename or '')[:100]}: {words}")
    return lines


def _told(kind: str, words: list[str], employee_id: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "words": words, "page": _page(employee_id)}
