"""The site's own secrets and what is running, in files that only this user can read."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from deploy.errors import Problem
from worker.protocol.sealing import new_key_pair, public_of

SECRETS, SITE_KEYS, RUNNING, LOCK = "secrets.json", "site_keys.json", "running.json", "up.lock"


class Passwords(dict[str, str]):
    """Passwords of the Redis users by name; one that isn't there yet is made when asked for."""

    def __missing__(self, user: str) -> str:
        self[user] = secrets.token_urlsafe(24)
        return self[user]


def write_private(path: Path, value: object) -> None:
    """Write JSON that only this user may read; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_passwords(home: Path, users: list[str]) -> Passwords:
    """The passwords kept in `home`, with one for each of `users`; new ones are kept. Raises Problem on a damaged file."""
    path = home / SECRETS
    try:
        kept = json.loads(path.read_text())
        if not isinstance(kept, dict) or not all(isinstance(p, str) and len(p) >= 16 for p in kept.values()):
            raise ValueError("not a list of passwords")
    except FileNotFoundError:
        kept = {}
    except (ValueError, OSError) as error:
        raise Problem(
            f"{path}: can't be used ({error}); delete it, and new passwords are made at the next start"
        ) from None
    passwords = Passwords(kept)
    for user in users:
        _ = passwords[user]
    if passwords != kept:
        write_private(path, passwords)
    return passwords


def load_site_keys(home: Path) -> tuple[str, str]:
    """The pair that kiosks seal to (public) and workers open with (private); made once. Raises Problem on a damaged file."""
    path = home / SITE_KEYS
    try:
        kept = json.loads(path.read_text())
        public, private = str(kept["public"]), str(kept["private"])
        if public_of(private) != public:
            raise ValueError("the keys are no pair")
    except FileNotFoundError:
        public, private = new_key_pair()
        write_private(path, {"public": public, "private": private})
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise Problem(
            f"{path}: can't be used ({error}); put a copy back, or delete it: then a new pair is made, and what kiosks "
            "still hold from an outage can't be opened any more"
        ) from None
    return public, private


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home's lock; raises Problem when another `attendance up` has it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise Problem(
                f"{home}: `attendance up` runs there already (process {holder}); stop it, or use another ATTENDANCE_HOME"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def running_urls(home: Path, user: str | None = None) -> dict[str, str]:
    """Live and ledger URL of the `attendance up` that runs in `home`, for other commands; else empty.

    They are the administrator's, or those of the Redis user `user`.
    """
    try:
        said = json.loads((home / RUNNING).read_text())
        said = said[user] if user else said
        return {role: str(said[role]) for role in ("live", "ledger")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
