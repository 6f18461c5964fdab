"""Who is there, and whether rights.py lets them in: the guard in front of every page. Logging in is in login_pages.py."""

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from sqlalchemy.orm import Session

from dashboard.access import account_rights, login_sessions, rights, second_factor
from dashboard.access.rights import API, PUBLIC, Reach, Sight
from dashboard.access.roles import listed
from dashboard.auditing import audit
from dashboard.correcting import correction_requests
from dashboard.database import reading
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, User
from dashboard.web import navigation
from dashboard.web.answers import is_api, services, wants_json

WHILE_ONE_TIME = frozenset({"auth.password", "auth.logout", *PUBLIC})
"""What somebody with a one-time password may reach before choosing their own."""
WHILE_NO_FACTOR = WHILE_ONE_TIME | {"account.factor", "account.begin_factor", "account.qr"}
"""What somebody may reach whose role demands a second factor, before it is set up."""

UNWATCHED = frozenset({"live.stream", "live.who", "guided.look", "kiosk_enrolment.state", "models.progress"})
"""What a page asks for by itself: nobody need be there, so it keeps no log-in alive."""

logins = LoginManager()


class Viewer:
    """The logged-in user as the pages know them; their id in the cookie is the token of a session (login_sessions.py)."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, db: Session, user: User, token: str, session_id: int) -> None:
        self.user_id, self.name, self.must_change_password = user.id, user.name, user.must_change_password
        self.roles = account_rights.roles_of(db, user.id)
        self.departments = account_rights.departments_of(db, user.id)
        self.employee_id = user.employee_id
        self.session_id = session_id
        demanded = bool(self.roles & services().settings.second_factor_roles)
        self.must_add_factor = demanded and not second_factor.is_on(db, user.id)
        self.corrections_waiting = self._corrections_waiting(db)
        self._token = token

    def _corrections_waiting(self, db: Session) -> int:
        """How many requests for corrections wait for somebody like them."""
        reach = rights.reach("corrections.decide", self.roles)
        if reach is None or self.must_change_password or self.must_add_factor:
            return 0
        return correction_requests.waiting(db, Sight(reach, self.departments).only_departments)

    def get_id(self) -> str:
        return self._token


def load(token: str) -> Viewer | None:
    """Who holds the cookie's token; notes that they are there, unless a page asks by itself."""
    app = services()
    with reading(app.sessions) as db:
        one = login_sessions.find(db, token, app.settings)
        user = db.get(User, one.user_id) if one is not None else None
        if one is None or user is None or user.disabled_ms is not None:
            return None
        viewer = Viewer(db, user, token, one.id)
    if login_sessions.is_due(one) and request.endpoint not in UNWATCHED:
        with app.sessions.begin() as db:
            login_sessions.note_seen(db, one.id)
    return viewer


def viewer_name() -> str:
    """Who did it, for records of consent and changes."""
    return str(current_user.name)


def actor() -> audit.Actor:
    """Who does it, for the audit trail."""
    address = request.remote_addr or ""
    if not current_user.is_authenticated:
        return audit.Actor(address=address)
    return audit.Actor(current_user.user_id, listed(current_user.roles), address)


def may(endpoint: str, everybodys: bool = False) -> bool:
    """Whether the user of this request may reach an endpoint, on `everybodys` data where asked; for links and buttons."""
    user = g.get("_login_user")
    if user is None or not user.is_authenticated:
        return False
    found = rights.reach(endpoint, user.roles)
    return found is not None and (found is Reach.ALL or not everybodys)


def is_here(endpoint: str) -> bool:
    """Whether this request's page is that endpoint's, or lies below it."""
    return f"{request.path}/".startswith(f"{url_for(endpoint)}/")


def sight() -> Sight:
    """How far the user of this request sees here. Lists are bounded by it."""
    found: Sight = g.sight
    return found


# --- the guard -------------------------------------------------------------------------------------------------------


def guard() -> ResponseReturnValue | None:
    endpoint = request.endpoint
    if endpoint in PUBLIC:
        return None
    if is_api() and (request.blueprint == API or endpoint is None):
        return None  # the API asks for keys itself (dashboard/api/guard.py); an unknown address there is no page
    script = wants_json() or request.accept_mimetypes.best == "text/event-stream"
    if not current_user.is_authenticated:
        if script:
            abort(401)
        back = request.full_path.removesuffix("?") if request.method == "GET" else None
        return redirect(url_for("auth.login", next=back if back != "/" else None))
    first = _first_duty(endpoint)
    if first is not None:
        if script:
            abort(403)
        return redirect(url_for(first, next=request.form.get("next")))
    if endpoint is None:
        return None  # nothing is there: the router says so
    reach = rights.reach(endpoint, current_user.roles)
    if reach is None:
        abort(403)
    g.sight = Sight(reach, current_user.departments, current_user.employee_id)
    _require_in_sight(g.sight)
    return None


def _first_duty(endpoint: str | None) -> str | None:
    """Where somebody must go before they may go anywhere else."""
    if current_user.must_change_password:
        return None if endpoint in WHILE_ONE_TIME else "auth.password"
    if current_user.must_add_factor:
        return None if endpoint in WHILE_NO_FACTOR else "account.factor"
    return None


def _require_in_sight(seen: Sight) -> None:
    """404 for a person, or a record of one, that the account doesn't see; as for those who don't exist."""
    values = request.view_args or {}
    if seen.reach is Reach.ALL or not values.keys() & {"employee_id", "event_id"}:
        return
    with reading(services().sessions) as db:
        employee_id = values.get("employee_id")
        if employee_id is None:
            decision = db.get(DecisionRecord, values["event_id"])
            event = db.get(AttendanceEvent, values["event_id"])
            employee_id = event.employee_id if event else decision.employee_id if decision else None
        employee = db.get(Employee, employee_id) if employee_id else None
    if employee is None or not seen.sees(employee.id, employee.department):
        abort(404)


def start_page() -> str:
    """Where somebody goes who didn't say where to."""
    return url_for(navigation.start_endpoint(current_user.roles))


def init_app(app: Flask) -> None:
    """Attach the log-in and the guard in front of every page."""
    logins.init_app(app)
    logins.user_loader(load)
    app.before_request(guard)
    app.jinja_env.tests["here"] = is_here
    app.jinja_env.globals.update(may=may, navigation=lambda: navigation.shown(current_user.roles))
