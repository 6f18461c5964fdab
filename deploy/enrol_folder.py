"""Who is in a folder of pictures: a folder per person (`CODE` or `CODE_Name`), or files named `code_name.jpg`.

Only names are read here; whether a file holds a usable picture is the dashboard's and the worker's verdict.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
MAX_PICTURES = 5
"""Of one person; more add nothing that the worker would use."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}")
COUNTER = re.compile(r"(?:^|[_ ])\(?\d{1,3}\)?$")
"""The number at the end of `E001_Ann_2.jpg`: another picture of the same person."""
CLUTTER = frozenset({"thumbs.db", "desktop.ini"})


class BadFolder(ValueError):
    """A folder with nobody in it, or none at all; the message says what is needed."""


@dataclass
class Person:
    code: str
    name: str
    pictures: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class LeftOut:
    """Something in the folder that is not used, and why."""

    path: Path
    why: str


@dataclass
class Plan:
    people: list[Person]
    left_out: list[LeftOut]


def read_plan(folder: Path) -> Plan:
    """People and pictures in `folder`, ordered by name; raises BadFolder when there is nobody to enrol."""
    plan = Plan([], [])
    by_code: dict[str, Person] = {}
    for path in _listed(folder):
        person = _person_named(path.name if path.is_dir() else path.stem, is_file=not path.is_dir())
        if path.is_dir():
            _add_folder(path, person, by_code, plan)
        elif (why := _unusable(path)) is not None:
            plan.left_out.append(LeftOut(path, why))
        elif person is None:
            plan.left_out.append(LeftOut(path, "its name must be code_name.jpg, for example E001_Ann_Lee.jpg"))
        else:
            _add_file(path, person, by_code, plan)
    plan.people = [person for person in by_code.values() if person.pictures]
    _keep_the_first(plan)
    if not plan.people:
        reasons = "".join(f"\n  {item.path.name}: {item.why}" for item in plan.left_out[:10])
        raise BadFolder(
            f"{folder}: nobody to enrol; it needs a folder per person (CODE or CODE_Name) "
            f"or files named code_name.jpg{reasons}"
        )
    return plan


def _listed(folder: Path) -> list[Path]:
    """The folder's entries without hidden ones and what desktops leave behind; raises BadFolder."""
    try:
        if not folder.exists():
            raise BadFolder(f"{folder}: there is no such folder")
        if not folder.is_dir():
            raise BadFolder(f"{folder}: a folder is needed, this is a file")
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise BadFolder(f"{folder}: can't be read ({error.strerror})") from None
    return [folder / name for name in names if not name.startswith(".") and name.lower() not in CLUTTER]


def _person_named(text: str, is_file: bool) -> Person | None:
    """`E001_Ann_Lee` is E001, Ann Lee; a code alone names its person too. None when the code isn't one."""
    code, _, rest = text.partition("_")
    if not CODE.fullmatch(code):
        return None
    if is_file:
        rest = COUNTER.sub("", rest)
    name = " ".join(rest.replace("_", " ").split())
    if not name.isprintable():
        return None
    return Person(code, name[:200] or code)


def _unusable(path: Path) -> str | None:
    """Why this file can't be a picture, in words, or None."""
    if path.is_symlink() and not path.exists():
        return "a link that leads nowhere"
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return "not a picture by its name; JPEG, PNG, WebP, BMP and TIFF are"
    if not path.is_file():
        return "not a file"
    if not os.access(path, os.R_OK):
        return "can't be read (permission denied)"
    return None


def _add_folder(path: Path, person: Person | None, by_code: dict[str, Person], plan: Plan) -> None:
    if person is None:
        plan.left_out.append(
            LeftOut(path, "its name must begin with a code of 1-32 letters, digits, '.' or '-', then _Name")
        )
        return
    if person.code in by_code:
        plan.left_out.append(LeftOut(path, f"code {person.code} is there already; put one person into one folder"))
        return
    try:
        entries = _listed(path)
    except BadFolder as error:
        plan.left_out.append(LeftOut(path, str(error)))
        return
    for entry in entries:
        why = "a folder inside a person's folder; put the pictures one level up" if entry.is_dir() else _unusable(entry)
        if why is None:
            person.pictures.append(entry)
        else:
            plan.left_out.append(LeftOut(entry, why))
    if not person.pictures:
        plan.left_out.append(LeftOut(path, "no picture in it"))
    by_code[person.code] = person


def _add_file(path: Path, person: Person, by_code: dict[str, Person], plan: Plan) -> None:
    known = by_code.setdefault(person.code, person)
    if known.name != person.name:
        plan.left_out.append(
            LeftOut(path, f"code {person.code} belongs to another name already; a code is one person's")
        )
        return
    known.pictures.append(path)


def _keep_the_first(plan: Plan) -> None:
    for person in plan.people:
        for extra in person.pictures[MAX_PICTURES:]:
            plan.left_out.append(LeftOut(extra, f"the first {MAX_PICTURES} pictures of a person are used"))
        del person.pictures[MAX_PICTURES:]
