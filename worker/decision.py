"""The decision: what one good frame says, and when several frames together are enough. Pure functions, no I/O.

A single frame decides nothing. Somebody is accepted when k of the last n good frames agree on one employee below the
threshold and ahead of the second by a margin, and no frame among them named anybody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.protocol.outcomes import Outcome


@dataclass(frozen=True)
class Match:
    """The nearest employees of one template; distances on the model's sphere."""

    employee_id: str | None
    distance: float
    """To the nearest template of the nearest employee; infinite in an empty gallery."""
    runner_up_distance: float
    """To the nearest template of any other employee; infinite when there is none."""


@dataclass(frozen=True)
class Vote:
    """What one good frame says: `employee_id` when it names somebody, else None; ambiguous when two were too alike."""

    captured_ms: int
    employee_id: str | None
    distance: float
    runner_up_distance: float
    ambiguous: bool = False


@dataclass(frozen=True)
class Rules:
    """Threshold and margin are distances; votes_needed is k, votes_kept n (k ≤ n)."""

    threshold: float
    margin: float
    votes_needed: int
    votes_kept: int

    def __post_init__(self) -> None:
        if not 1 <= self.votes_needed <= self.votes_kept:
            raise ValueError(f"votes_needed {self.votes_needed} must lie in 1 … votes_kept ({self.votes_kept})")


@dataclass(frozen=True)
class Verdict:
    """Outcome of a presence so far: deciding, accepted, unknown or ambiguous."""

    outcome: Outcome
    employee_id: str | None = None
    distance: float | None = None
    """Mean over the agreeing frames (accepted), else the smallest seen among the kept frames."""
    runner_up_distance: float | None = None


def cast_vote(match: Match, captured_ms: int, rules: Rules) -> Vote:
    """A frame names the nearest employee when below the threshold and ahead of the second by the margin."""
    near = match.employee_id is not None and match.distance <= rules.threshold
    clear = match.runner_up_distance - match.distance >= rules.margin
    return Vote(
        captured_ms=captured_ms,
        employee_id=match.employee_id if near and clear else None,
        distance=match.distance,
        runner_up_distance=match.runner_up_distance,
        ambiguous=near and not clear,
    )


def decide(votes: Sequence[Vote], rules: Rules) -> Verdict:
    """The verdict on a presence's good frames so far, oldest first; only the last `votes_kept` count."""
    last = list(votes)[-rules.votes_kept :]
    named = {vote.employee_id for vote in last if vote.employee_id is not None}
    if len(named) == 1:
        agreeing = [vote for vote in last if vote.employee_id is not None]
        if len(agreeing) >= rules.votes_needed:
            return Verdict(
                Outcome.ACCEPTED,
                agreeing[0].employee_id,
                sum(vote.distance for vote in agreeing) / len(agreeing),
                min(vote.runner_up_distance for vote in agreeing),
            )
    if len(last) < rules.votes_kept:
        return Verdict(Outcome.DECIDING)
    nearest = min(last, key=lambda vote: vote.distance)
    doubtful = len(named) > 1 or sum(vote.ambiguous for vote in last) >= rules.votes_needed
    return Verdict(
        Outcome.AMBIGUOUS if doubtful else Outcome.UNKNOWN,
        distance=nearest.distance,
        runner_up_distance=nearest.runner_up_distance,
    )
