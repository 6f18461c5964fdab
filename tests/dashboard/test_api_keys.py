"""Who is let in to the API: keys, scopes, expiry, rate; and nothing that a browser's cookie opens."""

import pytest
from sqlalchemy import update

from dashboard.api import keys
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.models import ApiKey
from tests.dashboard.api_client import ApiClient, assert_problem, make_key
from tests.dashboard.site import Browser, Site

pytest_plugins = ["tests.dashboard.pages"]


def only_key(site: Site) -> ApiKey:
    with reading(site.sessions) as session:
        return keys.all_keys(session)[0]


def test_a_key_is_kept_as_a_hash_and_recognised_by_its_beginning(factory: SessionFactory) -> None:
    with factory.begin() as session:
        key, text = keys.create(session, " payroll ", ["events:read"], days=30, by="admin", now_ms=1_000)
        assert text.startswith(f"att_{key.id}_")
        assert text.rsplit("_", 1)[-1] not in repr(vars(key))
        assert key.name == "payroll"
        assert keys.verified(session, text, 2_000) is key
        assert keys.verified(session, text, 1_000 + 30 * keys.DAY_MS) is None
        keys.revoke(session, key.id, 3_000)
        keys.revoke(session, f"att_{key.id}", 4_000)
        assert key.revoked_ms == 3_000
        assert keys.verified(session, text, 5_000) is None


@pytest.mark.parametrize(
    ("name", "scopes", "days", "said"),
    [
        ("", ["events:read"], None, "printable"),
        ("a\x1b[2J", ["events:read"], None, "printable"),
        ("n" * 101, ["events:read"], None, "1-100"),
        ("a", [], None, "choose from"),
        ("a", ["all"], None, "employees:write"),
        ("a", ["events:read"], 0, "1-3650"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(
    factory: SessionFactory, name: str, scopes: list[str], days: int | None, said: str
) -> None:
    with factory.begin() as session, pytest.raises(keys.KeyProblem, match=said):
        keys.create(session, name, scopes, days=days, by="admin", now_ms=1)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer att_x",
        "Bearer att_000000000000_" + "a" * 43,
        "Bearer \xff\xfe",
        "att",
    ],
)
def test_without_a_valid_key_nothing_is_answered(site: Site, header: str) -> None:
    client = ApiClient(site)
    answer = client.get("/employees", headers={"Authorization": header})
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_wrong_secret_and_a_revoked_key_open_nothing(site: Site) -> None:
    client = ApiClient(site)
    right = client.key
    client.key = right[:-1] + ("A" if right[-1] != "A" else "B")
    assert_problem(client.get("/employees"), 401)
    client.key = right
    assert client.get("/employees").status_code == 200
    with site.sessions.begin() as session:
        keys.revoke(session, only_key(site).id, now_ms())
    assert_problem(client.get("/employees"), 401, "revoked")


def test_each_scope_opens_its_own_and_nothing_else(site: Site) -> None:
    client = ApiClient(site, make_key(site, "events:read"))
    assert client.get("/events").status_code == 200
    for method, path in (
        ("GET", "/employees"),
        ("GET", "/departments"),
        ("GET", "/kiosks"),
        ("GET", "/webhooks"),
        ("POST", "/employees"),
        ("PATCH", "/employees/x"),
        ("POST", "/employees/x/deactivate"),
        ("DELETE", "/webhooks/x"),
    ):
        answer = client.ask(method, path)
        assert_problem(answer, 403, "lacks the scope")
        assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


def test_a_browsers_login_opens_no_api_and_a_key_no_page(site: Site, browser: Browser) -> None:
    answer = browser.get("/api/v1/employees")
    assert_problem(answer, 401)
    assert "Set-Cookie" not in answer.headers
    client = ApiClient(site)
    answer = client.client.get("/people", headers={"Authorization": f"Bearer {client.key}"})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")


def test_the_last_use_is_written_once_a_minute(site: Site) -> None:
    client = ApiClient(site)
    assert only_key(site).last_used_ms is None
    client.get("/employees")
    first = only_key(site).last_used_ms
    client.get("/employees")
    assert first is not None
    assert only_key(site).last_used_ms == first
    with site.sessions.begin() as session:
        session.execute(update(ApiKey).values(last_used_ms=first - keys.LAST_USED_STEP_MS))
    client.get("/employees")
    assert only_key(site).last_used_ms >= first  # type: ignore[operator]


def test_a_key_has_a_rate_of_its_own(site: Site) -> None:
    from dashboard.api.guard import Guard

    site.app.before_request_funcs["api"] = [Guard(3).before_request]
    client, other = ApiClient(site), ApiClient(site)
    assert [client.get("/events").status_code for _ in range(3)] == [200] * 3
    answer = client.get("/events")
    assert_problem(answer, 429, "3 requests a minute")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert other.get("/events").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/employees", 405), ("POST", "/events/x/y", 404), ("GET", "/../../people", 404)],
)
def test_what_is_not_there_is_a_problem_too(site: Site, method: str, path: str, status: int) -> None:
    answer = ApiClient(site).ask(method, path)
    assert_problem(answer, status)
    if status == 405:
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_head_and_options_do_what_http_says(site: Site) -> None:
    client = ApiClient(site)
    head = client.ask("HEAD", "/employees")
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    options = client.client.options("/api/v1/employees")
    assert options.status_code == 200
    assert "POST" in options.headers["Allow"]


def test_a_fault_of_ours_tells_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.app.testing = False

    def broken(**_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setitem(site.app.view_functions, "api.list_events", broken)
    answer = ApiClient(site).get("/events")
    assert_problem(answer, 500, "written to the log")
    assert "secret" not in answer.text


def test_a_database_that_is_away_is_a_problem(site: Site) -> None:
    from sqlalchemy import text

    client = ApiClient(site)
    with site.sessions.begin() as session:
        session.execute(text("DROP TABLE attendance_events"))
    assert_problem(client.get("/events"), 503, "database doesn't answer")
