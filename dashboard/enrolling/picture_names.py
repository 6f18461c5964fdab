"""Who is in a folder of pictures, by names alone: a folder per person (`CODE` or `CODE_Name`), or files named `code_name.jpg`.

Nothing is opened here: the command gives the names that it finds on a disk (deploy/enrol_folder.py), the page those that a
browser sees. Whether a file holds a usable picture is the worker's verdict.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from flask_babel import gettext as _

from dashboard.people.employees import MAX_NAME

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PICTURES = 5
"""Of one person; more add nothing that the worker would use."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}")
COUNTER = re.compile(r"(?:^|[_ ])\(?\d{1,3}\)?$")
"""The number at the end of `E001_Ann_2.jpg`: another picture of the same person."""
CLUTTER = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, order=True)
class Entry:
    """Something below the folder, by the parts of its path."""

    parts: tuple[str, ...]
    is_folder: bool = False
    """True for folders that are listed themselves; those that are only in a file's path needn't be."""
    unusable: str = ""
    """Why it can't be read, in words, where that is known."""

    @property
    def path(self) -> str:
        return "/".join(self.parts)


@dataclass
class Person:
    code: str
    name: str
    pictures: list[str] = field(default_factory=list)
    """Paths below the folder."""


@dataclass(frozen=True)
class LeftOut:
    """Something in the folder that is not used, and why."""

    path: str
    why: str


@dataclass
class Plan:
    people: list[Person]
    left_out: list[LeftOut]


def plan_of(entries: Iterable[Entry]) -> Plan:
    """People with their pictures, ordered by name; hidden files and what desktops leave behind are passed over."""
    plan = Plan([], [])
    by_code: dict[str, Person] = {}
    seen = sorted(one for one in set(entries) if one.parts and not any(map(_is_clutter, one.parts)))
    for name, group in groupby(seen, key=lambda one: one.parts[0]):
        inside = list(group)
        files = [one for one in inside if len(one.parts) == 1 and not one.is_folder]
        for one in files:
            _add_file(one, by_code, plan)
        if len(files) < len(inside):
            _add_folder(name, [one for one in inside if one not in files], by_code, plan)
    plan.people = [person for person in by_code.values() if person.pictures]
    _keep_the_first(plan)
    return plan


def nobody() -> str:
    """What is needed, where a folder has nobody to enrol."""
    return _("nobody to enrol; it needs a folder per person (CODE or CODE_Name) or files named code_name.jpg")


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in CLUTTER


def person_named(text: str, is_file: bool) -> Person | None:
    """`E001_Ann_Lee` is E001, Ann Lee; a code alone names its person too. None when the code isn't one."""
    code, _underscore, rest = text.partition("_")
    if not CODE.fullmatch(code):
        return None
    if is_file:
        rest = COUNTER.sub("", rest)
    name = " ".join(rest.replace("_", " ").split())
    if not name.isprintable():
        return None
    return Person(code, name[:MAX_NAME] or code)


def _unusable(entry: Entry) -> str:
    """Why this can't be a picture, in words, or nothing."""
    if entry.unusable:
        return entry.unusable
    if not entry.parts[-1].lower().endswith(PICTURE_SUFFIXES):
        return _("not a picture by its name; JPEG, PNG and WebP are")
    return ""


def _add_folder(name: str, inside: Sequence[Entry], by_code: dict[str, Person], plan: Plan) -> None:
    person, broken = person_named(name, is_file=False), next((one for one in inside if len(one.parts) == 1), None)
    if person is None:
        why = _("its name must begin with a code of 1-32 letters, digits, '.' or '-', then _Name")
    elif (known := by_code.get(person.code.casefold())) is not None:
        why = _other_spelling(person, known) or _(
            "code %(code)s is there already; put one person into one folder", code=person.code
        )
    else:
        why = broken.unusable if broken else ""
    if person is None or why:
        plan.left_out.append(LeftOut(name, why))
        return
    for second, group in groupby((one for one in inside if len(one.parts) > 1), key=lambda one: one.parts[1]):
        _add_inside(f"{name}/{second}", list(group), person, plan)
    if not person.pictures:
        plan.left_out.append(LeftOut(name, _("no picture in it")))
    by_code[person.code.casefold()] = person


def _add_inside(path: str, entries: Sequence[Entry], person: Person, plan: Plan) -> None:
    """What is under one name in a person's folder: a picture, or another folder with all that is in it."""
    if any(one.is_folder or len(one.parts) > 2 for one in entries):
        why = _("a folder inside a person's folder; put the pictures one level up")
    else:
        why = _unusable(entries[0])
    if why:
        plan.left_out.append(LeftOut(path, why))
    else:
        person.pictures.append(path)


def _add_file(entry: Entry, by_code: dict[str, Person], plan: Plan) -> None:
    person = person_named(entry.path.rpartition(".")[0], is_file=True)
    why = _unusable(entry)
    if not why and person is None:
        why = _("its name must be code_name.jpg, for example E001_Ann_Lee.jpg")
    if person is None or why:
        plan.left_out.append(LeftOut(entry.path, why))
        return
    known = by_code.setdefault(person.code.casefold(), person)
    why = _other_spelling(person, known)
    if not why and known.name != person.name:
        why = _("code %(code)s belongs to another name already; a code is one person's", code=person.code)
    if why:
        plan.left_out.append(LeftOut(entry.path, why))
    else:
        known.pictures.append(entry.path)


def _other_spelling(person: Person, known: Person) -> str:
    if person.code == known.code:
        return ""
    return _(
        "code %(code)s is there already as %(other)s; write a code the same way everywhere",
        code=person.code,
        other=known.code,
    )


def _keep_the_first(plan: Plan) -> None:
    for person in plan.people:
        why = _("the first %(most)s pictures of a person are used", most=MAX_PICTURES)
        plan.left_out += [LeftOut(extra, why) for extra in person.pictures[MAX_PICTURES:]]
        del person.pictures[MAX_PICTURES:]
