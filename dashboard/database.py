"""The database: engine, sessions and migrations, for SQLite and PostgreSQL alike.

On SQLite every transaction begins as a writer's (BEGIN IMMEDIATE): two recorders then wait for each other instead of
failing halfway, when a reader would have to become a writer. WAL keeps short readers and the writer apart enough.
"""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 15_000
UPGRADE_LOCK = 0x41_54_54_44
"""PostgreSQL's advisory lock that one upgrading process holds ("ATTD")."""

SessionFactory = sessionmaker[Session]


class BadDatabase(RuntimeError):
    """A database that can't be used as it is; the message says what to do."""


def now_ms() -> int:
    """This machine's wall clock in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def engine_for(url: str) -> Engine:
    """An engine that keeps what it committed and notices a restarted server; raises BadDatabase on a URL it can't use."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise BadDatabase(f"database {parsed.get_backend_name()!r}: use sqlite:///… or postgresql+psycopg://…")
        if parsed.get_backend_name() == "postgresql":
            engine = create_engine(
                parsed, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": 5}
            )
            event.listen(engine, "connect", _prepare_postgres)
            return engine
        engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    except ArgumentError as error:
        raise BadDatabase(
            "database URL: not readable; use sqlite:////path/file.db or postgresql+psycopg://…"
        ) from error
    except ModuleNotFoundError as error:
        raise BadDatabase(f"{error.name} is not installed: `pip install 'attendance-kiosk[postgres]'`") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_postgres(connection: Any, _record: Any) -> None:
    """The planner's default counts with disks that must move an arm: it would read a whole month for a department's people."""
    with connection.cursor() as cursor:
        cursor.execute("SET random_page_cost = 1.1")
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; see _begin_immediate
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is deleted or replaced is overwritten, so that an erased person is in no free page
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def session_factory(engine: Engine) -> SessionFactory:
    """Sessions whose objects stay readable after the commit. Use `with factory.begin() as session:` to write."""
    return sessionmaker(engine, expire_on_commit=False)


@contextlib.contextmanager
def reading(factory: SessionFactory) -> Iterator[Session]:
    """A session that only reads: on SQLite it doesn't queue behind writers, nor hold them up."""
    with factory() as session:
        session.connection(execution_options={"read_only": True})
        yield session  # closing ends the transaction and leaves what was read usable; a rollback would expire it


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextlib.contextmanager
def _one_upgrade_at_a_time(engine: Engine) -> Iterator[None]:
    file = engine.url.database
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": UPGRADE_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": UPGRADE_LOCK})
    elif file and file != ":memory:":
        with Path(f"{file}.upgrade-lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    else:
        yield


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema to `revision`; processes that start together wait for each other."""
    _migrate(url, command.upgrade, revision)


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to `revision` (`base` drops everything)."""
    _migrate(url, command.downgrade, revision)


def _migrate(url: str, step: Any, revision: str) -> None:
    engine = engine_for(url)
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        with _one_upgrade_at_a_time(engine), engine.connect() as connection:
            step(_config(connection), revision)
            connection.commit()
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """Raise BadDatabase, saying what to run, unless the schema is the one this version was written for."""
    with engine.connect() as connection:
        have = MigrationContext.configure(connection).get_current_revision()
        want = ScriptDirectory.from_config(_config(connection)).get_current_head()
        if have != want:
            known = {step.revision for step in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
            way_out = (
                "update the product" if have and have not in known else "run `attendance up` or database.upgrade()"
            )
            raise BadDatabase(f"the database's schema is {have or 'empty'}, this version needs {want}: {way_out}")


def count(session: Session, query: Any) -> int:
    """How many rows `query` has."""
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
