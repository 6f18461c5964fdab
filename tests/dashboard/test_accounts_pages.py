"""The accounts' pages: made, changed, rescued, disabled; and somebody is left who may do so."""

import re
import threading
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.access import account_rights
from dashboard.access.account_rights import Rights
from dashboard.access.accounts import AccountError
from dashboard.access.roles import Role
from dashboard.database import SessionFactory, reading
from dashboard.models import SecondFactor, User
from dashboard.people.employees import create_employee
from tests.dashboard.site import PASSWORD, Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]


def add_people(site: Site) -> None:
    with site.sessions.begin() as session:
        create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1)
        create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1)


def once(page: str) -> str:
    return page.split('<code class="secret">')[1].split("<")[0]


def test_from_a_new_account_to_its_first_log_in(site: Site, browser: Browser) -> None:
    add_people(site)
    form = {"name": "eileen", "roles": ["employee", "supervisor"], "departments": ["Flight"], "code": "E-2"}
    made = browser.post("/accounts/new", form)
    assert made.status_code == 200
    own = site.browser(log_in=False)
    assert own.log_in("eileen", once(made.text)).location == "/password"
    assert once(made.text) not in browser.get("/accounts/2").text, "shown this once"
    page = browser.get("/accounts").text
    for words in ("eileen", "Employee, Supervisor", "E-2", "One-time password"):
        assert words in page
    edit = browser.get("/accounts/2").text
    assert edit.count(" checked") == 3


def test_a_supervisor_of_a_department_that_nobody_is_in_yet(site: Site, browser: Browser) -> None:
    """The first day: accounts are made before people are. Several fields have the same name."""
    assert 'list="department-names"' in browser.get("/accounts/new").text
    form = {"name": "lead", "roles": ["supervisor"], "departments": ["", " Flight "]}
    refused = browser.post("/accounts/new", {**form, "name": ""})
    assert refused.status_code == 422
    assert re.search('value=" Flight " checked', refused.text), "kept"
    assert browser.post("/accounts/new", form).status_code == 200
    assert '<span class="soft small">Flight</span>' in browser.get("/accounts").text
    assert re.search('value="Flight" checked', browser.get("/accounts/2").text)
    assert '<option value="Flight">' in browser.get("/accounts/new").text, "suggested for the next"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "1-64 printable"),
        ({"name": "admin"}, "taken"),
        ({"roles": []}, "at least one"),
        ({"roles": ["root"]}, "not known; roles are employee"),
        ({"roles": ["supervisor"]}, "departments: choose at least one"),
        ({"roles": ["employee"], "code": ""}, "must be linked"),
        ({"roles": ["employee"], "code": "E-9"}, "nobody has the code"),
        ({"roles": ["supervisor"], "departments": [f"d{n}" for n in range(101)]}, "at most 100"),
        ({"roles": ["supervisor"], "departments": ["d" * 201]}, "at most 100, of at most 200"),
        ({"name": "<b>x</b>", "roles": ["hr\x01"]}, "not known"),
    ],
)
def test_what_does_not_go_together_is_said_and_kept(
    site: Site, browser: Browser, changes: dict[str, Any], words: str
) -> None:
    form = {"name": "new", "roles": ["hr"], "code": "", **changes}
    answer = browser.post("/accounts/new", form)
    assert answer.status_code == 422
    assert words in answer.text.replace("&#39;", "'")
    assert "<b>x" not in answer.text
    if form["name"] not in ("", "<b>x</b>"):
        assert f'value="{form["name"]}"' in answer.text
    with reading(site.sessions) as session:
        assert list(session.scalars(select(User.name))) == ["admin"]


def test_a_person_has_one_account(site: Site, browser: Browser) -> None:
    add_people(site)
    assert browser.post("/accounts/new", {"name": "one", "roles": ["employee"], "code": "E-1"}).status_code == 200
    refused = browser.post("/accounts/new", {"name": "two", "roles": ["employee"], "code": "E-1"})
    assert (refused.status_code, "has an account already" in refused.text) == (422, True)


