"""Checkpoints: all that a run needs to go on as if it had never stopped, written so that an older one is never lost.

What is drawn at random follows from (seed, process, step), so no generator's state needs to be kept.
"""

import contextlib
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

FORMAT = 1
NEEDED = {"format", "version", "recipe", "network", "optimizer", "loss", "position", "epoch_so_far", "best"}


class BadCheckpoint(ValueError):
    """A checkpoint that can't be used; the message names file, what is wrong, and the way out."""


class NotSaved(OSError):
    """A checkpoint that couldn't be written; the one before is as it was."""


def product_version() -> str:
    try:
        return version("attendance-kiosk")
    except PackageNotFoundError:
        return "unknown"


def save(path: Path, body: dict[str, Any]) -> None:
    """Write beside, flush to disk, then rename: `path` holds the old checkpoint or the new one, whole. Raises NotSaved."""
    missing = NEEDED - set(body) - {"format", "version"}
    assert not missing, missing
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as file:
            torch.save({"format": FORMAT, "version": product_version(), **body}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except (OSError, RuntimeError) as error:  # torch's writer may turn a full disk into a RuntimeError
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        before = "the checkpoint before it is whole" if path.exists() else "there is none before it"
        raise NotSaved(
            f"{path} couldn't be written ({reason}); {before}; free some space, then add --resume last"
        ) from None


def load(path: Path) -> dict[str, Any]:
    """A checkpoint's tables, on the CPU; raises BadCheckpoint. Nothing in the file can run code."""
    if not path.is_file():
        raise BadCheckpoint(f"{path}: there is no such checkpoint; start the run without --resume")
    try:
        body = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged or hostile file torch's reader raises whatever it trips over
        raise BadCheckpoint(
            f"{path}: can't be read ({' '.join(str(error).split())[:120]}); take the other of best and last"
        ) from None
    if not isinstance(body, dict) or not set(body) >= NEEDED:
        raise BadCheckpoint(f"{path}: no checkpoint of this command; a file of weights goes to --init")
    if body["format"] != FORMAT:
        raise BadCheckpoint(
            f"{path}: format {body['format']}, this version reads {FORMAT}; resume with the version {body['version']}"
        )
    return body


def check_network(path: Path, kept: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise BadCheckpoint if the two network sections of recipes don't give the same network (where from doesn't matter)."""
    differ = {
        key: (kept.get(key), wanted.get(key)) for key in wanted if key != "init" and kept.get(key) != wanted.get(key)
    }
    if differ:
        words = "; ".join(f"{key} is {old} there and {new} in the recipe" for key, (old, new) in differ.items())
        raise BadCheckpoint(
            f"{path} is of another network: {words}. Resume with its own values, or start anew with another --out"
        )


def keep_as(source: Path, target: Path) -> None:
    """`target` becomes another name of `source`, or a copy where the file system has no links. Raises NotSaved."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    try:
        os.link(source, draft)
    except OSError:
        try:
            shutil.copyfile(source, draft)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise NotSaved(f"{target} couldn't be written ({error.strerror}); last.pt holds the same") from None
    os.replace(draft, target)
