"""What punches say after HR corrected them. Nothing is taken away: a voided punch stays, with its corrections.

A correction points at an event, at another correction, or at nothing (an added punch). Only approved ones count, in the
order in which they were decided: the newest wins, and what it leaves open stays as it was. Voiding a correction undoes
it, and voiding that undoes the undoing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Direction = Literal["in", "out"]
State = Literal["asked", "approved", "refused", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Punch:
    """An attendance event as it was recorded."""

    id: str
    at_ms: int
    direction: Direction
    kiosk: str = ""
    time_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """`corrects` is the id of an older correction; then `punch_id` names the punch that the chain begins with."""

    id: int
    punch_id: str
    """The event, or for an added punch the name that it was given."""
    action: Literal["add", "void", "change"]
    state: State
    decided_ms: int | None = None
    new_ms: int | None = None
    new_direction: Direction | None = None
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectedPunch:
    """A punch as it counts, beside what it was."""

    id: str
    at_ms: int
    direction: Direction
    kiosk: str = ""
    time_uncertain: bool = False
    """Its clock can't be trusted, and nobody has corrected its time."""
    original_ms: int | None = None
    """When it was recorded; None for one that HR added."""
    voided: bool = False
    time_set: bool = False
    direction_set: bool = False
    """HR said the time, the direction."""
    trail: tuple[int, ...] = ()
    """Ids of all corrections about it, whatever became of them."""
    waiting: tuple[int, ...] = ()
    """Those of them that nobody has decided on."""


@dataclass(frozen=True, slots=True)
class Corrected:
    punches: tuple[CorrectedPunch, ...]
    asked: tuple[tuple[int, int], ...]
    """Id and time of punches that somebody asked to add and nobody decided on; they count nowhere yet."""
    astray: tuple[int, ...]
    """Ids of corrections whose punch isn't among those given."""


@dataclass(frozen=True, slots=True)
class _Effect:
    """None: not said."""

    void: bool = False
    at_ms: int | None = None
    direction: Direction | None = None

    def then(self, later: "_Effect") -> "_Effect":
        if later.void:
            return _Effect(void=True)
        at_ms = self.at_ms if later.at_ms is None else later.at_ms
        return _Effect(False, at_ms, later.direction or self.direction)


def _effects(corrections: Iterable[Correction]) -> dict[int, _Effect | None]:
    """What each approved correction does once those that correct it are counted; None: it was undone."""
    approved = {one.id: one for one in corrections if one.state == "approved"}
    by_target: dict[int, list[Correction]] = defaultdict(list)
    for one in approved.values():
        if one.corrects is not None and one.corrects < one.id:  # only something older can be corrected, so: no circles
            by_target[one.corrects].append(one)
    effects: dict[int, _Effect | None] = {}
    for one in sorted(approved.values(), key=lambda one: -one.id):
        own = _Effect(void=one.action == "void", at_ms=one.new_ms, direction=one.new_direction)
        effect = own
        for later in sorted(by_target[one.id], key=_age):
            said = effects[later.id]
            if said is not None:
                effect = said if said.void else (_Effect() if effect.void else effect).then(said)
        undone = effect.void and effect is not own
        effects[one.id] = None if undone else effect
    return effects


def _age(one: Correction) -> tuple[int, int]:
    return one.decided_ms or 0, one.id


def corrected(punches: Iterable[Punch], corrections: Iterable[Correction]) -> Corrected:
    """All punches, those that HR added too, as they count."""
    by_punch: dict[str, list[Correction]] = defaultdict(list)
    for one in corrections:
        by_punch[one.punch_id].append(one)
    done = [_one(punch, by_punch.pop(punch.id, ())) for punch in punches]
    asked: list[tuple[int, int]] = []
    astray: list[int] = []
    for punch_id, about in by_punch.items():
        root = next((one for one in about if one.action == "add" and one.new_ms is not None), None)
        if root is None or root.new_ms is None:
            astray += [one.id for one in about]
        elif root.state == "approved":
            done.append(_added(punch_id, root.new_ms, root, about))
        elif root.state == "asked":
            asked.append((root.id, root.new_ms))
    done.sort(key=lambda punch: (punch.at_ms, punch.id))
    return Corrected(tuple(done), tuple(sorted(asked)), tuple(sorted(astray)))


def _one(punch: Punch, about: Iterable[Correction]) -> CorrectedPunch:
    about = sorted(about, key=_age)
    if not about:
        return CorrectedPunch(punch.id, punch.at_ms, punch.direction, punch.kiosk, punch.time_uncertain, punch.at_ms)
    effects = _effects(about)
    effect = _Effect()
    for one in about:
        said = effects.get(one.id)
        if one.corrects is None and said is not None:
            effect = effect.then(said)
    return CorrectedPunch(
        punch.id,
        punch.at_ms if effect.at_ms is None else effect.at_ms,
        effect.direction or punch.direction,
        punch.kiosk,
        punch.time_uncertain and effect.at_ms is None,
        punch.at_ms,
        effect.void,
        effect.at_ms is not None,
        effect.direction is not None,
        *_ids(about),
    )


def _added(punch_id: str, asked_ms: int, root: Correction, about: Iterable[Correction]) -> CorrectedPunch:
    about = sorted(about, key=_age)
    effects = _effects(about)
    effect = effects[root.id]
    for one in about:  # what points at the added punch itself comes on top
        said = effects.get(one.id)
        if one is not root and one.corrects is None and said is not None:
            effect = (effect or _Effect()).then(said)
    voided = effect is None or effect.void
    at_ms = asked_ms if effect is None or effect.at_ms is None else effect.at_ms
    direction = (effect.direction if effect else None) or root.new_direction or "in"
    return CorrectedPunch(punch_id, at_ms, direction, "", False, None, voided, True, True, *_ids(about))


def _ids(about: Iterable[Correction]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (
        tuple(sorted(one.id for one in about)),
        tuple(sorted(one.id for one in about if one.state == "asked")),
    )
