"""The pictures of a run: who is trained on, who is measured on, and that nobody is both."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.dataset import BadData, FaceFolder, check_disjoint, split_identities
from training.pictures import open_faces
from training.prepare_journal import NAME as JOURNAL
from training.recipe import Recipe


@dataclass(frozen=True)
class RunData:
    train: FaceFolder
    valid: FaceFolder
    valid_is_held_out: bool
    """Identities of the same data; False for --valid's own."""

    def described(self) -> dict[str, Any]:
        """For data.json: enough for the report, and to see at a resume that the pictures are still the same."""
        parts = {"train": self.train, "valid": self.valid}
        return {"valid_is_held_out": self.valid_is_held_out} | {
            name: {
                "root": str(part.root),
                "pictures": len(part),
                "identities": len(part.identities),
                "fingerprint": hashlib.sha256("\n".join(part.files).encode()).hexdigest(),
            }
            for name, part in parts.items()
        }


def gather(recipe: Recipe, data: Path, valid: Path | None, known: dict[str, Any] | None = None) -> RunData:
    """Open the data, hold identities out where no `valid` is given, and check that the parts share nobody; raises BadData.

    `known` is what an earlier start of the run described: with the same files the check, which reads every picture, isn't
    repeated; with others the run is refused.
    """
    for folder in [data, *([valid] if valid else [])]:
        _check_crop(folder, recipe.data.crop)
    whole = people_of(recipe, data)
    if valid is not None:
        found = RunData(whole, open_faces(valid), False)
    elif recipe.data.held_out_share:
        found = RunData(*split_identities(whole, recipe.data.held_out_share, recipe.seed), True)
    else:
        raise BadData("no pictures to validate on: give --valid DIR, or --set data.held_out_share=0.1")
    described = found.described()
    if known is None:
        check_disjoint({"training": found.train, "validation": found.valid})
    elif _without_places(known) != _without_places(described):
        before, now = _without_places(known), _without_places(described)
        parts = [part for part in ("train", "valid") if before.get(part) != now[part]]
        raise BadData(
            f"the pictures of {' and '.join(parts) or 'the run'} aren't those that it began with "
            f"({_counts(known)} then, {_counts(described)} now); give the same folders, or begin a new run with another --out"
        )
    return found


def _without_places(described: dict[str, Any]) -> dict[str, Any]:
    """The same files may lie in another place by now."""
    return {name: {**part, "root": None} if isinstance(part, dict) else part for name, part in described.items()}


def _counts(described: dict[str, Any]) -> str:
    return " + ".join(str(described.get(part, {}).get("pictures", "?")) for part in ("train", "valid"))


def people_of(recipe: Recipe, data: Path) -> FaceFolder:
    """The faces in `data`; where the recipe wants only so many people, those that its seed draws. Raises BadData."""
    folder, people = open_faces(data), recipe.data.people
    if people is None:
        return folder
    if people > len(folder.identities):
        raise BadData(f"{folder.root}: data.people is {people}, but there are {len(folder.identities)} people")
    drawn = np.random.default_rng(recipe.seed).permutation(len(folder.identities))[:people]
    return folder.part(np.flatnonzero(np.isin(folder.labels, drawn)))


def prepared_crop(folder: Path) -> str | None:
    """How `prepare` cut the faces, where it left word of it."""
    try:
        head = json.loads((folder / JOURNAL).open(encoding="utf-8").readline())
        return str(head["rule"]["crop"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_crop(folder: Path, crop: str) -> None:
    """What a prepared folder says must be what the recipe says: the bundle will say it to the door."""
    cut = prepared_crop(folder)
    if cut is not None and cut != crop:
        raise BadData(
            f"{folder}: prepared with --crop {cut}, but the recipe says data.crop={crop}; set it, or prepare anew"
        )
