"""A site under test: the app with its database, and a browser that fills in forms."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from dashboard.database import SessionFactory, now_ms
from dashboard.models import AttendanceEvent, DecisionRecord, Kiosk, User, UserDepartment, UserRole
from dashboard.settings import DashboardSettings
from worker.protocol.entries import new_id

PASSWORD = "correct horse battery"
MODEL = "sface-0123456789ab"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Real argon2, but cheap: passwords of tests need no protection."""


def add_user(
    session: Session,
    name: str,
    roles: Collection[str],
    departments: Collection[str] = (),
    employee_id: str | None = None,
) -> int:
    """An account with PASSWORD, of which it needn't choose another; returns its number."""
    user = User(name=name, password_hash=QUICK_HASHER.hash(PASSWORD), created_ms=now_ms(), employee_id=employee_id)
    session.add(user)
    session.flush()
    session.add_all(UserRole(user_id=user.id, role=role) for role in roles)
    session.add_all(UserDepartment(user_id=user.id, department=department) for department in departments)
    session.flush()
    return user.id


class Browser:
    """A client that reads forms' tokens as a browser does: without one, a POST is refused."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **more)

    def token(self) -> str:
        found = re.search(
            r'name="csrf_token" value="([^"]+)"', self.client.get("/password", follow_redirects=True).text
        )
        assert found
        return found[1]

    def log_in(self, name: str = "admin", password: str = PASSWORD, target: str = "") -> Any:
        return self.post("/login", {"name": name, "password": password, "next": target})


@dataclass
class Site:
    app: Flask
    settings: DashboardSettings
    sessions: SessionFactory

    def browser(self, log_in: bool = True) -> Browser:
        browser = Browser(self.app.test_client())
        if log_in:
            assert browser.log_in().status_code == 302
        return browser

    def browser_of(self, name: str) -> Browser:
        """Somebody logged in by PASSWORD."""
        browser = Browser(self.app.test_client())
        assert browser.log_in(name).status_code == 302
        return browser

    def keeping_pictures(self, days: int) -> "Site":
        """The same site, where face crops of records are kept."""
        return self.with_settings(picture_days=days)

    def with_settings(self, **changes: Any) -> "Site":
        """The same site with other settings, where pages ask for them."""
        settings = self.settings.model_copy(update=changes)
        self.app.extensions["attendance"] = replace(self.app.extensions["attendance"], settings=settings)
        return Site(self.app, settings, self.sessions)

    def punch(
        self,
        employee_id: str | None,
        captured_ms: int,
        status: str = "recorded",
        direction: str = "in",
        **changes: Any,
    ) -> str:
        """A row of the log, as the recorder writes it; returns its event id."""
        event_id, punched = new_id(), status == "recorded"
        decision: dict[str, Any] = {
            "event_id": event_id,
            "kiosk": "front-door",
            "presence": "p1",
            "outcome": "accepted" if employee_id else "unknown",
            "status": status,
            "employee_id": employee_id,
            "captured_ms": captured_ms,
            "received_ms": captured_ms + 900,
            "distance": 4.5,
            "threshold": 9.25,
            "good_frames": 3,
            "model_id": MODEL,
            "liveness": "not_checked",
            "worker": "worker-1",
            **changes,
        }
        with self.sessions.begin() as session:
            if session.get(Kiosk, decision["kiosk"]) is None:
                session.add(Kiosk(name=decision["kiosk"]))
            session.add(DecisionRecord(**decision))
            session.flush()
            if punched:
                event = {name: decision[name] for name in ("event_id", "employee_id", "kiosk", "captured_ms")}
                session.add(AttendanceEvent(**event, direction=direction, time_zone="Asia/Jakarta"))
        return event_id
