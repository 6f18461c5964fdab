"""What is killed or stopped when: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BURST_SHARE = 0.25
"""Of the faults: so many follow the one before within BURST_S, so that two things are down at once."""
BURST_S = 1.0
STOPPED_S = (2.5, 6.0)
"""Longer than a lease (2 s), some of them longer than a socket's patience (5 s)."""

Kind = Literal["kill", "stop", "cut"]


@dataclass(frozen=True)
class Fault:
    """`at_s` after the start. kill: kill -9; stop: SIGSTOP, and SIGCONT `for_s` later; cut: the database's connections."""

    at_s: float
    kind: Kind
    targets: tuple[str, ...]
    for_s: float = 0.0


def draw(
    seed: int, kills: int, stops: int, mean_s: float, workers: Sequence[str], kiosks: Sequence[str]
) -> list[Fault]:
    """`kills` kills and cuts and `stops` stops, `mean_s` apart on average."""
    rng = random.Random(seed)
    kinds: list[Kind] = ["kill"] * kills + ["stop"] * stops
    rng.shuffle(kinds)
    faults, at_s = [], 3.0
    apart_s = (mean_s - BURST_SHARE * BURST_S / 2) / (1 - BURST_SHARE)
    for kind in kinds:
        burst = rng.random() < BURST_SHARE
        at_s += rng.uniform(0.02, BURST_S) if burst else rng.uniform(0.4 * apart_s, 1.6 * apart_s)
        what = rng.choice(["worker", "recorder", "live", "ledger", "kiosk", "database" if kind == "kill" else "worker"])
        targets = (what,)
        if what == "worker":
            both = len(workers) > 1 and rng.random() < 0.3
            targets = tuple(workers) if both else (rng.choice(workers),)
        elif what == "kiosk":
            targets = (rng.choice(kiosks),)
        if what == "database":
            kind = "cut"
        faults.append(Fault(at_s, kind, targets, rng.uniform(*STOPPED_S) if kind == "stop" else 0.0))
    return faults
