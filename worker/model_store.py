"""The models that a worker holds: its own setting's, SFace, and bundles under `ATTENDANCE_HOME/models/<model id>/`.

A bundle gets there whole and checked, in one rename; several workers of a machine share the folder.
"""

import contextlib
import os
import re
import shutil
import threading
import time
from pathlib import Path

from worker.named_models import info_of
from worker.protocol.bundle import INFO, MODEL_ID, BadBundle, ModelInfo, verify

DRAFT = ".taking-"
DRAFT_FORGOTTEN_S = 3_600
"""A draft untouched for so long was left by a worker that was killed."""


class ModelStore:
    """`own` are models that need no folder here: their id and what ATTENDANCE_MODEL would say."""

    def __init__(self, folder: Path, own: dict[str, str]) -> None:
        self.folder, self._own = folder, own
        self._bad: dict[str, tuple[int, int]] = {}
        """Bundles that could not be loaded, until other files take their place."""
        self._said: dict[str, tuple[tuple[int, int] | None, ModelInfo | None]] = {}
        """What was read of each, as long as its file stays the same."""
        self._lock = threading.Lock()

    def held(self) -> list[str]:
        """Ids of all models that could be loaded here. Cheap: nothing is read but the folder's names."""
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        found = {name for name in names if re.fullmatch(MODEL_ID, name) and self._is_good(name)}
        return sorted(found | set(self._own))

    def where(self, model_id: str) -> str | None:
        """What ATTENDANCE_MODEL would say for it; None when it isn't held."""
        if model_id in self._own:
            return self._own[model_id]
        good = re.fullmatch(MODEL_ID, model_id) and self._is_good(model_id)
        return str(self.folder / model_id) if good else None

    def info(self, model_id: str) -> ModelInfo | None:
        """What a held model's bundle says of itself; None where it can't be read."""
        where = self.where(model_id)
        if where is None:
            return None
        mark = self._mark(model_id)
        with self._lock:
            known = self._said.get(model_id)
        if known is not None and known[0] == mark:
            return known[1]
        try:
            read = info_of(where)
        except (BadBundle, ImportError):
            read = None
        found = read if read is not None and read.id == model_id else None
        with self._lock:
            self._said[model_id] = (mark, found)
        return found

    def reject(self, model_id: str) -> None:
        """It can't be loaded: not held any more, until it is put here anew."""
        mark = self._mark(model_id)
        if mark is not None and model_id not in self._own:
            with self._lock:
                self._bad[model_id] = mark

    def _is_good(self, model_id: str) -> bool:
        mark = self._mark(model_id)
        with self._lock:
            return mark is not None and self._bad.get(model_id) != mark

    def _mark(self, model_id: str) -> tuple[int, int] | None:
        try:
            stat = (self.folder / model_id / INFO).stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    # --- taking a new one --------------------------------------------------------------------------------------------

    def draft(self, name: str) -> Path:
        """A fresh folder for files on their way; `put` or `discard` ends it. Drafts of killed workers are removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"{DRAFT}*"):
            with contextlib.suppress(OSError):
                if left.name == f"{DRAFT}{name}" or time.time() - left.stat().st_mtime > DRAFT_FORGOTTEN_S:
                    shutil.rmtree(left)
        made = self.folder / f"{DRAFT}{name}"
        made.mkdir()
        return made

    def put(self, draft: Path, model_id: str) -> None:
        """Check the draft as a bundle of that id and move it into place. Raises BadBundle, and OSError of the disk."""
        info = verify(draft)
        if info.id != model_id:
            raise BadBundle(f"model.json: it is {info.id}, {model_id} was announced")
        _sync(draft)
        place = self.folder / model_id
        if self.where(model_id) is not None:
            self.discard(draft)  # another worker of this machine was first
            return
        if place.exists():
            old = draft.with_name(f"{draft.name}-old")
            os.replace(place, old)
            shutil.rmtree(old, ignore_errors=True)
        try:
            os.replace(draft, place)
        except OSError:
            if self.where(model_id) is None:
                raise
            self.discard(draft)
        _sync(self.folder)

    def discard(self, draft: Path) -> None:
        shutil.rmtree(draft, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
