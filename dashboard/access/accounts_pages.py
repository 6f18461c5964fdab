"""Accounts, as HR looks after them: who may log in, as what, and rescue from a lost password or phone."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.access import account_rights, accounts, login_sessions, second_factor
from dashboard.access.account_rights import Rights
from dashboard.access.accounts import AccountError
from dashboard.access.auth import actor, may
from dashboard.access.roles import HINTS, WORDS, Role
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import count, reading
from dashboard.models import Employee, SecondFactor, User, UserRole
from dashboard.people.employees import departments
from dashboard.web.answers import page_number, services, short_text

pages = Blueprint("accounts", __name__, url_prefix="/accounts")

NUMBER = "<int(max=9223372036854775807):user_id>"
"""A number that no database holds is an address that isn't there."""
TAKEN = lazy_gettext(
    "Somebody else gave that name or that person an account in the same moment; look at the list again."
)


@pages.get("")
def index() -> ResponseReturnValue:
    page, size, text = page_number(), services().settings.page_size, short_text("q")
    query = select(User).order_by(User.name)
    for word in text.split():
        query = query.where(User.name.icontains(word, autoescape=True))
    factor = exists().where(SecondFactor.user_id == User.id, SecondFactor.confirmed_ms.is_not(None))
    with reading(services().sessions) as db:
        total = count(db, query)
        found = db.execute(
            query.add_columns(factor.label("factor"), Employee.code.label("code"))
            .outerjoin(Employee, Employee.id == User.employee_id)
            .limit(size)
            .offset((page - 1) * size)
        ).all()
        looked_after = account_rights.departments_of_all(db, [row.User.id for row in found])
        roles: dict[int, list[str]] = {row.User.id: [] for row in found}
        for user_id, role in db.execute(select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(roles))):
            roles[user_id].append(str(WORDS[Role(role)]))
    return render_template(
        "accounts.html",
        rows=found,
        roles=roles,
        looked_after=looked_after,
        total=total,
        text=text,
        page=page,
        pages=max(1, -(-total // size)),
        link=lambda number: url_for("accounts.index", page=number, q=text or None),
    )


def _typed() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "roles": form.getlist("roles"),
        "departments": form.getlist("departments"),
        "code": form.get("code", ""),
    }


def _wanted(typed: dict[str, Any]) -> Rights:
    return account_rights.parse(typed["roles"], typed["departments"], typed["code"])


def _form(template: str, typed: dict[str, Any], problem: str = "", **more: Any) -> str:
    with reading(services().sessions) as db:
        known = sorted({*departments(db), *(name for name in typed["departments"] if name.strip())})
        suggested = sorted(account_rights.all_departments(db) - set(known))
    return render_template(
        template,
        typed=typed,
        problem=problem,
        known_departments=known,
        suggested_departments=suggested,
        role_words=WORDS,
        role_hints=HINTS,
        **more,
    )


@pages.route("/new", methods=["GET", "POST"])
def create() -> ResponseReturnValue:
    typed = _typed()
    if request.method == "GET":
        return _form("account_new.html", typed)
    try:
        with services().sessions.begin() as db:
            wanted = _wanted(typed)
            password = accounts.create_user(db, typed["name"], wanted.roles)
            user = accounts.named(db, typed["name"].strip())
            account_rights.change(db, user, wanted)
            audit.add(db, actor(), Action.ACCOUNT_CREATED, audit.account(user), after=account_rights.noted(db, wanted))
    except AccountError as error:
        return _form("account_new.html", typed, str(error)), 422
    except IntegrityError:
        return _form("account_new.html", typed, str(TAKEN)), 422
    return render_template("one_time_password.html", user=user, password=password)


def _found(db: Session, user_id: int) -> User:
    user = db.get(User, user_id)
    if user is None:
        abort(404)
    return user


@pages.get(f"/{NUMBER}")
def account(user_id: int) -> ResponseReturnValue:
    return _page(user_id)


def _page(user_id: int, typed: dict[str, Any] | None = None, problem: str = "") -> str:
    app = services()
    with reading(app.sessions) as db:
        user = _found(db, user_id)
        rights = account_rights.read(db, user)
        stored = {
            "roles": [role.value for role in rights.roles],
            "departments": sorted(rights.departments),
            "code": rights.code,
        }
        more = {
            "user": user,
            "factor_on": second_factor.is_on(db, user_id),
            "sessions": login_sessions.of_account(db, user_id, app.settings),
            "changeable": may("accounts.change"),
        }
    return _form("account_edit.html", typed or stored, problem, **more)


@pages.post(f"/{NUMBER}")
def change(user_id: int) -> ResponseReturnValue:
    typed = _typed()
    try:
        with services().sessions.begin() as db:
            user = _found(db, user_id)
            before, wanted = account_rights.noted(db, account_rights.read(db, user)), _wanted(typed)
            account_rights.change(db, user, wanted)
            was, now = audit.changes(before, account_rights.noted(db, account_rights.read(db, user)))
            if now:
                audit.add(db, actor(), Action.ACCOUNT_CHANGED, audit.account(user), was, now)
    except AccountError as error:
        return _page(user_id, typed, str(error)), 422
    except IntegrityError:
        return _page(user_id, typed, str(TAKEN)), 422
    flash(_("%(name)s: saved. It holds from the next page on.", name=user.name), "good")
    return redirect(url_for("accounts.account", user_id=user_id))


def _reset_factor(db: Session, user: User) -> tuple[Action, str]:
    second_factor.remove(db, user.id)
    login_sessions.end(db, user.id)
    return (
        Action.FACTOR_RESET,
        _("The second factor is reset: the password alone opens the account until a new one is set up."),
    )


def _disable(db: Session, user: User) -> tuple[Action, str]:
    account_rights.disable(db, user)
    return Action.ACCOUNT_DISABLED, _("Disabled: nobody logs in with this account.")


def _enable(db: Session, user: User) -> tuple[Action, str]:
    user.disabled_ms = None
    return Action.ACCOUNT_ENABLED, _("Enabled again, with its old password.")


def _end_sessions(db: Session, user: User) -> tuple[Action, str]:
    login_sessions.end(db, user.id)
    return Action.SESSIONS_ENDED, _("Logged out everywhere.")


STEPS = {"reset-factor": _reset_factor, "disable": _disable, "enable": _enable, "end-sessions": _end_sessions}


@pages.post(f"/{NUMBER}/<any('reset-password', 'reset-factor', disable, enable, 'end-sessions'):step>")
def take_step(user_id: int, step: str) -> ResponseReturnValue:
    try:
        with services().sessions.begin() as db:
            user = _found(db, user_id)
            if step == "reset-password":
                password = accounts.reset_password(db, user.name)
                audit.add(db, actor(), Action.PASSWORD_RESET, audit.account(user))
                return render_template("one_time_password.html", user=user, password=password)
            action, words = STEPS[step](db, user)
            audit.add(db, actor(), action, audit.account(user))
    except AccountError as error:
        return _page(user_id, problem=str(error)), 422
    flash(words, "good")
    return redirect(url_for("accounts.account", user_id=user_id))
