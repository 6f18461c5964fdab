"""The audit trail as auditors and HR read it: filtered, newest first, paged by where the last page ended, and as CSV."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from dashboard.access.auth import actor
from dashboard.access.roles import WORDS as ROLE_WORDS
from dashboard.access.roles import Role
from dashboard.auditing import audit, audit_query
from dashboard.auditing.audit_actions import WORDS, Action
from dashboard.database import reading
from dashboard.tables import downloads
from dashboard.web.answers import services
from dashboard.web.words import utc_words

EXPORT_BATCH = 500
CSV_COLUMNS = (
    "Number",
    "Time (UTC)",
    "Account or key",
    "Roles",
    "Address",
    "By",
    "Action",
    "Of",
    "Id",
    "Code",
    "Details",
    "Previous hash",
    "Hash",
)

pages = Blueprint("audit", __name__)


@pages.get("/audit")
def index() -> ResponseReturnValue:
    app = services()
    chosen, problems = audit_query.read_filter(request.args)
    with reading(app.sessions) as db:
        query = audit_query.rows(chosen, app.settings.zone)
        found = [] if problems else db.execute(query.limit(app.settings.page_size + 1)).all()
        head = audit_query.head(db)
        rows = found[: app.settings.page_size]
        codes = audit_query.codes_in(db, [row.details for row in rows])
    kept: dict[str, Any] = chosen.query_string()
    page = render_template(
        "audit.html",
        rows=rows,
        details={row.id: audit_query.details_words(row.details, codes, app.settings.zone) for row in rows},
        typed={name: request.args.get(name, "")[: audit_query.LONGEST_TEXT] for name in audit_query.FIELDS},
        problems=problems,
        actions=WORDS,
        action_words=lambda code: WORDS.get(code, code),
        role_words=role_words,
        head=head,
        older=url_for("audit.index", **kept, before=rows[-1].id) if len(found) > len(rows) else None,
        newest=url_for("audit.index", **kept) if chosen.before_id else None,
        export_link=url_for("audit.export", **kept),
    )
    return page, 400 if problems else 200


@pages.get("/audit.csv")
def export() -> ResponseReturnValue:
    """Everything that the filter finds; that it was exported is in the trail too."""
    app = services()
    chosen, problems = audit_query.read_filter(request.args)
    if problems:
        abort(400, " ".join(problems))
    with app.sessions.begin() as db:
        audit.add(db, actor(), Action.TRAIL_EXPORTED, after=chosen.noted())
    query = audit_query.rows(chosen, app.settings.zone).execution_options(yield_per=EXPORT_BATCH)

    def texts(db: Session) -> Iterator[tuple[str, ...]]:
        yield CSV_COLUMNS
        for row in db.execute(query):
            yield _cells(row)

    return downloads.csv("audit-trail", app.sessions, texts)


def role_words(codes: str) -> str:
    """Such as `HR, Operator` for `hr,operator`; a role that is none any more by its code."""
    return ", ".join(str(ROLE_WORDS[Role(code)]) if code in set(Role) else code for code in codes.split(","))


def _cells(row: Any) -> tuple[str, ...]:
    return (
        str(row.id),
        utc_words(row.at_ms),
        row.actor_name or "",
        row.roles,
        row.address,
        row.via,
        row.action,
        row.subject_type,
        row.subject_id,
        row.person_code,
        row.details,
        row.previous,
        row.hash,
    )