def test_rights_that_change_hold_at_once(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        add_user(session, "other", ["hr"])
    other = site.browser_of("other")
    assert other.get("/people").status_code == 200
    assert browser.post("/accounts/2", {"roles": ["operator"]}).location == "/accounts/2"
    assert other.get("/people").status_code == 403
    assert other.get("/kiosks").status_code == 200
    refused = browser.post("/accounts/2", {"roles": []})
    assert (refused.status_code, "choose at least one" in refused.text) == (422, True)


def test_rescue_from_a_lost_password_and_a_lost_phone(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        add_user(session, "other", ["hr"])
        session.add(SecondFactor(user_id=2, salt="s", key_mark="k", confirmed_ms=1, last_step=0))
    other = site.browser(log_in=False)
    assert other.log_in("other").location == "/login/code"
    assert "Reset second factor" in browser.get("/accounts/2").text
    browser.post("/accounts/2/reset-factor")
    other = site.browser_of("other")
    made = browser.post("/accounts/2/reset-password")
    assert other.get("/people").status_code == 302, "its sessions end"
    assert site.browser(log_in=False).log_in("other").status_code == 401
    assert site.browser(log_in=False).log_in("other", once(made.text)).location == "/password"


def test_disabled_and_enabled_again(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        add_user(session, "other", ["hr"])
    other = site.browser_of("other")
    browser.post("/accounts/2/disable")
    assert other.get("/people").status_code == 302
    assert site.browser(log_in=False).log_in("other").status_code == 401
    assert "Disabled" in browser.get("/accounts").text
    browser.post("/accounts/2/enable")
    other = site.browser_of("other")
    browser.post("/accounts/2/end-sessions")
    assert other.get("/people").status_code == 302


@pytest.mark.parametrize(("path", "form"), [("/accounts/1", {"roles": ["operator"]}), ("/accounts/1/disable", {})])
def test_the_last_account_that_manages_accounts_stays(
    site: Site, browser: Browser, path: str, form: dict[str, Any]
) -> None:
    with site.sessions.begin() as session:
        add_user(session, "operator", ["operator"])
        session.get_one(User, add_user(session, "gone", ["hr"])).disabled_ms = 1
    refused = browser.post(path, form)
    assert (refused.status_code, "the last account with the role HR" in refused.text) == (422, True)
    assert browser.get("/accounts").status_code == 200
    with site.sessions.begin() as session:
        add_user(session, "second", ["hr"])
    assert browser.post(path, form).status_code == 302


def test_two_who_take_each_others_rights_follow_each_other(factory: SessionFactory) -> None:
    with factory.begin() as session:
        ids = [add_user(session, name, ["hr"]) for name in ("one", "two")]
    start, refused = threading.Barrier(2), []

    def run(user_id: int) -> None:
        start.wait()
        try:
            with factory.begin() as session:
                user = session.get_one(User, user_id)
                account_rights.change(session, user, Rights(frozenset({Role.OPERATOR})))
        except AccountError as error:
            refused.append(error)

    threads = [threading.Thread(target=run, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
    with factory() as session:
        account_rights.require_a_manager(session)


@pytest.mark.parametrize("path", ["/accounts/99", "/accounts/x", "/accounts/-1", "/accounts/99999999999999999999"])
def test_accounts_that_are_not_there(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_the_list_is_searched_and_paged(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        for number in range(6):
            add_user(session, f"clerk {number}", ["hr"])
    assert "7 accounts, page 1 of 2" in browser.get("/accounts").text
    assert "clerk 5" in browser.get("/accounts?page=2").text
    assert "1 account<" in browser.get("/accounts?q=adm").text
    assert "No account found" in browser.get("/accounts?q=%25").text
    assert browser.get("/accounts?page=0").status_code == 400


def test_passwords_of_the_site_are_not_shown(site: Site, browser: Browser) -> None:
    assert PASSWORD not in browser.get("/accounts/1").text
