"""Logging in and out: the password, then the second factor's code where the account has one. Guessing is slowed down."""

from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from dashboard.access import accounts, login_sessions, second_factor
from dashboard.access.auth import Viewer, actor, start_page
from dashboard.access.pending_login import Pending
from dashboard.access.roles import listed
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms, reading
from dashboard.models import User
from dashboard.web.answers import is_local, services

FAILED_LOGINS = "5 per minute; 50 per hour"
FAILED_CODES = "10 per hour"
"""Of one account, from wherever they come: 10 of a million codes, three of which are right at a time."""
GUESSING = (
    "auth.login",
    "auth.second_step",
    "auth.password",
    "account.factor",
    "account.new_codes",
    "account.remove_factor",
)
"""Where secrets are tried: all count together, by address."""

pages = Blueprint("auth", __name__)


def _target() -> str:
    target = request.values.get("next", "")
    return target if is_local(target) else ""


@pages.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    target = _target()
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(target or start_page())
        return render_template("login.html", target=target)
    name = request.form.get("name", "").strip()
    with reading(services().sessions) as db:
        user = accounts.verified(db, name, request.form.get("password", ""))
        asked = user is not None and second_factor.is_on(db, user.id)
    if user is None:
        _note_failure(name, "password")
        return render_template("login.html", target=target, name=name[:64], wrong=True), 401
    if asked:
        session.clear()
        session.permanent = True
        Pending.of(user, target, now_ms()).keep(session)
        return redirect(url_for("auth.second_step"))
    return _enter(user.id, target, "password")


@pages.route("/login/code", methods=["GET", "POST"])
def second_step() -> ResponseReturnValue:
    """The code of the app, or a recovery code, of somebody whose password was right within the last minutes."""
    app, pending = services(), Pending.read(session)
    with reading(app.sessions) as db:
        user = db.get(User, pending.user_id) if pending else None
    if pending is None or user is None or user.disabled_ms is not None or not pending.holds(user, now_ms()):
        return redirect(url_for("auth.login"))
    if request.method == "GET":
        return render_template("login_code.html", name=user.name)
    with app.sessions.begin() as db:
        answer = second_factor.check(db, user.id, request.form.get("code", ""), app.settings.session_key)
    if not answer.right:
        _note_failure(user.name, "code")
        words = answer.words or _("The code is wrong, or was used already. Wait for the app’s next one.")
        return render_template("login_code.html", name=user.name, problem=words), 401
    return _enter(user.id, pending.target, "recovery code" if answer.by_recovery_code else "app")


def _enter(user_id: int, target: str, proof: str) -> ResponseReturnValue:
    """Begin the session of somebody who has proved who they are, and send them where they wanted to go."""
    app = services()
    with app.sessions.begin() as db:
        user = db.get_one(User, user_id)
        token = login_sessions.begin(
            db, user_id, request.remote_addr or "", request.headers.get("User-Agent", ""), app.settings
        )
        db.flush()
        one = login_sessions.find(db, token, app.settings)
        assert one is not None
        viewer = Viewer(db, user, token, one.id)
        by = audit.Actor(user_id, listed(viewer.roles), request.remote_addr or "")
        audit.add(db, by, Action.LOGIN, audit.account(user), after={"proof": proof})
    session.clear()
    session.permanent = True
    login_user(viewer)
    if viewer.must_change_password:
        return redirect(url_for("auth.password", next=target or None))
    return redirect(target or start_page())


def _note_failure(name: str, step: str) -> None:
    """What was typed as a name may be a password, so only an account that exists is named."""
    with services().sessions.begin() as db:
        try:
            subject = audit.account(accounts.named(db, name))
        except accounts.AccountError:
            subject = audit.Subject("account", "")
        audit.add(db, actor(), Action.LOGIN_FAILED, subject, after={"step": step})


@pages.post("/logout")
def logout() -> ResponseReturnValue:
    with services().sessions.begin() as db:
        login_sessions.end(db, current_user.user_id, current_user.session_id)
        audit.add(db, actor(), Action.LOGOUT, audit.Subject("account", str(current_user.user_id)))
    logout_user()
    session.clear()
    flash(_("You are logged out."), "good")
    return redirect(url_for("auth.login"))


@pages.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    target = _target()
    if request.method == "GET":
        return render_template("password.html", target=target)
    form = request.form
    try:
        with services().sessions.begin() as db:
            user = accounts.set_password(
                db, current_user.user_id, form.get("current", ""), form.get("new", ""), form.get("again", "")
            )
            login_sessions.end(db, user.id, but=current_user.session_id)
            audit.add(db, actor(), Action.PASSWORD_CHANGED, audit.account(user))
    except accounts.AccountError as error:
        return render_template("password.html", target=target, problem=str(error)), 422
    flash(_("Your new password is set."), "good")
    return redirect(target or start_page())


def _failed(response: Response) -> bool:
    return response.status_code in (401, 422)


def _account_of_code() -> str:
    pending = Pending.read(session)
    return f"account {pending.user_id}" if pending else get_remote_address()


def limit_guessing(app: Flask) -> None:
    """Once all blueprints are there. Counted in this process, the only one that serves pages."""
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    guessing: Any = limiter.shared_limit(
        FAILED_LOGINS, scope="passwords", methods=["POST"], deduct_when=_failed, override_defaults=False
    )
    of_account: Any = limiter.limit(
        FAILED_CODES,
        key_func=_account_of_code,
        methods=["POST"],
        deduct_when=_failed,
        override_defaults=False,
    )
    app.view_functions["auth.second_step"] = of_account(app.view_functions["auth.second_step"])
    for endpoint in GUESSING:
        app.view_functions[endpoint] = guessing(app.view_functions[endpoint])
