"""Punches, kiosks and webhooks over the API: filters, order, paging while rows come in."""

from typing import Any

import pytest

from dashboard.database import now_ms
from dashboard.models import Kiosk
from tests.conftest import RedisPair
from tests.dashboard.api_client import START_MS, ApiClient, add_employee, assert_problem
from tests.dashboard.site import Site
from worker.protocol import keys
from worker.protocol.heartbeats import Heart

pytest_plugins = ["tests.dashboard.pages"]

MINUTE = 60_000


def ids(items: list[Any]) -> list[str]:
    return [item["id"] for item in items]


def test_a_punch_is_told_with_its_times_and_flags(site: Site) -> None:
    employee_id = add_employee(site, "E-1")
    event_id = site.punch(employee_id, START_MS + 345, late=True, time_uncertain=True)
    expected = {
        "id": event_id,
        "employee_id": employee_id,
        "employee_code": "E-1",
        "kiosk": "front-door",
        "direction": "in",
        "captured_at": "2026-11-24T00:00:00.345Z",
        "local_time": "2026-11-24T07:00:00.345",
        "time_zone": "Asia/Jakarta",
        "received_at": "2026-11-24T00:00:01.245Z",
        "late": True,
        "time_uncertain": True,
        "liveness": "not_checked",
    }
    client = ApiClient(site)
    assert client.get(f"/events/{event_id}").json == expected
    assert client.every("/events") == [expected]
    assert_problem(client.get("/events/nobody"), 404)


def test_only_punches_are_listed(site: Site) -> None:
    employee_id = add_employee(site, "E-1")
    site.punch(None, START_MS, status="not_a_punch")
    site.punch(employee_id, START_MS, status="duplicate")
    assert ApiClient(site).every("/events") == []


def test_filters_by_person_door_and_time(any_site: Site) -> None:
    one, two = add_employee(any_site, "E-1"), add_employee(any_site, "E-2")
    first = any_site.punch(one, START_MS)
    second = any_site.punch(two, START_MS + MINUTE, kiosk="back-door")
    third = any_site.punch(one, START_MS + 2 * MINUTE)
    client = ApiClient(any_site)
    assert ids(client.every("/events")) == [first, second, third]
    assert ids(client.every(f"/events?employee_id={one}")) == [first, third]
    assert ids(client.every("/events?employee_code=E-2")) == [second]
    assert ids(client.every("/events?kiosk=back-door")) == [second]
    assert ids(client.every("/events?captured_from=2026-11-24T00:01:00Z")) == [second, third]
    assert ids(client.every("/events?captured_before=2026-11-24T07:01:00%2B07:00")) == [first]


def test_syncing_goes_by_receipt_and_misses_nothing_that_came_late(any_site: Site) -> None:
    employee_id = add_employee(any_site, "E-1")
    late = any_site.punch(employee_id, START_MS - 9 * MINUTE, received_ms=START_MS + 5 * MINUTE, late=True)
    early = any_site.punch(employee_id, START_MS, received_ms=START_MS + MINUTE)
    client = ApiClient(any_site)
    assert ids(client.every("/events?received_after=2026-11-24T00:00:00Z", limit=1)) == [early, late]
    assert ids(client.every("/events?received_after=2026-11-24T00:01:00Z")) == [late]
    page = client.get("/events?received_after=2026-11-24T00:00:00Z&limit=1").json
    newest = any_site.punch(employee_id, START_MS - MINUTE, received_ms=START_MS + 6 * MINUTE)
    rest = client.get(f"/events?received_after=2026-11-24T00:00:00Z&cursor={page['next_cursor']}").json
    assert ids(page["items"] + rest["items"]) == [early, late, newest]


def test_punches_of_one_moment_are_paged_without_loss(any_site: Site) -> None:
    employee_id = add_employee(any_site, "E-1")
    made = {any_site.punch(employee_id, START_MS) for _ in range(5)}
    found = ids(ApiClient(any_site).every("/events", limit=2))
    assert (set(found), len(found)) == (made, 5)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "1795478400",
        "2026-11-24",
        "2026-11-24T00:00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
    ],
)
@pytest.mark.parametrize("name", ["captured_from", "received_after"])
def test_a_time_that_is_none_is_refused(site: Site, name: str, text: str) -> None:
    assert_problem(ApiClient(site).get(f"/events?{name}={text}"), 422, name)


def test_kiosks_are_listed_with_their_state(site: Site, redis_pair: RedisPair) -> None:
    with site.sessions.begin() as session:
        session.add(Kiosk(name="back-door", label="Back", direction="out"))
    Heart(redis_pair.live, "s0", "kiosk", "front-door", dict).beat()
    redis_pair.live.zadd(keys.kiosks("s0"), {"front-door": now_ms()})
    back, front = ApiClient(site).every("/kiosks", limit=1)
    assert (back["name"], back["label"], back["direction"], back["state"]) == (
        "back-door",
        "Back",
        "out",
        "not_running",
    )
    assert (front["name"], front["state"], back["last_seen_at"]) == ("front-door", "running", None)
    redis_pair.live_server.kill()
    assert [kiosk["state"] for kiosk in ApiClient(site).every("/kiosks")] == ["unknown"]


def test_a_system_subscribes_itself(site: Site) -> None:
    client = ApiClient(site)
    made = client.post("/webhooks", {"url": "https://hr.example.com/hook", "events": ["employee.changed"]})
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    path = f"/webhooks/{made.json['id']}"
    assert [sorted(one) for one in client.every("/webhooks")] == [sorted(set(made.json) - {"secret"})]
    rotated = client.post(f"{path}/rotate")
    assert rotated.json["secret"] not in ("", made.json["secret"])
    assert client.every(f"{path}/deliveries?state=dead") == []
    assert client.post(f"{path}/replay").json == {"deliveries": 0}
    gone = client.ask("DELETE", path)
    assert (gone.status_code, gone.data) == (204, b"")
    for method, where in (("DELETE", path), ("POST", f"{path}/rotate"), ("GET", f"{path}/deliveries")):
        assert_problem(client.ask(method, where), 404)


@pytest.mark.parametrize("url", ["ftp://example.com/x", "https://u:p@example.com/", "javascript:alert(1)"])
def test_a_webhook_that_leads_nowhere_is_refused(site: Site, url: str) -> None:
    answer = ApiClient(site).post("/webhooks", {"url": url, "events": ["punch.recorded"]})
    assert_problem(answer, 422, "URL")
