"""Logging in: nothing is open without it, guessing is slow, and nobody is sent elsewhere."""

import pytest

from dashboard.access import accounts
from dashboard.access.rights import PUBLIC
from dashboard.access.roles import Role
from dashboard.web.answers import is_local
from tests.dashboard.site import PASSWORD, Site

pytest_plugins = ["tests.dashboard.pages"]


def test_no_page_is_reachable_without_login(site: Site) -> None:
    ids = {"employee_id": "e1", "picture_id": "p1", "event_id": "v1"}
    values = ids | {"name": "front-door", "filename": "x", "user_id": 1, "session_id": 1}
    values |= {
        "suffix": "csv",
        "token": "t",
        "site_id": 1,
        "holiday_id": 1,
        "leave_id": 1,
        "correction_id": 1,
        "pattern_id": 1,
        "key_id": "k1",
        "webhook_id": "w1",
        "kiosk": "front-door",
        "session": "s1",
        "pose": "left",
        "filtered": "log",
        "filter_id": 1,
    }
    client, seen = site.app.test_client(), 0
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC or rule.endpoint.startswith("api."):
            continue
        step = {"accounts": "disable", "connections": "replay"}.get(rule.endpoint.split(".")[0], "deactivate")
        _, path = rule.build(values | {"step": step}) or ("", "")
        assert path, f"{rule} needs a value in this test"
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = client.open(path, method=method)
            seen += 1
            if method == "POST":
                assert answer.status_code == 400, f"{rule}: a POST without a token"
                assert "out of date" in answer.text
            else:
                assert answer.status_code == 302, f"{method} {rule}"
                assert answer.location.startswith("/login")
    assert seen >= 15


def test_no_operation_of_the_api_is_reachable_without_a_key(site: Site) -> None:
    values = {"employee_id": "e1", "event_id": "v1", "webhook_id": "w1"}
    seen = 0
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            _, path = rule.build(values) or ("", "")
            assert path, f"{rule} needs a value in this test"
            for method in (rule.methods or set()) - {"OPTIONS"}:
                for client in (site.app.test_client(), site.browser().client):  # a login opens nothing there
                    assert client.open(path, method=method).status_code == 401, f"{method} {rule}"
                seen += 1
    assert seen >= 15


def test_a_post_with_a_token_but_no_login_is_sent_to_the_login(site: Site) -> None:
    browser = site.browser(log_in=False)
    answer = browser.post("/people/new", {"code": "E-1", "name": "Grace Hopper"})
    assert (answer.status_code, answer.location) == (302, "/login")


def test_scripts_are_answered_with_401(site: Site) -> None:
    client = site.app.test_client()
    assert client.get("/people", headers={"Accept": "application/json"}).json == {
        "error": "Your session has ended. Log in again to go on."
    }
    assert client.get("/live/stream", headers={"Accept": "text/event-stream"}).status_code == 401


def test_logging_in_and_out(site: Site) -> None:
    browser = site.browser(log_in=False)
    assert browser.get("/people?q=x").location == "/login?next=/people?q%3Dx"
    answer = browser.log_in(target="/people?q=x")
    assert (answer.status_code, answer.location) == (302, "/people?q=x")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert browser.get("/login").location == "/live"
    assert browser.get("/people").status_code == 200
    assert browser.post("/logout").location == "/login"
    assert browser.get("/people").status_code == 302


@pytest.mark.parametrize(("name", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("", ""), ("a\x00b", "x")])
def test_wrong_names_and_passwords(site: Site, name: str, password: str) -> None:
    answer = site.browser(log_in=False).log_in(name, password)
    if "\x00" in name:
        assert answer.status_code == 400
    else:
        assert answer.status_code == 401
        assert "Name or password is wrong" in answer.text


def test_guessing_is_slowed_down_and_a_right_password_costs_nothing(site: Site) -> None:
    for _ in range(8):
        assert site.browser(log_in=False).log_in().status_code == 302
    browser = site.browser(log_in=False)
    answers = [browser.log_in(password=f"guess {n}").status_code for n in range(6)]
    assert answers == [401] * 5 + [429]
    refused = browser.log_in()
    assert refused.status_code == 429
    assert "Too many tries" in refused.text


def test_forms_need_a_token(site: Site) -> None:
    client = site.app.test_client()
    answer = client.post("/login", data={"name": "admin", "password": PASSWORD})
    assert answer.status_code == 400
    assert "This form is out of date" in answer.text
    assert client.get("/people").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "people",
        "///evil.example",
    ],
)
def test_nobody_is_sent_to_another_site(site: Site, target: str) -> None:
    assert not is_local(target)
    browser = site.browser(log_in=False)
    assert browser.log_in(target=target).location == "/live"
    assert browser.get("/login", query_string={"next": target}).location == "/live"


def test_a_one_time_password_must_be_replaced(site: Site) -> None:
    with site.sessions.begin() as session:
        once = accounts.create_user(session, "hr", frozenset({Role.HR}))
    browser = site.browser(log_in=False)
    answer = browser.log_in("hr", once, target="/people")
    assert answer.location == "/password?next=/people"
    assert browser.get("/people").location == "/password"
    assert browser.get("/live/stream", headers={"Accept": "text/event-stream"}).status_code == 403
    assert "one-time password" in browser.get("/password").text
    refused = browser.post("/password", {"current": once, "new": "short", "again": "short"})
    assert refused.status_code == 422
    assert "10 to 200" in refused.text
    new = "a much longer password"
    answer = browser.post("/password", {"current": once, "new": new, "again": new, "next": "/people"})
    assert answer.location == "/people"
    assert browser.get("/people").status_code == 200
    assert site.browser(log_in=False).log_in("hr", once).status_code == 401


def test_a_new_password_ends_other_sessions(site: Site) -> None:
    here, elsewhere = site.browser(), site.browser()
    new = "a much longer password"
    assert here.post("/password", {"current": PASSWORD, "new": new, "again": new}).status_code == 302
    assert here.get("/people").status_code == 200
    assert elsewhere.get("/people").status_code == 302


def test_a_forged_or_foreign_session_is_nobody(site: Site) -> None:
    for session_id in ("1", "1.", "1.deadbeef", "x.y", "9" * 30 + ".a", "-1.a"):
        client = site.app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = session_id
        assert client.get("/people").status_code == 302


def test_a_live_boards_stream_does_not_renew_the_login(site: Site) -> None:
    browser = site.browser()
    assert "Set-Cookie" in browser.get("/people").headers
    with browser.client.get("/live/stream", buffered=False) as stream:
        assert "Set-Cookie" not in stream.headers
