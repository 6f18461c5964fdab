"""Files that wait between an import's dry run and its confirmation: in the site's folder, for an hour, for this process alone."""

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

from werkzeug.datastructures import FileStorage

from dashboard.settings import DashboardSettings

KEPT_S = 3_600
TOKEN = re.compile(r"[0-9a-f]{32}")


def _folder(settings: DashboardSettings) -> Path:
    return settings.home / "imports"


def keep(settings: DashboardSettings, file: FileStorage) -> str:
    """Store the upload and return the token that it is known by. Deletes those whose hour is over."""
    folder = _folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if old.stat().st_mtime < time.time() - KEPT_S:
                old.unlink()
    token = secrets.token_hex(16)
    with os.fdopen(os.open(folder / token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        file.save(target)
    return token


def path(settings: DashboardSettings, token: str) -> Path | None:
    """Where the upload is; None when there is none (any more)."""
    where = _folder(settings) / token
    if not TOKEN.fullmatch(token) or not where.is_file() or where.stat().st_mtime < time.time() - KEPT_S:
        return None
    return where


def forget(settings: DashboardSettings, token: str) -> None:
    if TOKEN.fullmatch(token):
        (_folder(settings) / token).unlink(missing_ok=True)
