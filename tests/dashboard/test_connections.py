"""The Connections page: a key made and revoked, failed deliveries sent again, punches that Frappe didn't take."""

import re

import pytest

from dashboard.connectors import frappe_sync
from dashboard.database import now_ms, reading
from dashboard.models import ApiKey, Delivery, Push, Webhook
from dashboard.webhooks import subscriptions
from tests.dashboard.api_client import START_MS, ApiClient, add_employee
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]


def test_a_key_is_made_shown_once_and_revoked(site: Site, browser: Browser) -> None:
    made = browser.post("/connections/keys", {"name": "payroll", "scopes": ["events:read"], "days": "30"})
    assert made.status_code == 200
    found = re.search(r"att_[0-9a-f]{12}_[\w-]{43}", made.text)
    assert found
    assert ApiClient(site, found[0]).get("/events").status_code == 200
    page = browser.get("/connections").text
    assert "payroll" in page
    assert found[0] not in page
    key_id = found[0].split("_")[1]
    assert "revoked" in browser.post(f"/connections/keys/{key_id}/revoke", follow_redirects=True).text
    assert ApiClient(site, found[0]).get("/events").status_code == 401
    assert browser.post("/connections/keys/nothing/revoke").status_code == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "<b>x</b>"}, "choose from"),
        ({"name": "x", "scopes": ["all"]}, "choose from"),
        ({"name": "", "scopes": ["events:read"]}, "printable"),
        ({"name": "x", "scopes": ["events:read"], "days": "٣"}, "number of days"),
        ({"name": "x", "scopes": ["events:read"], "days": "99999"}, "1-3650"),
    ],
)
def test_a_refused_key_keeps_what_was_typed(site: Site, browser: Browser, form: dict[str, str], said: str) -> None:
    answer = browser.post("/connections/keys", form)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<b>" not in answer.text
    with reading(site.sessions) as session:
        assert session.query(ApiKey).count() == 0


def test_what_failed_is_sent_again(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        webhook = subscriptions.add(session, "https://hr.example.com/<i>", ["punch.recorded"], "test")
        times = {"created_ms": 1, "tried_since_ms": 1, "next_try_ms": 1}
        session.add(Delivery(webhook_id=webhook.id, change_id="c", kind="punch.recorded", subject_id="e", **times))
        session.flush()
        subscriptions.disable(session, webhook, "it failed for a week")
    page = browser.get("/connections").text
    assert "it failed for a week" in page
    assert "<i>" not in page
    answer = browser.post(f"/connections/webhooks/{webhook.id}/replay", follow_redirects=True)
    assert "1 are sent again" in answer.text
    with reading(site.sessions) as session:
        assert session.query(Delivery).one().state == "pending"
        assert session.query(Webhook).one().disabled_ms is None
    assert browser.post("/connections/webhooks/nothing/enable").status_code == 404


def test_punches_that_frappe_did_not_take_are_listed_by_pages_and_pushed_again(site: Site, browser: Browser) -> None:
    assert "Frappe" not in browser.get("/connections").text
    employee_id = add_employee(site, "E-1", "Ayu")
    for number in range(6):
        site.punch(employee_id, START_MS + number)
    with site.sessions.begin() as session:
        assert frappe_sync.connect(session, START_MS, now_ms()) == 6
        session.query(Push).update({"state": "unknown_employee", "words": "x"})
    page = browser.get("/connections").text
    assert page.count("Frappe knows no employee with this code") == 5
    assert "page 1 of 2" in page
    assert browser.get("/connections?page=2").text.count("Frappe knows no employee") == 1
    assert browser.get("/connections?page=x").status_code == 400
    with site.sessions.begin() as session:
        for name, roles in (("night", ["operator"]), ("lead", ["operator", "supervisor"])):
            add_user(session, name, roles, ["Yard"])
    for name in (
        "night",
        "lead",
    ):  # a supervisor sees the people of their departments, and this page isn't kept to them
        page = site.browser_of(name).get("/connections").text
        assert ("E-1" in page, "Ayu" in page) == (True, False), name
    assert "6 punches are pushed" in browser.post("/connections/frappe/retry", follow_redirects=True).text
    with reading(site.sessions) as session:
        assert {push.state for push in session.query(Push)} == {"pending"}
