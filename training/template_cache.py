"""Templates that were computed before, on disk: one SQLite file a model and crop, keyed by the picture's SHA-256."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BUSY_TIMEOUT_S = 60
"""Two evaluations may write to one file."""


class Known(NamedTuple):
    template: NDArray[np.float32]
    found: bool
    """False when no face was found and the template is of the picture's centre."""


class BadCache(ValueError):
    """A cache that can't be used; the message names the file and the way out."""


class TemplateCache:
    """`path` None keeps everything in memory. Rows are added in one transaction a call, so a killed run loses little."""

    def __init__(self, path: Path | None, size: int) -> None:
        self._path, self._size = path, size
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path or ":memory:", timeout=BUSY_TIMEOUT_S)
            with self._db:
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS templates (sha256 BLOB PRIMARY KEY, found INTEGER, template BLOB) "
                    "WITHOUT ROWID"
                )
        except (sqlite3.Error, OSError) as error:
            raise self._bad(error) from None

    def get(self, sha256: bytes) -> Known | None:
        try:
            row = self._db.execute("SELECT found, template FROM templates WHERE sha256 = ?", (sha256,)).fetchone()
        except sqlite3.Error as error:
            raise self._bad(error) from None
        if row is None or len(row[1]) != 4 * self._size:
            return None
        return Known(np.frombuffer(row[1], np.float32), bool(row[0]))

    def put(self, rows: Mapping[bytes, Known]) -> None:
        values = [(key, int(known.found), np.float32(known.template).tobytes()) for key, known in rows.items()]
        try:
            with self._db:
                self._db.executemany("INSERT OR REPLACE INTO templates VALUES (?, ?, ?)", values)
        except sqlite3.Error as error:
            raise self._bad(error) from None

    def close(self) -> None:
        self._db.close()

    def _bad(self, error: Exception) -> BadCache:
        return BadCache(f"{self._path}: {error}; delete the file, or choose another folder with --cache")
