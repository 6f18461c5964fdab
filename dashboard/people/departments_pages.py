"""The departments: how many people each has, and renaming one or putting two together."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from dashboard.access.auth import actor
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import reading
from dashboard.people import departments
from dashboard.people.employees import EmployeeError
from dashboard.web.answers import page_number, services
from dashboard.web.locales import number_words

pages = Blueprint("departments", __name__, url_prefix="/people/departments")


@pages.get("")
def index() -> ResponseReturnValue:
    return _page()


def _page(typed: dict[str, str] | None = None, problem: str = "", confirm: int = 0) -> str:
    page, size = page_number(), services().settings.page_size
    with reading(services().sessions) as session:
        found = departments.listed(session)
    return render_template(
        "departments.html",
        departments=found[(page - 1) * size : page * size],
        total=len(found),
        page=page,
        pages=max(1, -(-len(found) // size)),
        link=lambda number: url_for("departments.index", page=number),
        typed=typed or {},
        problem=problem,
        confirm=confirm,
    )


@pages.post("/rename")
def rename() -> ResponseReturnValue:
    """Putting two together can't be undone by a second rename, so it is asked for once more."""
    typed = {name: request.form.get(name, "") for name in ("before", "after")}
    after = typed["after"].strip()
    with reading(services().sessions) as session:
        there = {one.name: one.people for one in departments.listed(session)}
    if after and after in there and after != typed["before"] and not request.form.get("merge"):
        return _page(typed, confirm=there[after]), 422
    try:
        with services().sessions.begin() as session:
            moved = departments.rename(session, **typed)
            told = {"department": typed["before"]}, {"department": after, "people": moved}
            audit.add(session, actor(), Action.DEPARTMENT_RENAMED, audit.Subject("department", after), *told)
    except EmployeeError as error:
        return _page(typed, problem=str(error)), 422
    flash(
        ngettext(
            "%(count)s person is in %(department)s now.",
            "%(count)s people are in %(department)s now.",
            moved,
            count=number_words(moved),
            department=after,
        ),
        "good",
    )
    return redirect(url_for("departments.index"))
