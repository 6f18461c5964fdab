"""Logging in and out. Every page needs a login unless PUBLIC names its endpoint: no new page is open by accident."""

import hashlib
from typing import Any

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from dashboard import accounts
from dashboard.database import reading
from dashboard.models import User
from dashboard.web import is_api, is_local, services, wants_json

PUBLIC = frozenset({"auth.login", "static", "health.healthz", "api_description.page", "api_description.document"})
WHILE_ONE_TIME = frozenset({"auth.password", "auth.logout", "static", "health.healthz"})
"""What somebody with a one-time password may reach before choosing their own."""
FAILED_LOGINS = "5 per minute; 50 per hour"

pages = Blueprint("auth", __name__)
logins = LoginManager()


class Viewer:
    """The logged-in user as the pages know them. The id names the password too, so a new password ends old sessions."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user_id, self.name, self.must_change_password = user.id, user.name, user.must_change_password
        self._id = f"{user.id}.{hashlib.sha256(user.password_hash.encode()).hexdigest()[:24]}"

    def get_id(self) -> str:
        return self._id


def load(session_id: str) -> Viewer | None:
    number, _, _ = session_id.partition(".")
    if not number.isdecimal() or len(number) > 18:
        return None
    with reading(services().sessions) as db:
        user = db.get(User, int(number))
        viewer = Viewer(user) if user else None
    return viewer if viewer and viewer.get_id() == session_id else None


def viewer_name() -> str:
    """Who did it, for records of consent and changes."""
    return str(current_user.name)


def require_login() -> ResponseReturnValue | None:
    if request.endpoint in PUBLIC:
        return None
    if is_api() and (request.blueprint == "api" or request.endpoint is None):
        return None  # the API asks for keys itself (dashboard/api/guard.py); an unknown address there is no page
    if not current_user.is_authenticated:
        if wants_json() or request.accept_mimetypes.best == "text/event-stream":
            abort(401)
        back = request.full_path.removesuffix("?") if request.method == "GET" else None
        return redirect(url_for("auth.login", next=back if back != "/" else None))
    if current_user.must_change_password and request.endpoint not in WHILE_ONE_TIME:
        if wants_json() or request.accept_mimetypes.best == "text/event-stream":
            abort(403)
        return redirect(url_for("auth.password", next=request.form.get("next")))
    return None


@pages.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    target = request.values.get("next", "")
    target = target if is_local(target) else ""
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(target or url_for("live.board"))
        return render_template("login.html", target=target)
    name = request.form.get("name", "").strip()
    with reading(services().sessions) as db:
        user = accounts.verified(db, name, request.form.get("password", ""))
        viewer = Viewer(user) if user else None
    if viewer is None:
        return render_template("login.html", target=target, name=name[:64], wrong=True), 401
    session.clear()
    session.permanent = True
    login_user(viewer)
    if viewer.must_change_password:
        return redirect(url_for("auth.password", next=target or None))
    return redirect(target or url_for("live.board"))


@pages.post("/logout")
def logout() -> ResponseReturnValue:
    logout_user()
    session.clear()
    flash("You are logged out.", "good")
    return redirect(url_for("auth.login"))


@pages.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    target = request.values.get("next", "")
    target = target if is_local(target) else ""
    if request.method == "GET":
        return render_template("password.html", target=target)
    form = request.form
    try:
        with services().sessions.begin() as db:
            user = accounts.set_password(
                db, current_user.user_id, form.get("current", ""), form.get("new", ""), form.get("again", "")
            )
    except accounts.AccountError as error:
        return render_template("password.html", target=target, problem=str(error)), 422
    login_user(Viewer(user))
    flash("Your new password is set.", "good")
    return redirect(target or url_for("live.board"))


def _failed(response: Response) -> bool:
    return response.status_code in (401, 422)


def init_app(app: Flask) -> None:
    """Attach login, the guard in front of every page, and the limit on guessing passwords (counted in this process)."""
    logins.init_app(app)
    logins.user_loader(load)
    app.before_request(require_login)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    app.register_blueprint(pages)
    guessing: Any = limiter.shared_limit(
        FAILED_LOGINS, scope="passwords", methods=["POST"], deduct_when=_failed, override_defaults=False
    )
    for endpoint in ("auth.login", "auth.password"):
        app.view_functions[endpoint] = guessing(app.view_functions[endpoint])
