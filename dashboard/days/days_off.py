"""Holidays and leave, whole or half days, and what they leave of a working day."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Half = Literal["first", "second"]
HALVES: frozenset[Half] = frozenset(("first", "second"))


@dataclass(frozen=True, slots=True)
class Holiday:
    name: str
    half: Half | None = None
    """Only that half of the shift is free; None: the whole day."""


@dataclass(frozen=True, slots=True)
class Leave:
    kind: str
    paid: bool = True
    half: Half | None = None


def halves_off(days_off: Iterable[Holiday | Leave]) -> frozenset[Half]:
    """The halves of the day that these leave free."""
    off: set[Half] = set()
    for one in days_off:
        off |= HALVES if one.half is None else {one.half}
    return frozenset(off)


def minutes_of(halves: frozenset[Half], required_min: int) -> int:
    """How much of `required_min` falls into these halves; of an odd number the second half has one more."""
    first = required_min // 2
    return first * ("first" in halves) + (required_min - first) * ("second" in halves)
