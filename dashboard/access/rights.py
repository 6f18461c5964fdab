"""Who may do what: one line for every endpoint, and on whose data. The app doesn't start with an endpoint left out.

A request is answered where one of the account's roles is in the endpoint's line; otherwise with 403. How far it sees is
the widest that its roles give there: everybody's data, that of its departments, or its own. An endpoint with
`<employee_id>` or `<event_id>` in its address is kept to these by the guard itself (auth.py), which answers 404 so that
nobody learns who exists; lists keep to them by `auth.sight()`.

Faces (pictures of enrolment and of records) are for HR and auditors: a supervisor needs to know who came, not how they look.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from dashboard.access.roles import Role

PUBLIC = frozenset(
    {
        "auth.login",
        "auth.second_step",
        "languages.choose",
        "static",
        "health.healthz",
        "api_description.page",
        "api_description.document",
    }
)
"""Open to everybody."""
API = "api"
"""The blueprint whose endpoints ask for keys with scopes themselves, not for accounts (api/guard.py)."""


class Reach(IntEnum):
    """On whose data, narrowest first."""

    OWN = 1
    DEPARTMENTS = 2
    ALL = 3


Line = Mapping[Role, Reach]


def _all(*roles: Role) -> Line:
    return dict.fromkeys(roles, Reach.ALL)


OWN_ACCOUNT = dict.fromkeys(Role, Reach.OWN)
READ_PEOPLE = {**_all(Role.HR, Role.AUDITOR), Role.SUPERVISOR: Reach.DEPARTMENTS}
READ_FACES = _all(Role.HR, Role.AUDITOR)
CHANGE_PEOPLE = _all(Role.HR)
READ_KIOSKS = _all(Role.HR, Role.OPERATOR, Role.AUDITOR)
CHANGE_KIOSKS = _all(Role.HR, Role.OPERATOR)
"""HR too: the direction of a door decides what a punch there means."""
RUN_SITE = _all(Role.OPERATOR)
"""Which model serves, and how strictly: a matter of the machines, not of people."""
COMPARE_PEOPLE = _all(Role.HR, Role.OPERATOR)
"""With each other, to see whether the threshold parts them; an operator is shown no names."""
READ_SETTINGS = _all(Role.OPERATOR, Role.AUDITOR)
READ_RULES = _all(Role.HR, Role.AUDITOR)
CHANGE_RULES = _all(Role.HR)
"""Shifts, sites, holidays and leave: what days are computed by."""
READ_ACCOUNTS = _all(Role.HR, Role.AUDITOR)
CHANGE_ACCOUNTS = _all(Role.HR)
READ_CONNECTIONS = _all(Role.HR, Role.OPERATOR, Role.AUDITOR)
KEEP_CONNECTIONS = _all(Role.HR, Role.OPERATOR)
"""Sending again and taking keys back; making a key is HR's: it opens what its scopes say, and operators see no people."""
READ_TRAIL = _all(Role.HR, Role.AUDITOR)

