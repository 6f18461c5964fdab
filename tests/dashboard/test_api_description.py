"""The description and the API say the same: a reader for people, and schemathesis, which asks whatever it allows and forbids.

`make api-check` asks a thousand times an operation; the suite a few times.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as of_description

from dashboard.api.guard import scope_of
from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from tests.dashboard.api_client import START_MS, ApiClient, add_employee
from tests.dashboard.site import Site

pytest_plugins = ["tests.dashboard.pages"]

EXAMPLES = int(os.environ.get("EXAMPLES") or 4)
Described = tuple[Any, str, dict[str, str]]
"""The app, a key, and ids that are there."""
CHECKS: list[Any] = [
    not_a_server_error,
    of_description.status_code_conformance,
    of_description.content_type_conformance,
    of_description.response_headers_conformance,
    of_description.response_schema_conformance,
    of_description.negative_data_rejection,
    of_description.unsupported_method,
]
"""Not whether everything allowed is accepted: a made-up cursor, code or If-Match is refused, as the description says in words."""


def test_every_operation_is_described_with_its_scope_and_its_refusals(site: Site) -> None:
    document: Any = site.app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    operations = {
        one["operationId"]: one for path in document["paths"].values() for one in path.values() if "operationId" in one
    }
    assert {f"api.{name}" for name in operations} == set(scope_of)
    for name, one in operations.items():
        assert one["security"] == [{"api_key": [scope_of[f"api.{name}"]]}]
        assert {"400", "401", "403", "422", "429", "500", "503"} <= set(one["responses"]), name
        for status, answer in one["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]
    text = site.app.test_client().get("/api/v1/openapi.json").text
    assert "template" not in document["components"]["schemas"]["Employee"]["properties"]
    assert "password" not in text


def test_people_read_it_without_a_script_and_without_a_login(site: Site) -> None:
    answer = site.app.test_client().get("/api/v1/docs")
    assert answer.status_code == 200
    for words in (
        "List employees",
        "employees:write",
        "Idempotency-Key",
        "Replace a webhook",
        'id="schema-ProblemDetails"',
    ):
        assert words in answer.text
    assert "<script" not in answer.text
    assert 'href="http' not in answer.text
    assert "Log out" in site.browser().get("/api/v1/docs").text


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """A site with some rows, for all examples together, whose faults are answers and not exceptions; and a key of it."""
    folder: Path = tmp_path_factory.mktemp("described")
    app = create_app(
        DashboardSettings(
            home=folder, redis_url="redis://127.0.0.1:9", time_zone="Asia/Jakarta", api_requests_per_minute=100_000
        )
    )
    site = Site(app, DashboardSettings(home=folder), app.extensions["attendance"].sessions)
    employee_id, client = add_employee(site, "E-1"), ApiClient(site)
    webhook = {"url": "https://example.com/hook", "events": ["punch.recorded"]}
    known = {
        "employee_id": employee_id,
        "event_id": site.punch(employee_id, START_MS),
        "webhook_id": client.post("/webhooks", webhook).json["id"],
    }
    yield app, client.key, known
    site.sessions.kw["bind"].dispose()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
def test_nothing_contradicts_the_description(described: Described, mode: GenerationMode) -> None:
    """By schemathesis' own loop over operations: its pytest plugin lags behind pytest."""
    app, key, known = described
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for path in schema.raw_schema["paths"].values():
        for operation in path.values():
            operation.pop("security", None)  # a key goes along always: without, nothing but the 401 would be tried
    asked = 0

    for found in schema.get_all_operations():
        asked_of: Any = found.ok()
        if mode is GenerationMode.NEGATIVE and not takes_values(asked_of):
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=EXAMPLES < 100,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=asked_of.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            if (
                mode is GenerationMode.POSITIVE and asked % 2
            ):  # else nearly everything would be answered that it isn't there
                case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
                case.headers = {**(case.headers or {}), "If-Match": "*"}
            case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=CHECKS)

        ask()
    print(f"{asked} requests")
    assert asked >= len(scope_of)


def takes_values(operation: Any) -> bool:
    """Whether there is anything that could be sent wrongly."""
    return bool(operation.query or operation.body)
