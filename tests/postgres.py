"""A PostgreSQL of our own on a unix socket, for as long as a block runs; nothing of it stays."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _program(name: str) -> str | None:
    newest_first = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(newest_first[0]) if newest_first else shutil.which(name)


def installed() -> bool:
    return _program("initdb") is not None and _program("pg_ctl") is not None


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of its database `postgres`."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    assert initdb, "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    assert pg_ctl, "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    as_somebody: list[str] = []
    folder = Path(f"/tmp/attendance-pg-{uuid.uuid4().hex[:12]}")  # short: a socket's path has at most 107 characters
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_somebody = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "cwd": "/"}
    data = folder / "data"
    make = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    options = f"-F -c listen_addresses= -c max_connections=60 -k {folder}"
    try:
        subprocess.run([*as_somebody, *make], **quiet)  # type: ignore[call-overload]
        subprocess.run(  # type: ignore[call-overload]
            [*as_somebody, pg_ctl, "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], **quiet
        )
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            subprocess.run([*as_somebody, pg_ctl, "-D", data, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
