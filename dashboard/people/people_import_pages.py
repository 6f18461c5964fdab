"""The import's pages: a file goes up, every row is answered in words, and only then anything is stored."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, viewer_name
from dashboard.database import now_ms, reading
from dashboard.people import import_uploads, people_import, people_import_apply
from dashboard.people.people_import_apply import PlanChanged
from dashboard.tables import table_reader
from dashboard.tables.csv_export import lines
from dashboard.tables.tables import MAX_ROWS, BadTable
from dashboard.web.answers import page_number, services
from dashboard.web.locales import number_words

KINDS = {
    "problem": lazy_gettext("Problems"),
    "new": lazy_gettext("New"),
    "changed": lazy_gettext("Changed"),
    "unchanged": lazy_gettext("Unchanged"),
}
CHANGED_MEANWHILE = lazy_gettext(
    "Somebody changed people since you looked, so this file would do something else now. Nothing was imported. "
    "Look at the rows again, then import."
)

pages = Blueprint("people_import", __name__, url_prefix="/people/import")


@pages.get("")
def form() -> ResponseReturnValue:
    import_uploads.prune(services().settings)
    return _form()


def _form(problem: str = "") -> str:
    settings = services().settings
    return render_template(
        "people_import.html",
        problem=problem,
        headers=people_import.HEADERS,
        max_rows=MAX_ROWS,
        max_upload_mb=settings.max_upload_mb,
    )


@pages.post("")
def upload() -> ResponseReturnValue:
    settings, file = services().settings, request.files.get("table")
    if file is None or not file.filename:
        return _form(_("Choose a file first.")), 422
    token = import_uploads.keep(settings, file)
    try:
        with reading(services().sessions) as session:
            _plan(session, token)
    except BadTable as error:
        import_uploads.forget(settings, token)
        return _form(str(error)), 422
    return redirect(url_for("people_import.look", token=token))


def _plan(session: Session, token: str) -> people_import.Plan:
    """What the upload would do now. Raises BadTable, also when it is gone."""
    where = import_uploads.path(services().settings, token)
    if where is None:
        raise BadTable(_("The uploaded file is no longer here: it is kept for an hour. Upload it again."))
    return people_import.plan(session, table_reader.read(where))


@pages.get("/<token>")
def look(token: str) -> ResponseReturnValue:
    try:
        with reading(services().sessions) as session:
            return _look(token, _plan(session, token))
    except BadTable as error:
        return _form(str(error)), 422


def _look(token: str, plan: people_import.Plan, problem: str = "") -> str:
    counts = {kind: plan.count(kind) for kind in KINDS}
    kind = request.args.get("show", "") or next((one for one, n in counts.items() if n), "new")
    if kind not in KINDS:
        abort(400, _("show “%(kind)s”: not known; use one of %(known)s.", kind=kind[:40], known=", ".join(KINDS)))
    page, size = page_number(), services().settings.page_size
    rows = [row for row in plan.rows if row.kind == kind]
    values: dict[str, Any] = {"token": token, "plan": plan, "kinds": KINDS, "counts": counts, "kind": kind}
    return render_template(
        "people_import_look.html",
        **values,
        problem=problem,
        rows=rows[(page - 1) * size : page * size],
        total=len(rows),
        page=page,
        pages=max(1, -(-len(rows) // size)),
        link=lambda number: url_for("people_import.look", token=token, show=kind, page=number),
    )


@pages.get("/<token>.csv")
def report(token: str) -> ResponseReturnValue:
    """Every row with its problems or changes, to work through beside the file."""
    try:
        with reading(services().sessions) as session:
            plan = _plan(session, token)
    except BadTable as error:
        return _form(str(error)), 422
    disposition = {"Content-Disposition": 'attachment; filename="import-report.csv"'}
    return Response(
        stream_with_context(lines(people_import.report(plan.rows))),
        content_type="text/csv; charset=utf-8",
        headers=disposition,
    )


@pages.post("/<token>")
def apply(token: str) -> ResponseReturnValue:
    try:
        with services().sessions.begin() as session:
            plan = _plan(session, token)
            if not plan.applicable:
                return _look(token, plan, _("Nothing was imported.")), 422
            new, changed = people_import_apply.apply(
                session, request.form.get("digest", ""), plan, viewer_name(), now_ms(), actor()
            )
    except BadTable as error:
        return _form(str(error)), 422
    except (PlanChanged, IntegrityError):  # the second: somebody entered the same code in the same moment
        with reading(services().sessions) as session:
            return _look(token, _plan(session, token), str(CHANGED_MEANWHILE)), 409
    import_uploads.forget(services().settings, token)
    flash(
        ngettext(
            "Imported: %(new)s new person, %(changed)s changed.",
            "Imported: %(new)s new people, %(changed)s changed.",
            new,
            new=number_words(new),
            changed=number_words(changed),
        ),
        "good",
    )
    return redirect(url_for("people.index", sort="created" if new else None))


@pages.post("/<token>/discard")
def discard(token: str) -> ResponseReturnValue:
    import_uploads.forget(services().settings, token)
    flash(_("The file is deleted; nothing was imported."), "good")
    return redirect(url_for("people_import.form"))
