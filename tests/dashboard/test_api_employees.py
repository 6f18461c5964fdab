"""Employees over the API: paging, two writers, requests sent twice, hostile bodies."""

import threading
from typing import Any

import pytest
from sqlalchemy import update

from dashboard.api import idempotency
from dashboard.database import reading
from dashboard.models import Employee, IdempotentAnswer
from tests.dashboard.api_client import ApiClient, add_employee, assert_problem
from tests.dashboard.site import Site

pytest_plugins = ["tests.dashboard.pages"]


def codes(items: list[Any]) -> list[str]:
    return [item["code"] for item in items]


def test_an_employee_is_added_read_changed_and_let_go(any_site: Site) -> None:
    client = ApiClient(any_site)
    made = client.post("/employees", {"code": "E-1", "name": " Ayu ", "department": "Dock"})
    assert made.status_code == 201
    where, etag = made.headers["Location"], made.headers["ETag"]
    assert where == f"/api/v1/employees/{made.json['id']}"
    assert (made.json["name"], made.json["active"], made.json["consent_at"]) == ("Ayu", True, None)
    path = where.removeprefix("/api/v1")
    read = client.get(path)
    assert read.json == made.json
    assert read.headers["ETag"] == etag
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    changed = client.ask("PATCH", path, json={"department": ""}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json["department"], changed.json["name"]) == (200, "", "Ayu")
    gone = client.post(f"{path}/deactivate", headers={"If-Match": changed.headers["ETag"]})
    assert gone.json["active"] is False
    assert gone.json["deactivated_at"].endswith("Z")
    assert codes(client.every("/employees?active=false")) == ["E-1"]
    assert client.every("/employees?active=true") == []
    back = client.post(f"{path}/reactivate", headers={"If-Match": "*"})
    assert (back.json["active"], back.json["deactivated_at"]) == (True, None)


def test_of_two_writers_the_second_is_told(any_site: Site) -> None:
    client, other = ApiClient(any_site), ApiClient(any_site)
    path = f"/employees/{add_employee(any_site, 'E-1')}"
    etag = client.get(path).headers["ETag"]
    assert client.ask("PATCH", path, json={"name": "First"}, headers={"If-Match": etag}).status_code == 200
    second = other.ask("PATCH", path, json={"name": "Second"}, headers={"If-Match": etag})
    assert_problem(second, 412, "read it again")
    assert_problem(other.ask("PATCH", path, json={"name": "Second"}), 428, "If-Match")
    assert_problem(other.ask("PATCH", path, json={}, headers={"If-Match": f"W/{etag}"}), 412)
    assert_problem(other.post(f"{path}/deactivate", headers={"If-Match": etag}), 412)
    assert client.get(path).json["name"] == "First"


def test_pages_stay_whole_while_people_are_added(any_site: Site) -> None:
    for number in range(5):
        add_employee(any_site, f"E-{number}")
    client = ApiClient(any_site)
    first = client.get("/employees?limit=2").json
    add_employee(any_site, "E-9")
    rest, cursor = [], first["next_cursor"]
    while cursor:
        page = client.get(f"/employees?limit=3&cursor={cursor}").json
        rest += page["items"]
        cursor = page["next_cursor"]
    found = codes(first["items"] + rest)
    assert sorted(found) == ["E-0", "E-1", "E-2", "E-3", "E-4", "E-9"]
    assert len(set(found)) == len(found)


def test_filters_find_by_code_and_department(site: Site) -> None:
    add_employee(site, "E-1", department="Dock")
    add_employee(site, "E-2", department="Küche")
    client = ApiClient(site)
    assert codes(client.every("/employees?code=E-2")) == ["E-2"]
    assert codes(client.every("/employees?department=K%C3%BCche")) == ["E-2"]
    assert client.every("/departments", limit=1) == [
        {"name": "Dock", "employees": 1},
        {"name": "Küche", "employees": 1},
    ]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=ten",
        "cursor=abc",
        "cursor=" + "x" * 1_001,
        "active=maybe",
        "code=" + "x" * 65,
        "unknown=1",
        "code=",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(site: Site, query: str) -> None:
    assert_problem(ApiClient(site).get(f"/employees?{query}"), 422)


def test_a_cursor_serves_its_own_list_and_filter_alone(site: Site) -> None:
    add_employee(site, "E-1")
    add_employee(site, "E-2")
    client = ApiClient(site)
    cursor = client.get("/employees?limit=1").json["next_cursor"]
    assert_problem(client.get(f"/employees?cursor={cursor}&active=true"), 422, "another list or filter")
    assert_problem(client.get(f"/events?cursor={cursor}"), 422, "another list or filter")
    assert_problem(client.get(f"/employees?cursor={cursor[:-2]}zz"), 422, "not one of ours")


