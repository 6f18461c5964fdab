"""A database of each kind for the dashboard's tests: SQLite always, PostgreSQL where its programs are installed."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session

from dashboard.database import SessionFactory, engine_for, now_ms, session_factory, upgrade
from dashboard.gallery.outbox import queue_change
from dashboard.models import Base, EnrolmentPicture, Template
from dashboard.people.employees import create_employee
from dashboard.settings import DashboardSettings
from tests import postgres
from worker.protocol.entries import Decision, new_id
from worker.protocol.outcomes import Outcome

MODEL = "sface-0123456789ab"
CAPTURED_MS = 1_795_478_400_000
"""2026-11-24 07:00 in Jakarta."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of our own for the whole session."""
    if not postgres.installed():
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql); CI has it")
    with postgres.running_postgres() as url:
        yield url


def _pg_execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _pg_database(server: str) -> str:
    name = f"t{uuid.uuid4().hex[:12]}"
    _pg_execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_url: str) -> str:
    url = _pg_database(postgres_url)
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "attendance.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return _pg_database(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the current schema and no rows, of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "attendance.db"
        shutil.copy(request.getfixturevalue("_migrated_sqlite"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("_migrated_postgres")  # emptied, which is much faster than another database
    # as a replica's: the audit trail's triggers refuse it otherwise
    _pg_execute(
        url,
        f"SET session_replication_role = replica; TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY",
    )
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> DashboardSettings:
    return DashboardSettings(
        home=tmp_path, database_url=database_url, time_zone="Asia/Jakarta", presence_gap_s=60, enrol_timeout_s=5
    )


@pytest.fixture
def factory(settings: DashboardSettings) -> Iterator[SessionFactory]:
    engine = engine_for(settings.database)
    yield session_factory(engine)
    engine.dispose()


@pytest.fixture
def add_person() -> Callable[..., str]:
    """add_person(session, code, templates=1, model=MODEL) → employee id; consent given, gallery changes queued."""

    def add(session: Session, code: str, templates: int = 1, model: str = MODEL) -> str:
        employee = create_employee(session, code, f"Name of {code}", "Dock", consent_by="admin", now_ms=now_ms())
        for number in range(templates):
            vector = np.random.default_rng(number).normal(size=128).astype("<f4").tobytes()
            template = Template(model_id=model, vector=vector, created_ms=now_ms())
            session.add(
                EnrolmentPicture(
                    employee_id=employee.id,
                    sha256=f"{number:064x}",
                    jpeg=b"picture",
                    created_ms=now_ms(),
                    templates=[template],
                )
            )
        if templates:
            queue_change(session, "put", employee.id, model)
        session.flush()
        return employee.id

    return add


@pytest.fixture
def make_decision() -> Callable[..., Decision]:
    """make_decision(employee_id=…, captured_ms=…, …): an accepted decision, or an unknown one without an employee."""

    def make(employee_id: str | None = None, **changes: object) -> Decision:
        values: dict[str, object] = {
            "event_id": new_id(),
            "kiosk": "front-door",
            "presence": new_id(),
            "outcome": Outcome.ACCEPTED if employee_id else Outcome.UNKNOWN,
            "employee_id": employee_id,
            "captured_ms": CAPTURED_MS,
            "distance": 4.5,
            "threshold": 9.0,
            "good_frames": 3,
            "model_id": MODEL,
            "worker": "worker-1",
        }
        return Decision.model_validate(values | changes)

    return make
