"""FairFace (Kärkkäinen & Joo 2021, CC BY 4.0) as this product uses it: faces to learn from, and strangers by group to judge by.

It has no identities; nearly everybody is there once. So its groups give what LFW can't: many strangers who look alike.
"""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from training.dataset import PICTURE_SUFFIXES, BadData

SPLITS = {"train": "train", "test": "test", "val": "test"}
"""Folder → which part; the authors call theirs val."""
ADULT_AGES = ("20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
"""Of those who are judged by: a kiosk's people."""
GROUPS = ("Black", "East Asian", "Indian", "Latino_Hispanic", "Middle Eastern", "Southeast Asian", "White")
CALIBRATE_SHARE = 0.15
"""Of the training part, kept out of training: thresholds come from these strangers. Drawn by the name's SHA-256."""


def sort_out(source: Path, destination: Path) -> Counter[str]:
    """Link (or copy) SOURCE/{train,test}/AGE/GROUP/picture into DESTINATION/{train,calibrate,test}/group/age_picture.

    `calibrate` and `test` get adults only, and nobody in them is in `train`. Returns how many pictures each part has.
    Raises BadData when `source` isn't laid out so, or `destination` can't be written.
    """
    counts: Counter[str] = Counter()
    for file, split, age, group in _found(source):
        name = f"{_plain(age)}_{file.name}"
        part = split
        if split == "train" and held_out(f"{_plain(group)}/{name}"):
            part = "calibrate"
        if part != "train" and age not in ADULT_AGES:
            continue
        place = destination / part / _plain(group) / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            _put(file, place)
        except OSError as error:
            raise BadData(f"{place}: can't be written ({error.strerror})") from None
        counts[part] += 1
    if not counts["train"] or not counts["test"]:
        raise BadData(
            f"{source}: FairFace as {{train,test}}/AGE/GROUP/picture.jpg is needed (ages such as {ADULT_AGES[0]}, groups such "
            f"as {GROUPS[1]!r}); found {sum(counts.values())} pictures of it"
        )
    return counts


def held_out(name: str) -> bool:
    """Whether a picture of the training part, as group/age_picture, is kept for calibration."""
    return hashlib.sha256(name.encode()).digest()[0] < CALIBRATE_SHARE * 256


def _found(source: Path) -> Iterator[tuple[Path, str, str, str]]:
    for folder, split in SPLITS.items():
        for group in GROUPS:
            for place in sorted((source / folder).glob(f"*/{group}")):
                for file in sorted(place.iterdir()):
                    if file.suffix.lower() in PICTURE_SUFFIXES:
                        yield file, split, place.parent.name, group


def _plain(name: str) -> str:
    return name.lower().replace(" ", "-").replace("_", "-")


def _put(file: Path, place: Path) -> None:
    if place.exists():
        return
    try:
        os.link(file, place)
    except OSError:  # another disk, or one without links
        shutil.copyfile(file, place)
