"""What SQLite keeps of rows that are gone, taken out of its files too. PostgreSQL's is its own affair (docs/privacy.md).

Whatever a connection deletes or replaces it overwrites (secure_delete, see database.py). Two places are left: the
write-ahead log, which holds pages as they were before, and gaps inside pages that were split once: of 800 people who were
erased among 4,000, six were still there. The log is emptied. Only writing the whole file anew clears gaps; it keeps other
writers waiting meanwhile, so a large database waits for somebody to say so (`attendance people wipe`).
"""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from dashboard.database import BUSY_TIMEOUT_MS, SessionFactory

log = logging.getLogger(__name__)

PATIENCE_MS = 2_000
"""A long reader, such as an export, isn't waited for."""
SMALL_BYTES = 200_000_000
"""Up to so much is written anew at once: 100 MB took 1.3 s on a core that others used too."""


def wipe(factory: SessionFactory, however_large: bool = False) -> bool:
    """Clear log and gaps; False, with the reason in the log, when something is left. In no transaction of the caller's."""
    engine: Any = factory.kw["bind"]
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()  # in a transaction both would be refused
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        small = however_large or _size(engine) <= SMALL_BYTES
        if small:
            cursor.execute("VACUUM")
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    except sqlite3.OperationalError as error:  # somebody writes for long, or the disk is full
        connection.invalidate()  # with its patience
        log.warning("the database's file may still hold what was erased (%s): `attendance people wipe`", error)
        return False
    finally:
        connection.close()
    if busy or not small:
        why = "somebody reads it" if busy else "it is large"
        log.warning("the database's file may still hold what was erased (%s): `attendance people wipe`", why)
    return small and not busy


def _size(engine: Any) -> int:
    file = engine.url.database
    return Path(file).stat().st_size if file and file != ":memory:" else 0
