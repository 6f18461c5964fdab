"""How the database goes about each page's statements: EXPLAIN QUERY PLAN on SQLite, EXPLAIN on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from deploy.bench.dashboard_client import NAME, PASSWORD, TOKEN


def plans(settings: DashboardSettings, addresses: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """By page: each statement that it reads with, and its plan's lines. The pages are answered in this process."""
    app = create_app(settings)
    engine: Any = app.extensions["attendance"].sessions.kw["bind"]
    client = app.test_client()
    token = TOKEN.search(client.get("/login").text)
    client.post("/login", data={"name": NAME, "password": PASSWORD, "csrf_token": token[1] if token else ""})
    found = {}
    for name, path in addresses.items():
        with _explaining(engine) as told:
            client.get(path)
        found[name] = told
    engine.dispose()
    return found


@contextmanager
def _explaining(engine: Any) -> Iterator[list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    word = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(f"{word} {statement}", parameters)
            told.append({"statement": " ".join(statement.split()), "plan": [str(row[-1]) for row in rows]})

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def markdown(found: dict[str, list[dict[str, Any]]]) -> str:
    lines = []
    for name, statements in found.items():
        lines.append(f"### {name}\n")
        for one in statements:
            lines += ["```sql", one["statement"], *(f"-- {line}" for line in one["plan"]), "```", ""]
    return "\n".join(lines)
