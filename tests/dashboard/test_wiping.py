"""What SQLite's files keep of deleted rows is gone after wiping, also where others read or the database is large."""

from pathlib import Path

import pytest
from sqlalchemy import text

from dashboard import wiping
from dashboard.database import SessionFactory, engine_for, reading, session_factory

NEEDLE = "Wilhelmina"


@pytest.fixture
def factory(tmp_path: Path) -> SessionFactory:
    """A database with a row that was deleted the old way, so that its page holds it still."""
    engine = engine_for(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (name TEXT)"))
        connection.execute(text("INSERT INTO people VALUES (:name), ('Grace')"), {"name": NEEDLE})
    with engine.connect() as connection:
        connection.execute(text("PRAGMA secure_delete=OFF"))
        connection.execute(text("DELETE FROM people WHERE name <> 'Grace'"))
        connection.execute(text("PRAGMA secure_delete=ON"))
        connection.commit()
    return session_factory(engine)


def is_left(folder: Path) -> bool:
    return any(NEEDLE.encode() in path.read_bytes() for path in folder.glob("a.db*"))


def test_log_and_gaps_are_cleared(factory: SessionFactory, tmp_path: Path) -> None:
    assert is_left(tmp_path)
    assert wiping.wipe(factory)
    assert not is_left(tmp_path)
    with reading(factory) as session:
        assert session.execute(text("SELECT name FROM people")).scalars().all() == ["Grace"]
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == 15_000


def test_a_large_one_waits_for_the_command(
    factory: SessionFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wiping, "SMALL_BYTES", 0)
    assert not wiping.wipe(factory)
    assert "it is large" in caplog.text
    assert wiping.wipe(factory, however_large=True)
    assert not is_left(tmp_path)


@pytest.mark.parametrize("writes", [False, True])
def test_who_is_at_work_is_not_waited_for_long(
    factory: SessionFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, writes: bool
) -> None:
    monkeypatch.setattr(wiping, "PATIENCE_MS", 50)
    with factory.begin() if writes else reading(factory) as session:
        session.execute(text("INSERT INTO people VALUES ('Eileen')" if writes else "SELECT name FROM people")).close()
        assert not wiping.wipe(factory)
    assert ("locked" if writes else "somebody reads it") in caplog.text
    assert wiping.wipe(factory)
    with reading(factory) as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == 15_000
