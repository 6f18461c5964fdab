"""The names in a folder of pictures on this machine; who they say is in it is dashboard/enrolling/picture_names.py's.

Only names are read here; whether a file holds a usable picture is the dashboard's and the worker's verdict.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard.enrolling import picture_names
from dashboard.enrolling.picture_names import Entry


class BadFolder(ValueError):
    """A folder with nobody in it, or none at all; the message says what is needed."""


@dataclass
class Plan(picture_names.Plan):
    folder: Path
    """Where the pictures' paths begin."""


def read_plan(folder: Path) -> Plan:
    """People and pictures in `folder`, ordered by name; raises BadFolder when there is nobody to enrol."""
    try:
        if not folder.exists():
            raise BadFolder(f"{folder}: there is no such folder")
        if not folder.is_dir():
            raise BadFolder(f"{folder}: a folder is needed, this is a file")
        found = picture_names.plan_of(_entries(folder, os.listdir(folder)))
    except OSError as error:
        raise BadFolder(f"{folder}: can't be read ({error.strerror})") from None
    if not found.people:
        reasons = "".join(f"\n  {item.path}: {item.why}" for item in found.left_out[:10])
        raise BadFolder(f"{folder}: {picture_names.nobody()}{reasons}")
    return Plan(found.people, found.left_out, folder)


def _entries(folder: Path, names: list[str]) -> Iterator[Entry]:
    """What is in it, and in its folders; not deeper."""
    for name in names:
        path = folder / name
        if not path.is_dir():
            yield _file(path, (name,))
            continue
        try:
            inside = os.listdir(path)
        except OSError as error:
            yield Entry((name,), is_folder=True, unusable=f"can't be read ({error.strerror})")
            continue
        yield Entry((name,), is_folder=True)
        for second in inside:
            below = path / second
            yield Entry((name, second), is_folder=True) if below.is_dir() else _file(below, (name, second))


def _file(path: Path, parts: tuple[str, ...]) -> Entry:
    why = ""
    if path.is_symlink() and not path.exists():
        why = "a link that leads nowhere"
    elif not path.is_file():
        why = "not a file"
    elif not os.access(path, os.R_OK):
        why = "can't be read (permission denied)"
    return Entry(parts, unusable=why)
