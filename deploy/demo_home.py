"""The demo's throw-away home: pictures and records of people don't outlive the run, and runs never meet."""

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.demo_scene import ENROLLED, ENROLLED_CODE, portrait_jpeg
from deploy.errors import Problem
from deploy.secret_store import LOCK, only_one
from worker.protocol.connection import Client

PREFIX = "attendance-demo-"


@dataclass
class Home:
    path: Path
    keep: bool = False


@contextlib.contextmanager
def fresh(kept: Path | None) -> Iterator[Home]:
    """A new home, deleted at the end unless `kept` names the folder or somebody set `keep`. Raises Problem."""
    if kept is not None:
        if kept.exists() and (not kept.is_dir() or any(kept.iterdir())):
            raise Problem(f"--keep {kept}: this must be a new or an empty folder")
        kept.mkdir(parents=True, exist_ok=True)
    home = Home(kept or Path(tempfile.mkdtemp(prefix=PREFIX)), keep=kept is not None)
    try:
        with only_one(home.path):
            yield home
            if home.keep and kept is None:
                (home.path / LOCK).unlink()  # without it remove_abandoned leaves the folder alone
    finally:
        if not home.keep:
            shutil.rmtree(home.path, ignore_errors=True)


def remove_abandoned() -> None:
    """Delete the homes of earlier runs that were killed: those with a lock that nobody holds."""
    for lock_path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError), lock_path.open("a") as lock:
            if lock_path.stat().st_uid != os.getuid():
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_path.parent, ignore_errors=True)


def new_shard() -> str:
    """A shard of its own, so that a Redis which others use too can serve the demo."""
    return f"demo-{secrets.token_hex(4)}"


def delete_keys(clients: list[Client], shard: str) -> None:
    """Take everything of the demo's shard out of a Redis that isn't ours."""
    for client in clients:
        for key in list(client.scan_iter(match=f"*{{{shard}}}*", count=500)):
            client.delete(key)


def write_demo_people(folder: Path) -> Path:
    """The demo's one enrolled person, as `--enroll` would have it."""
    person = folder / f"{ENROLLED_CODE}_{ENROLLED.replace(' ', '_')}"
    person.mkdir(parents=True)
    (person / "portrait.jpg").write_bytes(portrait_jpeg(ENROLLED))
    return folder
