"""The list of people who are due to be enrolled again, and the notice about them on the people page."""

from flask import Blueprint, Flask, render_template, url_for
from flask.typing import ResponseReturnValue

from dashboard import reenrolment
from dashboard.database import now_ms, reading
from dashboard.web import page_number, services

pages = Blueprint("reenrolment", __name__)


@pages.get("/people/enrol-again")
def index() -> ResponseReturnValue:
    app, page = services(), page_number()
    months, size, now = app.settings.reenrol_months, app.settings.page_size, now_ms()
    with reading(app.sessions) as session:
        total = reenrolment.count_due(session, months, now)
        rows = reenrolment.list_due(session, months, now, size, (page - 1) * size)
    return render_template(
        "enrol_again.html",
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // size)),
        months=months,
        link=lambda number: url_for("reenrolment.index", page=number),
    )


def people_due() -> int:
    """How many are due, for a page's notice."""
    app = services()
    if app.settings.reenrol_months == 0:
        return 0
    with reading(app.sessions) as session:
        return reenrolment.count_due(session, app.settings.reenrol_months, now_ms())


def is_due(newest_ms: int | None) -> bool:
    return reenrolment.is_due(newest_ms, services().settings.reenrol_months, now_ms())


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)
    app.jinja_env.globals.update(people_due=people_due, is_due=is_due)
