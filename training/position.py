"""Where a run stands, and what it has learnt of the epoch that is under way; both go into checkpoints as they are."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass
class Position:
    """Where a run stands: the next batch to train."""

    stage: int = 0
    epoch: int = 0
    """Over all stages."""
    stage_epoch: int = 0
    schedule_from: int = 0
    """Epoch of the stage at which its schedule began anew (a resume without --continue-step)."""
    batch: int = 0
    steps: int = 0
    views: int = 0


@dataclass
class EpochSoFar:
    """What train.csv will say of the epoch that is under way."""

    loss_sum: float = 0.0
    batches: int = 0
    kept: int = 0
    seen: int = 0
    views: int = 0
    seconds: float = 0.0
    waiting: float = 0.0
    positive: list[Tensor] = field(default_factory=list)
    """(B,) distances of each batch that counted, of this process."""
    negative: list[Tensor] = field(default_factory=list)


def epoch_words(epoch: int, train: dict[str, Any], valid: dict[str, float], better: bool) -> str:
    """One line about an epoch."""
    learnt = f"loss {train['loss']:.4f}" + (
        f", accuracy {train['accuracy']:.4f}" if train.get("accuracy") is not None else ""
    )
    return (
        f"epoch {epoch + 1}: {learnt}, {train['pictures_per_s']:.0f} pictures/s, waited {train['waiting_share']:.0%}; "
        f"validation: loss {valid['loss']:.4f}, accuracy {valid['accuracy']:.4f}, AUC {valid['auc']:.4f}"
        + (", best so far" if better else "")
    )
