"""One's own account: the second factor, and the browsers that are logged in."""

import io

import segno
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from sqlalchemy.orm import Session

from dashboard.access import accounts, login_sessions, second_factor
from dashboard.access.auth import actor, start_page
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import reading
from dashboard.models import SecondFactor
from dashboard.web.answers import services

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.get("")
def index() -> ResponseReturnValue:
    return _page()


def _page(problem: str = "") -> str:
    app = services()
    with reading(app.sessions) as db:
        return render_template(
            "account.html",
            factor_on=second_factor.is_on(db, current_user.user_id),
            codes_left=second_factor.recovery_codes_left(db, current_user.user_id),
            demanded=_is_demanded(),
            sessions=login_sessions.of_account(db, current_user.user_id, app.settings),
            idle_minutes=app.settings.session_idle_minutes,
            session_hours=app.settings.session_hours,
            problem=problem,
        )


def _is_demanded() -> bool:
    return bool(current_user.roles & services().settings.second_factor_roles)


def _myself() -> audit.Subject:
    return audit.Subject("account", str(current_user.user_id))


# --- the second factor -----------------------------------------------------------------------------------------------


@pages.post("/second-factor/begin")
def begin_factor() -> ResponseReturnValue:
    app = services()
    with app.sessions.begin() as db:
        factor = second_factor.begin(db, current_user.user_id, app.settings.session_key)
        if factor.confirmed_ms is None:
            audit.add(db, actor(), Action.FACTOR_BEGUN, _myself())
    return redirect(url_for("account.factor"))


@pages.route("/second-factor", methods=["GET", "POST"])
def factor() -> ResponseReturnValue:
    """The QR code, and its confirmation by a first code; the recovery codes are in that answer and nowhere else."""
    app = services()
    codes, problem = None, ""
    if request.method == "POST":
        with app.sessions.begin() as db:
            codes = second_factor.confirm(
                db, current_user.user_id, request.form.get("code", ""), app.settings.session_key
            )
            if codes:
                audit.add(db, actor(), Action.FACTOR_ADDED, _myself())
        if codes:
            return render_template("recovery_codes.html", codes=codes, go_on=start_page())
        problem = _("The code doesn’t fit. Check that the phone’s clock is right, and enter the app’s newest code.")
    with reading(app.sessions) as db:
        found = db.get(SecondFactor, current_user.user_id)
        if found is not None and found.confirmed_ms is not None:
            return redirect(url_for("account.index"))
        secret = second_factor.secret_of(found, app.settings.session_key) if found else ""
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    page = render_template("second_factor.html", secret=groups, demanded=_is_demanded(), problem=problem)
    return page, 422 if problem else 200


@pages.get("/second-factor/qr.svg")
def qr() -> ResponseReturnValue:
    """Dark on light whatever the page's colours are: not every app reads it otherwise."""
    app = services()
    with reading(app.sessions) as db:
        found = db.get(SecondFactor, current_user.user_id)
        if found is None or found.confirmed_ms is not None:
            abort(404)
        address = second_factor.address_of(found, app.settings.session_key, current_user.name)
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff")
    return Response(drawn.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _proved(db: Session) -> bool:
    return accounts.verified(db, current_user.name, request.form.get("password", "")) is not None


WRONG_PASSWORD = lazy_gettext("The password is wrong; nothing was changed.")


@pages.post("/second-factor/codes")
def new_codes() -> ResponseReturnValue:
    with services().sessions.begin() as db:
        if not second_factor.is_on(db, current_user.user_id):
            abort(404)
        if not _proved(db):
            return _page(str(WRONG_PASSWORD)), 422
        codes = second_factor.new_recovery_codes(db, current_user.user_id)
        audit.add(db, actor(), Action.RECOVERY_CODES_MADE, _myself())
    return render_template("recovery_codes.html", codes=codes, go_on=url_for("account.index"))


@pages.post("/second-factor/remove")
def remove_factor() -> ResponseReturnValue:
    if _is_demanded():
        return _page(_("This site demands a second factor of your role; it can’t be turned off.")), 422
    with services().sessions.begin() as db:
        if not _proved(db):
            return _page(str(WRONG_PASSWORD)), 422
        if second_factor.remove(db, current_user.user_id):
            audit.add(db, actor(), Action.FACTOR_REMOVED, _myself())
    flash(_("The second factor is turned off."), "good")
    return redirect(url_for("account.index"))


# --- where one is logged in ------------------------------------------------------------------------------------------


@pages.post("/sessions/<int(max=9223372036854775807):session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    with services().sessions.begin() as db:
        if not login_sessions.end(db, current_user.user_id, session_id):
            abort(404)
        audit.add(db, actor(), Action.SESSIONS_ENDED, _myself(), after={"ended": 1})
    flash(_("That browser is logged out."), "good")
    return redirect(url_for("account.index"))


@pages.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    with services().sessions.begin() as db:
        ended = login_sessions.end(db, current_user.user_id, but=current_user.session_id)
        if ended:
            audit.add(db, actor(), Action.SESSIONS_ENDED, _myself(), after={"ended": ended})
    flash(_("All other browsers are logged out."), "good")
    return redirect(url_for("account.index"))