RIGHTS: Mapping[str, Line] = {
    "auth.logout": OWN_ACCOUNT,
    "auth.password": OWN_ACCOUNT,
    "account.index": OWN_ACCOUNT,
    "account.begin_factor": OWN_ACCOUNT,
    "account.factor": OWN_ACCOUNT,
    "account.qr": OWN_ACCOUNT,
    "account.new_codes": OWN_ACCOUNT,
    "account.remove_factor": OWN_ACCOUNT,
    "account.end_session": OWN_ACCOUNT,
    "account.end_others": OWN_ACCOUNT,
    "live.start": OWN_ACCOUNT,
    "live.board": READ_PEOPLE,
    "live.stream": READ_PEOPLE,
    "live.who": READ_PEOPLE,
    "me.month": {Role.EMPLOYEE: Reach.OWN},
    "my_corrections.index": {Role.EMPLOYEE: Reach.OWN},
    "my_corrections.ask": {Role.EMPLOYEE: Reach.OWN},
    "my_corrections.withdraw": {Role.EMPLOYEE: Reach.OWN},
    "corrections.index": READ_PEOPLE,
    "corrections.decide": {Role.HR: Reach.ALL, Role.SUPERVISOR: Reach.DEPARTMENTS},
    "corrections.enter": CHANGE_PEOPLE,
    "corrections.withdraw": CHANGE_PEOPLE,
    "attendance.log": READ_PEOPLE,
    "attendance.export": READ_PEOPLE,
    "attendance.picture": READ_FACES,
    "charts.index": READ_PEOPLE,
    "people.index": READ_PEOPLE,
    "people.person": READ_PEOPLE,
    "people.export": READ_PEOPLE,
    "people.create": CHANGE_PEOPLE,
    "people.change": CHANGE_PEOPLE,
    "people.take_step": CHANGE_PEOPLE,
    "erasing.form": CHANGE_PEOPLE,
    "erasing.erase": CHANGE_PEOPLE,
    "people_import.form": CHANGE_PEOPLE,
    "people_import.upload": CHANGE_PEOPLE,
    "people_import.look": CHANGE_PEOPLE,
    "people_import.report": CHANGE_PEOPLE,
    "people_import.apply": CHANGE_PEOPLE,
    "people_import.discard": CHANGE_PEOPLE,
    "departments.index": _all(Role.HR, Role.AUDITOR),
    "departments.rename": CHANGE_PEOPLE,
    "months.index": READ_PEOPLE,
    "months.person": READ_PEOPLE,
    "weeks.week": READ_PEOPLE,
    "weeks.day": READ_PEOPLE,
    "month_files.totals": READ_PEOPLE,
    "month_files.days": READ_PEOPLE,
    "month_files.book": READ_PEOPLE,
    "month_files.sheets": READ_PEOPLE,
    "month_files.sheet": READ_PEOPLE,
    "month_files.own_sheet": {Role.EMPLOYEE: Reach.OWN},
    "saved_filters.save": OWN_ACCOUNT,
    "saved_filters.remove": OWN_ACCOUNT,
    "leave.index": READ_PEOPLE,
    "leave.enter": CHANGE_RULES,
    "leave.withdraw": CHANGE_RULES,
    "shift_patterns.index": READ_PEOPLE,
    "shift_patterns.create": CHANGE_RULES,
    "shift_patterns.pattern": READ_PEOPLE,
    "shift_patterns.change": CHANGE_RULES,
    "shift_patterns.look": CHANGE_RULES,
    "shift_patterns.assign_pattern": CHANGE_RULES,
    "sites.index": READ_RULES,
    "sites.create": CHANGE_RULES,
    "sites.site": CHANGE_RULES,
    "sites.change": CHANGE_RULES,
    "holidays.index": READ_RULES,
    "holidays.add": CHANGE_RULES,
    "holidays.preview": CHANGE_RULES,
    "holidays.import_them": CHANGE_RULES,
    "holidays.remove": CHANGE_RULES,
    "pictures.show": READ_FACES,
    "pictures.add": CHANGE_PEOPLE,
    "pictures.delete": CHANGE_PEOPLE,
    "pictures.same_person": CHANGE_PEOPLE,
    "folder.form": CHANGE_PEOPLE,
    "folder.look": CHANGE_PEOPLE,
    "folder.person": CHANGE_PEOPLE,
    "guided.look": CHANGE_PEOPLE,
    "kiosk_enrolment.choose": CHANGE_PEOPLE,
    "kiosk_enrolment.start": CHANGE_PEOPLE,
    "kiosk_enrolment.follow": CHANGE_PEOPLE,
    "kiosk_enrolment.state": CHANGE_PEOPLE,
    "kiosk_enrolment.picture": CHANGE_PEOPLE,
    "kiosk_enrolment.accept": CHANGE_PEOPLE,
    "kiosk_enrolment.end": CHANGE_PEOPLE,
    "kiosks.index": READ_KIOSKS,
    "kiosks.change": CHANGE_KIOSKS,
    "models.index": READ_KIOSKS,
    "models.progress": READ_KIOSKS,
    "models.prepare": RUN_SITE,
    "models.switch": RUN_SITE,
    "models.rollback": RUN_SITE,
    "models.cancel": RUN_SITE,
    "alike.index": READ_KIOSKS,
    "alike.look": COMPARE_PEOPLE,
    "alike.limit": RUN_SITE,
    "alike.reset": RUN_SITE,
    "site_settings.index": READ_SETTINGS,
    "site_health.index": READ_KIOSKS,
    "accounts.index": READ_ACCOUNTS,
    "accounts.account": READ_ACCOUNTS,
    "accounts.create": CHANGE_ACCOUNTS,
    "accounts.change": CHANGE_ACCOUNTS,
    "accounts.take_step": CHANGE_ACCOUNTS,
    "connections.index": READ_CONNECTIONS,
    "connections.make_key": CHANGE_ACCOUNTS,
    "connections.revoke_key": KEEP_CONNECTIONS,
    "connections.webhook_step": KEEP_CONNECTIONS,
    "connections.retry_frappe": KEEP_CONNECTIONS,
    "audit.index": READ_TRAIL,
    "audit.export": READ_TRAIL,
}


@dataclass(frozen=True)
class Sight:
    """How far an account sees at an endpoint."""

    reach: Reach
    departments: frozenset[str] = frozenset()
    """Those it looks after; they bound it where `reach` is DEPARTMENTS."""
    employee_id: str | None = None
    """The person that it belongs to."""

    @property
    def only_departments(self) -> frozenset[str] | None:
        """What lists are bounded by: None for everybody, nobody at all where the account sees only its own."""
        if self.reach is Reach.ALL:
            return None
        return self.departments if self.reach is Reach.DEPARTMENTS else frozenset()

    def sees(self, employee_id: str | None, department: str | None) -> bool:
        """Whether somebody's data is in it; None stands for nobody that is known."""
        if self.reach is Reach.ALL:
            return True
        if employee_id is None:
            return False
        if self.reach is Reach.DEPARTMENTS and department in self.departments:
            return True
        return self.reach is Reach.OWN and employee_id == self.employee_id


def reach(endpoint: str, roles: Iterable[Role]) -> Reach | None:
    """The widest that the roles give at the endpoint; None where they may not be there."""
    line = RIGHTS.get(endpoint, {})
    return max((line[role] for role in roles if role in line), default=None)


def require_complete(endpoints: Iterable[str]) -> None:
    """Raise RuntimeError unless every endpoint has its line, and every line its endpoint."""
    there = {endpoint for endpoint in endpoints if not endpoint.startswith(f"{API}.")}
    without = sorted(there - set(RIGHTS) - PUBLIC)
    if without:
        raise RuntimeError(f"{', '.join(without)}: say in dashboard/access/rights.py which roles may reach it")
    gone = sorted(set(RIGHTS) - there)
    if gone:
        raise RuntimeError(f"{', '.join(gone)}: there is no such endpoint; take it out of dashboard/access/rights.py")
