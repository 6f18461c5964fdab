"""Files that wait between an import's dry run and its confirmation: in the site's folder, for an hour.

Whatever is over its hour is of no use any more, and is deleted when the next import's page is opened.
"""

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


def prune(settings: DashboardSettings) -> None:
    """Delete those whose hour is over."""
    for old in _folder(settings).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # another request deleted it
            if old.stat().st_mtime < time.time() - KEPT_S:
                old.unlink()


def keep(settings: DashboardSettings, file: FileStorage) -> str:
    """Store the upload and return the token that it is known by."""
    folder = _folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = secrets.token_hex(16)
    with os.fdopen(os.open(folder / token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        file.save(target)
    return token


def path(settings: DashboardSettings, token: str) -> Path | None:
    """Where the upload is; None when there is none (any more)."""
    prune(settings)
    where = _folder(settings) / token
    return where if TOKEN.fullmatch(token) and where.is_file() else None


def forget_all(settings: DashboardSettings) -> None:
    """Delete all, whoever uploaded them: somebody who is erased may be in any."""
    for one in _folder(settings).glob("*"):
        one.unlink(missing_ok=True)


def forget(settings: DashboardSettings, token: str) -> None:
    if TOKEN.fullmatch(token):
        (_folder(settings) / token).unlink(missing_ok=True)