def test_a_nul_is_refused(site: Site) -> None:
    client = ApiClient(site)
    assert_problem(client.get("/employees?code=a%00"), 400, "U+0000")
    assert_problem(client.get("/employees/a%00b"), 400)
    assert_problem(client.post("/employees", {"code": "a\x00", "name": "A"}), 422, "U+0000")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"code": NaN, "name": "A"}', "application/json", 400),
        (b"\xff\xfe\xff", "application/json", 400),
        (b"[" * 30_000, "application/json", 400),
        (b'{"code": ' + b"9" * 10_000 + b"}", "application/json", 400),
        (b"", "application/json", 400),
        (b'"{}"', "application/json", 422),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"code": 1, "name": "A"}', "application/json", 422),
        (b'{"code": "1", "name": "A", "id": "x"}', "application/json", 422),
        (b'{"code": "1", "name": "\\ud800"}', "application/json", 422),
        (b'{"code": " ", "name": "A"}', "application/json", 422),
        (b"code=1&name=A", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b'{"code": "1", "name": "' + b"a" * 70_000 + b'"}', "application/json", 413),
    ],
)
def test_a_hostile_body_is_a_problem(site: Site, body: bytes, kind: str, status: int) -> None:
    assert_problem(ApiClient(site).ask("POST", "/employees", data=body, content_type=kind), status)


def test_a_code_is_given_once(site: Site) -> None:
    add_employee(site, "E-1")
    assert_problem(ApiClient(site).post("/employees", {"code": "E-1", "name": "B"}), 409, "another employee")


def test_a_request_sent_twice_is_done_once(any_site: Site) -> None:
    client = ApiClient(any_site)
    body, header = {"code": "E-1", "name": "Ayu"}, {"Idempotency-Key": "import 7, line 1"}
    first = client.post("/employees", body, headers=header)
    again = client.post("/employees", body, headers=header)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert_problem(client.post("/employees", {**body, "name": "Budi"}, headers=header), 422, "another request")
    other = ApiClient(any_site)  # another key's requests are its own
    assert_problem(other.post("/employees", body, headers=header), 409, "another employee")
    assert len(client.every("/employees")) == 1


def test_a_refused_request_frees_its_key(site: Site) -> None:
    client, header = ApiClient(site), {"Idempotency-Key": "k"}
    assert_problem(client.post("/employees", {"code": "\t", "name": "A"}, headers=header), 422)
    assert client.post("/employees", {"code": "E-1", "name": "A"}, headers=header).status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256, "k\xfcy", "k\ty"])
def test_an_unusable_idempotency_key_is_refused(site: Site, key: str) -> None:
    answer = ApiClient(site).post("/employees", {"code": "1", "name": "A"}, headers={"Idempotency-Key": key})
    assert_problem(answer, 422, "Idempotency-Key")


def test_answers_are_kept_a_day(site: Site) -> None:
    client, header = ApiClient(site), {"Idempotency-Key": "k"}
    client.post("/employees", {"code": "E-1", "name": "A"}, headers=header)
    with site.sessions.begin() as session:
        session.execute(
            update(IdempotentAnswer).values(created_ms=IdempotentAnswer.created_ms - idempotency.KEPT_MS - 1)
        )
    assert client.post("/employees", {"code": "E-2", "name": "A"}, headers=header).status_code == 201


def test_a_key_that_is_being_worked_on_is_told_and_let_go_when_its_holder_died(site: Site) -> None:
    client, header = ApiClient(site), {"Idempotency-Key": "k"}
    body = {"code": "E-1", "name": "A"}
    client.post("/employees", body, headers=header)
    with site.sessions.begin() as session:  # as after a process that died at work
        session.execute(update(IdempotentAnswer).values(status=None))
        session.execute(update(Employee).values(code="E-0"))
    assert_problem(client.post("/employees", body, headers=header), 409, "being worked on")
    with site.sessions.begin() as session:
        session.execute(update(IdempotentAnswer).values(held_until_ms=0))
    assert client.post("/employees", body, headers=header).status_code == 201


def test_a_request_sent_many_times_at_once_is_done_once(any_site: Site) -> None:
    client, start, statuses = ApiClient(any_site), threading.Barrier(6), []

    def send() -> None:
        one = ApiClient(any_site, client.key)
        start.wait()
        answer = one.post("/employees", {"code": "E-1", "name": "A"}, headers={"Idempotency-Key": "k"})
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    with reading(any_site.sessions) as session:
        assert session.query(Employee).count() == 1
