"""A client of the API, as another system has one: a key and JSON, no cookies."""

from typing import Any

from dashboard.api import keys
from dashboard.database import now_ms
from dashboard.people.employees import create_employee
from tests.dashboard.site import Site

START_MS = 1_795_478_400_000
"""2026-11-24T00:00:00Z."""


def make_key(site: Site, *scopes: str, days: int | None = None) -> str:
    """A key's text; every scope unless some are named."""
    with site.sessions.begin() as session:
        return keys.create(session, "payroll", scopes or keys.SCOPES, days=days, by="test", now_ms=now_ms())[1]


class ApiClient:
    def __init__(self, site: Site, key: str | None = None) -> None:
        self.client = site.app.test_client()
        self.key = key or make_key(site)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        authorised = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=authorised, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.ask("POST", path, json=json, **more) if json is not None else self.ask("POST", path, **more)

    def every(self, path: str, limit: int = 2) -> list[Any]:
        """All items of a list, page by page."""
        found: list[Any] = []
        cursor = ""
        while True:
            join = "&" if "?" in path else "?"
            answer = self.get(f"{path}{join}limit={limit}{cursor}")
            assert answer.status_code == 200, answer.text
            assert len(answer.json["items"]) <= limit
            found += answer.json["items"]
            if answer.json["next_cursor"] is None:
                return found
            cursor = f"&cursor={answer.json['next_cursor']}"


def add_employee(site: Site, code: str, name: str = "", department: str = "Dock") -> str:
    with site.sessions.begin() as session:
        return create_employee(session, code, name or f"Name of {code}", department, now_ms=now_ms()).id


def assert_problem(answer: Any, status: int, words: str = "") -> None:
    """An RFC 9457 problem with that status whose detail holds these words."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert {"type", "title", "detail"} <= set(answer.json)
    assert words in answer.json["detail"], answer.json
