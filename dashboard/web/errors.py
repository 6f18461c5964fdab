"""Errors as pages in the house style, or as JSON where a script asked; and the health route."""

import logging

import redis
from flask import Blueprint, Flask, abort, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from dashboard.api import problems
from dashboard.database import reading
from dashboard.web.answers import is_api, services, wants_json

log = logging.getLogger(__name__)
health = Blueprint("health", __name__)

TITLES = {
    400: lazy_gettext("That can’t be answered"),
    401: lazy_gettext("Please log in"),
    403: lazy_gettext("Not allowed"),
    404: lazy_gettext("Not found"),
    405: lazy_gettext("Not possible here"),
    413: lazy_gettext("Too large"),
    429: lazy_gettext("Too many tries"),
    500: lazy_gettext("Something went wrong here"),
    503: lazy_gettext("Not available right now"),
}
WORDS = {
    401: lazy_gettext("Your session has ended. Log in again to go on."),
    403: lazy_gettext("Your account may not do this."),
    404: lazy_gettext("There is nothing at this address. It may have been deleted, or the link is mistyped."),
    405: lazy_gettext("This address doesn’t take such a request. Go back and use the page’s own buttons."),
    429: lazy_gettext("Too many wrong passwords or codes were tried. Wait a minute, then try again."),
    500: lazy_gettext(
        "The fault is ours and has been written to the log. Nothing that you entered was stored; please try again."
    ),
    503: lazy_gettext("The database doesn’t answer. Punches are kept safe meanwhile; please try again in a moment."),
}
DRAINED_BYTES = 256 * 1024 * 1024
"""How much of a refused upload is read and thrown away, so that the browser shows our words and not a broken connection."""


def answer(code: int, words: str) -> ResponseReturnValue:
    if wants_json():
        return jsonify(error=words), code
    return render_template("error.html", code=code, title=TITLES.get(code) or _("That didn’t work"), words=words), code


def on_http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    if is_api():
        own_words = error.description if code == 400 else None
        return problems.answer_for(code, own_words, kept_headers(error))
    own_words = vars(error).get("description")  # given with abort(…); otherwise the class has it, in HTTP's words
    if isinstance(error, CSRFError):
        own_words = _("This form is out of date or came from another site. Go back, reload the page and send it again.")
    elif code == 413:
        drain()
        limit_mb = services().settings.max_upload_mb
        own_words = _(
            "The upload is over the limit of %(limit)s MB for all files together. Send fewer or smaller ones.",
            limit=limit_mb,
        )
    return answer(code, str(own_words or WORDS.get(code) or error.description or error.name))


def kept_headers(error: HTTPException) -> dict[str, str]:
    """What HTTP asks for with some errors, such as Allow with a 405."""
    return {name: value for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")}


def on_database_error(error: SQLAlchemyError) -> ResponseReturnValue:
    """Anything but a database that went away is a fault of ours. Parameters stay out of the log: they hold names."""
    away = isinstance(error, OperationalError)
    error.hide_parameters = True  # type: ignore[attr-defined]
    log.error("database: %s", error, exc_info=not away)
    if "_login_user" not in g:  # the page mustn't ask the same database who is looking
        g._login_user = AnonymousUserMixin()
    code = 503 if away else 500
    return problems.answer_for(code, None) if is_api() else answer(code, str(WORDS[code]))


def drain() -> None:
    """Read the rest of a refused request's body."""
    stream, left = request.environ.get("wsgi.input"), min(request.content_length or 0, DRAINED_BYTES)
    while stream is not None and left > 0:
        chunk = stream.read(min(left, 1 << 20))
        if not chunk:
            return
        left -= len(chunk)


@health.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the database answers, 503 otherwise; says whether the live Redis answers, which pages can do without."""
    state = {"database": "ok", "live": "ok"}
    try:
        with reading(services().sessions) as db:
            db.execute(text("SELECT 1"))
    except SQLAlchemyError:
        state["database"] = "away"
    try:
        for live in services().lives.values():
            live.ping()
    except (redis.exceptions.RedisError, OSError):
        state["live"] = "away"
    return jsonify(state), 200 if state["database"] == "ok" else 503


def refuse_nul() -> None:
    """PostgreSQL can't store U+0000, and no keyboard types it."""
    typed = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if "\x00" in request.path or any("\x00" in name or "\x00" in value for name, value in typed):
        abort(400, _("The request holds a character that can’t be stored (U+0000). Remove it and send it again."))


def init_app(app: Flask) -> None:
    app.before_request(refuse_nul)
    app.register_blueprint(health)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(problems.Refusal, problems.answer)
    app.register_error_handler(SQLAlchemyError, on_database_error)
