"""Every POST that changes something, and what the audit trail tells of it: a table for test_audit_writes.py."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pyotp
from sqlalchemy import update
from sqlalchemy.orm import Session

from dashboard.access import second_factor
from dashboard.api import keys as keys_of_api
from dashboard.connectors import frappe_sync
from dashboard.database import now_ms, reading
from dashboard.days.policy import weekly
from dashboard.models import Holiday, Leave, Push, SavedFilter, SecondFactor
from dashboard.models import Site as SiteRow
from dashboard.planning import pattern_form
from dashboard.planning.patterns import save_pattern
from dashboard.webhooks import subscriptions
from tests.dashboard.days.sheet import OFFICE
from tests.dashboard.site import PASSWORD, Site

SEVEN_MS = 1_795_478_400_000
NEW_PASSWORD = "another long password"


def code(site: Site) -> str:
    """What an authenticator app would show for the admin now."""
    with reading(site.sessions) as session:
        factor = session.get_one(SecondFactor, 1)
        return pyotp.TOTP(second_factor.secret_of(factor, site.settings.session_key)).now()


PLANT = {"name": "Plant", "time_zone": "Asia/Makassar", "country": "ID", "subdivision": ""}
SHIFT = {**pattern_form.today_fields(date(2026, 11, 23)), "name": "Night"}
LEAVE_DAYS = {"first_day": "2026-11-23", "last_day": "2026-11-27"}


def add_rules(session: Session, person: str) -> None:
    """A site with a holiday, a shift pattern, and leave of the person."""
    session.add(SiteRow(**PLANT))
    session.flush()
    by = {"entered_ms": 1, "entered_by": "hr"}
    session.add(Holiday(day=date(2026, 8, 17), name="Independence", site_id=1, source="entered", **by))
    days = {name: date.fromisoformat(day) for name, day in LEAVE_DAYS.items()}
    session.add(Leave(employee_id=person, kind="sick", paid=True, **days, **by))
    save_pattern(session, "Office", weekly(OFFICE), date(2026, 1, 1), by="hr", now_ms=1)
    session.add(SavedFilter(user_id=1, page="log", name="Secret", query="department=Dock", days="", made_ms=1))


def add_connections(site: Site, person: str) -> dict[str, str]:
    """A key, a webhook that is disabled, and a punch that Frappe HR didn't take."""
    site.punch(person, SEVEN_MS)
    with site.sessions.begin() as session:
        key, _ = keys_of_api.create(session, "payroll", ["events:read"], days=None, by="hr", now_ms=1)
        webhook = subscriptions.add(session, "https://hr.example.com/secret-path", ["punch.recorded"], "hr")
        subscriptions.disable(session, webhook, "it failed for a week")
        frappe_sync.connect(session, SEVEN_MS, now_ms())
        session.execute(update(Push).values(state="refused"))
        return {"key": key.id, "webhook": webhook.id}


def seen(site: Site) -> str:
    """What the form of the first site was filled with."""
    page = site.browser().get("/sites/1").text
    return page.split('name="seen" value="')[1].split('"')[0]


