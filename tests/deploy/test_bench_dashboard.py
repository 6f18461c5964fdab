"""The dashboard's benchmark: what it fills a database with. What it measures is measured elsewhere, never timed in a test."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dashboard.database import engine_for, reading, session_factory, upgrade
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, EnrolmentPicture
from dashboard.settings import DashboardSettings
from deploy.bench.dashboard_data import LAST_DAY, ZONE, Size, fill, whole
from deploy.bench.dashboard_pages import exports, month, pages
from deploy.bench.dashboard_plans import plans
from tests import postgres


def filled(url: str, seed: int) -> tuple[int, int, list[tuple[str, int]]]:
    upgrade(url)
    engine = engine_for(url)
    fill(engine, Size(people=120, events=3_000, seed=seed))
    assert whole(engine)
    with reading(session_factory(engine)) as session:
        punches = session.execute(select(AttendanceEvent.employee_id, AttendanceEvent.captured_ms)).all()
        statuses = Counter(session.scalars(select(DecisionRecord.status)))
        assert statuses["recorded"] == len(punches)
        assert statuses["duplicate"] > statuses["not_a_punch"] > statuses["inactive"] >= 0
        weekdays = Counter(datetime.fromtimestamp(row.captured_ms / 1000, ZONE).weekday() for row in punches)
        assert weekdays[1] > 3 * weekdays[6], "fewer people come on Sundays"
        departments = Counter(session.scalars(select(Employee.department)))
        assert max(departments.values()) > 3 * min(departments.values())
        pictures = session.scalar(select(func.count()).select_from(EnrolmentPicture)) or 0
        assert 100 <= pictures < 120
        assert {"log", "people", "a person"} <= set(pages(session))
        assert len(exports(session)) == 4
        assert month(session)[1].month in (LAST_DAY.month - 1, LAST_DAY.month)
        found = (len(punches), pictures, sorted((row.employee_id, row.captured_ms) for row in punches))
    engine.dispose()
    return found


def test_the_same_seed_makes_the_same_year(tmp_path: Path) -> None:
    first = filled(f"sqlite:///{tmp_path / 'a.db'}", seed=1)
    assert first[0] == 3_000
    assert filled(f"sqlite:///{tmp_path / 'b.db'}", seed=2)[2] != first[2]
    if not postgres.installed():
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql); CI has it")
    with postgres.running_postgres() as url:
        assert filled(url, seed=1) == first
        found = plans(
            DashboardSettings(home=tmp_path, database_url=url, redis_url="redis://127.0.0.1:1"), {"log": "/login"}
        )
    assert set(found) == {"log"}
