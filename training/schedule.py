"""The learning rate as a pure function of where a stage stands, so that nothing of it needs to be kept to resume."""

import math

from training.recipe import Stage


def rate(stage: Stage, epoch: int, done_share: float, epochs: int | None = None) -> float:
    """Learning rate `done_share` (0 … 1) into the stage's `epoch` (from 0).

    step falls by gamma each step_epochs, as torch's StepLR; cosine rises over the warm-up and falls along half a wave.
    """
    how = stage.schedule
    if how.kind == "step":
        return float(stage.lr * how.gamma ** (epoch // how.step_epochs))
    if how.kind == "constant":
        return stage.lr
    position, end = epoch + done_share, epochs or stage.epochs
    if position < how.warmup_epochs:
        return stage.lr * max(position, 1e-3) / how.warmup_epochs
    part = min(1.0, (position - how.warmup_epochs) / max(end - how.warmup_epochs, 1e-9))
    return stage.lr * (how.final_share + (1 - how.final_share) * (1 + math.cos(math.pi * part)) / 2)