# For every POST: who does it, the address, the form, and the action that the trail tells of.
Doing = tuple[str, str, dict[str, Any] | Callable[[Site], dict[str, Any]], str]
DOING: dict[str, Doing] = {
    "account.begin_factor": ("admin", "/account/second-factor/begin", {}, "factor.begun"),
    "account.factor": ("admin", "/account/second-factor", lambda site: {"code": code(site)}, "factor.added"),
    "account.new_codes": ("admin", "/account/second-factor/codes", {"password": PASSWORD}, "factor.codes"),
    "account.remove_factor": ("admin", "/account/second-factor/remove", {"password": PASSWORD}, "factor.removed"),
    "account.end_session": ("admin", "/account/sessions/{other}/end", {}, "sessions.ended"),
    "account.end_others": ("admin", "/account/sessions/end-others", {}, "sessions.ended"),
    "accounts.create": ("admin", "/accounts/new", {"name": "new", "roles": ["auditor"]}, "account.created"),
    "accounts.change": ("admin", "/accounts/2", {"roles": ["auditor"]}, "account.changed"),
    "accounts.take_step": ("admin", "/accounts/2/disable", {}, "account.disabled"),
    "people.create": (
        "admin",
        "/people/new",
        {"code": "E-2", "name": "Secret Name", "department": "Dock"},
        "person.created",
    ),
    "people.change": ("admin", "/people/{person}", {"name": "Secret Newname", "department": "Yard"}, "person.changed"),
    "people.take_step": ("admin", "/people/{person}/give-consent", {}, "person.consent_given"),
    "erasing.erase": ("admin", "/people/{person}/erase", {"code": "E-1", "reason": "asked"}, "person.erased"),
    "pictures.add": ("admin", "/people/{person}/pictures", {}, "picture.added"),
    "pictures.delete": ("admin", "/people/{person}/pictures/p1/delete", {}, "picture.deleted"),
    "pictures.same_person": ("admin", "/people/{person}/pictures/same-person", {"other_id": "twin"}, "faces.same"),
    "kiosks.change": ("admin", "/kiosks/front-door", {"label": "Door", "direction": "in"}, "kiosk.changed"),
    "departments.rename": (
        "admin",
        "/people/departments/rename",
        {"before": "Dock", "after": "Yard"},
        "department.renamed",
    ),
    "shift_patterns.create": ("admin", "/shifts/new", SHIFT, "shift.created"),
    "shift_patterns.change": ("admin", "/shifts/1", {**SHIFT, "seen": "1"}, "shift.changed"),
    "shift_patterns.assign_pattern": (
        "admin",
        "/shifts/assign",
        {"of_department": "Dock", "pattern": "1", "from_day": "2026-11-23"},
        "shift.assigned",
    ),
    "sites.create": ("admin", "/sites", {"name": "Port", "time_zone": "Asia/Jakarta"}, "site.created"),
    "sites.change": ("admin", "/sites/1", lambda site: {**PLANT, "name": "Port", "seen": seen(site)}, "site.changed"),
    "holidays.add": ("admin", "/sites/1/holidays", {"day": "2026-12-25", "name": "Feast", "half": ""}, "holiday.added"),
    "holidays.import_them": ("admin", "/sites/0/holidays/import", {"pick": ["2026-12-25 Feast"]}, "holiday.added"),
    "holidays.remove": ("admin", "/sites/1/holidays/1/remove", {}, "holiday.removed"),
    "saved_filters.save": (
        "admin",
        "/saved-filters/log",
        {"filter_name": "Secret dock", "department": "Dock", "days": "week"},
        "filter.saved",
    ),
    "saved_filters.remove": ("admin", "/saved-filters/1/remove", {}, "filter.removed"),
    "leave.enter": (
        "admin",
        "/people/{person}/leave",
        {**LEAVE_DAYS, "kind": "sick", "half": "", "paid": "yes", "note": "Secret illness"},
        "leave.entered",
    ),
    "leave.withdraw": ("admin", "/people/{person}/leave/1/withdraw", {}, "leave.withdrawn"),
    "connections.make_key": (
        "admin",
        "/connections/keys",
        {"name": "payroll", "scopes": ["events:read"]},
        "api_key.made",
    ),
    "connections.revoke_key": ("admin", "/connections/keys/{key}/revoke", {}, "api_key.revoked"),
    "connections.webhook_step": ("admin", "/connections/webhooks/{webhook}/enable", {}, "webhook.enabled"),
    "connections.retry_frappe": ("admin", "/connections/frappe/retry", {}, "frappe.retried"),
    "auth.password": (
        "admin",
        "/password",
        {"current": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD},
        "password.changed",
    ),
    "auth.logout": ("admin", "/logout", {}, "logout"),
    "auth.login": ("", "/login", {"name": "admin", "password": PASSWORD}, "login"),
    "auth.second_step": ("", "/login/code", lambda site: {"code": code(site)}, "login"),
}


NO_CHANGE = {"people_import.upload", "people_import.discard", "holidays.preview", "guided.look", "languages.choose"}
NO_CHANGE |= {"shift_patterns.look", "folder.look"}
"""What is only looked at, forgotten, or kept by the browser: nothing of it was ever in the database."""
TESTED_BELOW = {"people_import.apply"}
WITH_THEIR_PAGES = {f"kiosk_enrolment.{what}" for what in ("start", "accept", "end")}
WITH_THEIR_PAGES |= {f"corrections.{what}" for what in ("enter", "decide", "withdraw")}
WITH_THEIR_PAGES |= {"my_corrections.ask", "my_corrections.withdraw"}
WITH_THEIR_PAGES |= {f"models.{what}" for what in ("prepare", "switch", "rollback", "cancel")}
WITH_THEIR_PAGES |= {f"alike.{what}" for what in ("look", "limit", "reset")}
WITH_THEIR_PAGES |= {"folder.person"}
"""Tested in test_alike_pages.py, test_folder_enrolment.py, test_kiosk_enrolment.py, test_my_corrections.py,
test_corrections_pages.py and test_models_pages.py."""
