"""Keeping a list's filter under a name, and letting go of it; each account sees and changes its own alone."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from dashboard.access.auth import actor
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms
from dashboard.models import SavedFilter
from dashboard.web import saved_filters
from dashboard.web.answers import services
from dashboard.web.saved_filters import LONGEST_NAME, PAGES, FilterError

pages = Blueprint("saved_filters", __name__)


@pages.post("/saved-filters/<any(log, months):filtered>")
def save(filtered: str) -> ResponseReturnValue:
    """Back to the list as it was filtered; a name that was refused comes along to be mended."""
    name, back = request.form.get("filter_name", ""), saved_filters.kept(filtered, request.form)
    try:
        with services().sessions.begin() as session:
            row = saved_filters.save(
                session, current_user.user_id, filtered, name, request.form, request.form.get("days", ""), now_ms()
            )
            subject = audit.Subject("filter", str(row.id))
            audit.add(session, actor(), Action.FILTER_SAVED, subject, after={"page": filtered})
    except FilterError as error:
        flash(str(error), "bad")
        short = {field: value[: saved_filters.LONGEST_VALUE] for field, value in back.items()}
        return redirect(url_for(PAGES[filtered].endpoint, **short, filter_name=name[:LONGEST_NAME]))  # type: ignore[arg-type]
    flash(_("%(name)s: the filter is kept.", name=name.strip()), "good")
    return redirect(url_for(PAGES[filtered].endpoint, **back))  # type: ignore[arg-type]


@pages.post("/saved-filters/<int:filter_id>/remove")
def remove(filter_id: int) -> ResponseReturnValue:
    with services().sessions.begin() as session:
        row = session.get(SavedFilter, filter_id)
        if row is None or row.user_id != current_user.user_id:
            abort(404)
        page, name = row.page, row.name
        session.delete(row)
        audit.add(
            session, actor(), Action.FILTER_REMOVED, audit.Subject("filter", str(filter_id)), before={"page": page}
        )
    flash(_("%(name)s: the filter is removed.", name=name), "good")
    return redirect(url_for(PAGES[page].endpoint))
