"""From punches to stretches of work: double punches collapse, in and out are understood, and every punch gets a role."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.days.corrections import CorrectedPunch, Direction

Reading = Literal["kiosk", "alternate", "first_last"]
"""How in and out are understood: as recorded at the kiosk, in and out in turn, or the day's first is in and its last out."""
Role = Literal["in", "out", "between", "collapsed", "voided", "already_in", "already_out", "no_in"]
"""`between`: passed over by first_last. `already_in`, `already_out`: said again what was so. `no_in`: out without an in."""


@dataclass(frozen=True, slots=True)
class PunchUse:
    """A punch of the day and what became of it."""

    punch: CorrectedPunch
    role: Role
    repeats: str | None = None
    """Id of the punch that a collapsed one repeats."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From a punch in to a punch out; None: there was none."""

    came: CorrectedPunch
    left: CorrectedPunch | None


@dataclass(frozen=True, slots=True)
class Reads:
    uses: tuple[PunchUse, ...]
    stretches: tuple[Stretch, ...]


def collapse(
    punches: Sequence[CorrectedPunch], reading: Reading, cooldown_s: int
) -> tuple[list[CorrectedPunch], list[PunchUse]]:
    """The punches that count, and those that repeat one at most `cooldown_s` before them. The first of a row counts.

    Where kiosks say in or out, only the same direction is a repetition. What HR set is never one. `punches` are in order
    of time.
    """
    kept: list[CorrectedPunch] = []
    repeated: list[PunchUse] = []
    for punch in punches:
        last = kept[-1] if kept else None
        repeats = (
            last is not None
            and not (punch.time_set or punch.direction_set)
            and punch.at_ms - last.at_ms <= cooldown_s * 1000
            and (reading != "kiosk" or punch.direction == last.direction)
        )
        if last is not None and repeats:
            repeated.append(PunchUse(punch, "collapsed", last.id))
        else:
            kept.append(punch)
    return kept, repeated


def read(punches: Sequence[CorrectedPunch], reading: Reading, cooldown_s: int) -> Reads:
    """One day's punches, in any order."""
    ordered = sorted(punches, key=lambda punch: (punch.at_ms, punch.id))
    voided = [PunchUse(punch, "voided") for punch in ordered if punch.voided]
    kept, repeated = collapse([punch for punch in ordered if not punch.voided], reading, cooldown_s)
    used, stretches = _first_and_last(kept) if reading == "first_last" else _in_turn(kept, reading == "alternate")
    uses = sorted((*voided, *repeated, *used), key=lambda use: (use.punch.at_ms, use.punch.id))
    return Reads(tuple(uses), tuple(stretches))


def _first_and_last(kept: Sequence[CorrectedPunch]) -> tuple[list[PunchUse], list[Stretch]]:
    if len(kept) == 1 and kept[0].direction_set and kept[0].direction == "out":
        return [PunchUse(kept[0], "no_in")], []
    uses = [PunchUse(punch, "between") for punch in kept]
    if not kept:
        return [], []
    uses[0] = PunchUse(kept[0], "in")
    if len(kept) > 1:
        uses[-1] = PunchUse(kept[-1], "out")
    return uses, [Stretch(kept[0], kept[-1] if len(kept) > 1 else None)]


def _in_turn(kept: Sequence[CorrectedPunch], alternate: bool) -> tuple[list[PunchUse], list[Stretch]]:
    """Outs close ins. In again while in, or out again while out, changes nothing and is told to HR."""
    uses: list[PunchUse] = []
    stretches: list[Stretch] = []
    came: CorrectedPunch | None = None
    for punch in kept:
        direction: Direction = punch.direction
        if alternate and not punch.direction_set:
            direction = "in" if came is None else "out"
        if direction == "in":
            uses.append(PunchUse(punch, "in" if came is None else "already_in"))
            came = came or punch
        elif came is not None:
            uses.append(PunchUse(punch, "out"))
            stretches.append(Stretch(came, punch))
            came = None
        else:
            uses.append(PunchUse(punch, "already_out" if stretches else "no_in"))
    if came is not None:
        stretches.append(Stretch(came, None))
    return uses, stretches
