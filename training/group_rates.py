"""False matches between strangers of the same group: colleagues look more alike than people drawn from everywhere.

A group is a folder below the data, and its pictures lie in folders by person, or right in the group's folder, where each is
then another stranger. Only pairs within a group count; the worst group is the one that a threshold must be set for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.all_pairs import AllPairs, all_pairs, matches_by_owner
from training.dataset import BadData, read_folder
from training.rates import false_match_row, far_name, operating_point, point_row, tar_table
from training.verification import MIN_ERRORS, allowed_errors

FMRS = (1e-2, 1e-3, 1e-4, 1e-5)


@dataclass(frozen=True)
class Group:
    name: str
    files: list[Path]
    people: NDArray[np.int64]
    """(files,) whose picture each is."""


@dataclass(frozen=True)
class JudgedGroup:
    name: str
    pairs: AllPairs
    row: dict[str, Any]


def read_groups(data: Path) -> list[Group]:
    """The folders below `data` that hold strangers; raises BadData when there is none, or one with a single person."""
    folder = read_folder(data)
    groups = []
    for number, name in enumerate(folder.identities):
        files = [folder.files[i] for i in np.flatnonzero(folder.labels == number)]
        owners = [file if file.count("/") == 1 else file.split("/")[1] for file in files]
        _, people = np.unique(owners, return_inverse=True)
        if people.max() == 0:
            raise BadData(
                f"{data / name}: one person only, but a group needs strangers; put GROUP/PERSON/picture or GROUP/picture "
                "below the folder given with --data"
            )
        groups.append(Group(name, [data / file for file in files], people.astype(np.int64)))
    return groups


def judge_group(
    group: Group, templates: NDArray[np.float32], alpha: float, thresholds: dict[str, float], seed: int
) -> JudgedGroup:
    """A group's false match rates at the given thresholds, and its thresholds at FMRS; None where too few errors exist."""
    pairs = all_pairs(templates, group.people, alpha=alpha, loosest_far=max(FMRS))
    scored = pairs.scored
    held = [fmr for fmr in FMRS if allowed_errors(fmr, scored.impostors) >= MIN_ERRORS]
    points = {far_name(fmr): point_row(operating_point(scored, fmr)) if fmr in held else None for fmr in FMRS}
    _, numbers = np.unique(group.people, return_inverse=True)
    matches = matches_by_owner(templates, group.people, alpha=alpha, thresholds=list(thresholds.values()))
    rates_at = {name: false_match_row(m, np.bincount(numbers)) for name, m in zip(thresholds, matches, strict=True)}
    row = {
        "pictures": len(templates),
        "people": scored.owners,
        "stranger_pairs": scored.impostors,
        "genuine_pairs": len(scored.genuine),
        "false_match_rate_at": {name: at["rate"] for name, at in rates_at.items()},
        "at_model_thresholds": rates_at,
        "threshold_at_fmr": {name: point and point["threshold"] for name, point in points.items()},
        "tar_at_far": tar_table(scored, FMRS[:3], seed),
    }
    return JudgedGroup(group.name, pairs, row)


def worst(groups: list[JudgedGroup]) -> JudgedGroup:
    """The group whose strangers are nearest: by the threshold at the strictest rate that every group can show."""
    for fmr in sorted(FMRS):
        limits = [group.row["threshold_at_fmr"][far_name(fmr)] for group in groups]
        if all(limit is not None for limit in limits):
            return groups[int(np.argmin(limits))]
    return min(groups, key=lambda group: float(group.pairs.scored.tail[0]))


def worst_at(groups: list[JudgedGroup], thresholds: dict[str, float]) -> dict[str, dict[str, Any]]:
    """By the model's thresholds: the group in which most strangers match, and its row."""
    found = {}
    for name, distance in thresholds.items():
        group = max(groups, key=lambda one: float(one.row["at_model_thresholds"][name]["rate"]))
        found[name] = {"threshold": distance, "group": group.name, **group.row["at_model_thresholds"][name]}
    return found
