"""Engine, migrations and settings of the database, on SQLite and PostgreSQL."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from dashboard.database import (
    BadDatabase,
    SessionFactory,
    downgrade,
    engine_for,
    reading,
    require_current,
    upgrade,
)
from dashboard.models import Base, Kiosk


def test_migrations_go_up_and_down(empty_url: str) -> None:
    engine = engine_for(empty_url)
    with pytest.raises(BadDatabase, match="schema is empty"):
        require_current(engine)
    upgrade(empty_url)
    require_current(engine)
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    downgrade(empty_url, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(empty_url)
    require_current(engine)
    engine.dispose()


def test_changes_that_were_not_published_yet_outlive_the_upgrade(empty_url: str) -> None:
    upgrade(empty_url, "0001")
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        row = "INSERT INTO gallery_outbox (op, employee_id, model_id, created_ms, version, published_ms) VALUES"
        connection.execute(text(f"{row} ('put', 'e1', 'm', 1, 1, 1), ('put', 'e2', 'm', 1, NULL, NULL)"))
    upgrade(empty_url)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT employee_id FROM gallery_outbox")).scalars().all() == ["e2"]
    engine.dispose()


def test_people_get_their_search_keys_and_keep_their_pictures(empty_url: str) -> None:
    upgrade(empty_url, "0006")
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO employees (id, code, name, department, created_ms) VALUES "
                "('a', 'E-1', 'José Muñoz', 'Gudang', 1), ('b', 'E-2', 'Ärmin', '', 2)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO enrolment_pictures (id, employee_id, sha256, jpeg, created_ms, created_by) "
                "VALUES ('p', 'a', 's', :jpeg, 3, 'hr')"
            ),
            {"jpeg": b"x"},
        )

    def up(url: str) -> None:
        upgrade(url, "0007")

    keys = "SELECT name_key, search_text FROM employees ORDER BY code"
    for step in (up, lambda url: downgrade(url, "0006"), up):
        step(empty_url)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM enrolment_pictures")).scalar() == 1
            assert connection.execute(text("SELECT count(*) FROM employees")).scalar() == 2
            if step is up:
                found = [tuple(row) for row in connection.execute(text(keys))]
                assert found == [("jose munoz", "e-1 jose munoz gudang"), ("armin", "e-2 armin")]
    engine.dispose()


def test_processes_that_upgrade_together_wait_for_each_other(empty_url: str) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        try:
            upgrade(empty_url)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    engine = engine_for(empty_url)
    require_current(engine)
    engine.dispose()


def test_a_newer_schema_asks_for_an_update(empty_url: str) -> None:
    upgrade(empty_url)
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadDatabase, match=r"9999.*update the product"):
        require_current(engine)
    engine.dispose()


def test_sqlite_keeps_what_it_committed_and_its_references(tmp_path) -> None:
    engine = engine_for(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 15_000}
    assert pragmas == wanted
    engine.dispose()


def test_postgres_is_told_that_its_disks_have_no_arm(factory: SessionFactory) -> None:
    with reading(factory) as session:
        if session.get_bind().dialect.name == "postgresql":
            assert session.scalar(text("SHOW random_page_cost")) == "1.1"


def test_reading_goes_on_while_somebody_writes(factory: SessionFactory) -> None:
    with factory.begin() as writer:
        writer.add(Kiosk(name="front-door"))
        writer.flush()
        with reading(factory) as session:
            assert session.get(Kiosk, "front-door") is None
    with reading(factory) as session:
        assert session.get(Kiosk, "front-door") is not None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/db", "use sqlite"),
        ("not a url", "not readable"),
        ("", "not readable"),
        ("oracle://x", "use sqlite"),
    ],
)
def test_a_bad_url_says_what_to_use(url: str, said: str) -> None:
    with pytest.raises(BadDatabase, match=said):
        engine_for(url)


def test_errors_of_the_database_do_not_carry_names(factory: SessionFactory) -> None:
    with pytest.raises(Exception, match=r"UNIQUE|unique|duplicate") as caught, factory.begin() as session:
        session.execute(
            Kiosk.__table__.insert(), [{"name": "a", "label": "Secret Name"}, {"name": "a", "label": "Secret Name"}]
        )
    assert "Secret" not in str(caught.value)


def test_users_of_before_the_roles_keep_all_rights_there_and_back(empty_url: str) -> None:
    upgrade(empty_url, "0005")
    engine = engine_for(empty_url)
    user = "INSERT INTO users (name, password_hash, must_change_password, created_ms) VALUES ('old', 'x', false, 1)"
    with engine.begin() as connection:
        connection.execute(text(user))
    upgrade(empty_url)
    with engine.begin() as connection:
        roles = connection.execute(text("SELECT role FROM user_roles ORDER BY role")).scalars().all()
        assert roles == ["hr", "operator"]
        connection.execute(text("UPDATE users SET employee_id = 'e1', disabled_ms = 1"))
        connection.execute(
            text(
                "INSERT INTO audit_log (id, at_ms, via, key_id, roles, address, action, subject_type, subject_id, subject_code,"
                " details, previous, hash) VALUES (1, 1, 'command', '', '', '', 'login', 'site', '', '', '{}', '0', '1')"
            )
        )
    downgrade(empty_url, "0005")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT name, password_hash FROM users")).all() == [("old", "x")]
    upgrade(empty_url)
    require_current(engine)
    engine.dispose()


def test_the_apis_tables_come_and_go_around_rows(empty_url: str) -> None:
    upgrade(empty_url, "0008")
    engine = engine_for(empty_url)
    names = (
        "event_id, kiosk, presence, outcome, status, captured_ms, received_ms, good_frames, model_id, liveness, late"
    )
    values = "'e1', 'front', 'p', 'unknown', 'not_a_punch', 1, 2, 3, 'm', 'not_checked', false"
    with engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO decisions ({names}, time_uncertain, worker) VALUES ({values}, false, 'w')")
        )
    upgrade(empty_url)
    with engine.begin() as connection:
        key = "'k1', 'payroll', 'x', 'events:read', 1, 'admin'"
        connection.execute(
            text(f"INSERT INTO api_keys (id, name, secret_sha256, scopes, created_ms, created_by) VALUES ({key})")
        )
        connection.execute(
            text(
                "INSERT INTO connectors (name, connected_ms, next_try_ms, failures, trouble) VALUES ('frappe', 1, 0, 0, '')"
            )
        )
        push = "'frappe', 'e1', 'done', '', 1"
        connection.execute(
            text(f"INSERT INTO connector_pushes (connector, event_id, state, words, changed_ms) VALUES ({push})")
        )
    downgrade(empty_url, "0008")
    assert "api_keys" not in inspect(engine).get_table_names()
    upgrade(empty_url)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT event_id, received_ms FROM decisions")).all() == [("e1", 2)]
        assert connection.execute(text("SELECT count(*) FROM connector_pushes")).scalar() == 0
    engine.dispose()
