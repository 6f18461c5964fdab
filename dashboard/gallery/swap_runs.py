"""A swap that is begun on a page: a thread of the dashboard's process runs it, and the database says how it stands.

Two stretches: `prepare` brings everything up to the switch and changes nothing that anybody sees, `switch` does what is
left and names the model as the serving one. A process that ends in the middle leaves the swap as a killed command would:
the old model serves on, and after half a minute the next stretch goes on with what is missing.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import redis
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dashboard.auditing.audit import Actor
from dashboard.database import SessionFactory, now_ms
from dashboard.gallery import serving
from dashboard.gallery.serving import Standing, SwapError
from dashboard.gallery.swap import Advice, Swap, database_errors
from dashboard.models import ServingModel, SwapRun
from worker.protocol.connection import Client

log = logging.getLogger(__name__)

Goal = Literal["prepare", "switch"]
LONGEST_WORDS = 2_000
NAME_LENGTH = 64
ADVICE = Advice(
    again="go on from the Models page",
    give_up="giving the change up there leaves everything as it is",
    agree="tick the box to go on without them",
)


class Phase(StrEnum):
    NONE = "none"  # no model is coming
    RUNNING = "running"
    READY = "ready"  # nothing but the switch is missing
    STOPPED = "stopped"  # it failed, or its process ended


@dataclass(frozen=True)
class Progress:
    """How a swap stands. `run` is the newest that a page began for the coming model."""

    now: Standing
    phase: Phase
    run: SwapRun | None = None
    pictures: int = 0
    left: int = 0

    @property
    def done(self) -> int:
        return self.pictures - self.left


def look(session: Session) -> Progress:
    row = session.get(ServingModel, 1)
    if row is None or row.coming is None:
        return Progress(serving.read(session), Phase.NONE)
    newest = select(SwapRun).where(SwapRun.target == row.coming).order_by(SwapRun.begun_ms.desc()).limit(1)
    run = session.scalars(newest).first()
    pictures, left = serving.count_pictures(session, row.coming)
    held = row.holder is not None and row.held_until_ms > now_ms()
    prepared = run is not None and (run.goal, run.state) == ("prepare", "done") and left <= run.unusable
    phase = Phase.RUNNING if held else Phase.READY if prepared else Phase.STOPPED
    return Progress(serving.standing(row), phase, run, pictures, left)


def begin(
    factory: SessionFactory, lives: Mapping[str, Client], target: str, goal: Goal, agreed: bool, by: Actor, name: str
) -> threading.Thread:
    """Start a stretch in a thread, once nothing speaks against it. Raises SwapError, and redis' errors."""
    swap = Swap(factory, lives, target, agreed, by=by, advice=ADVICE)
    with database_errors(ADVICE):
        if swap.check() is not None:
            raise SwapError(f"{target} serves already")
        with factory.begin() as session:
            session.add(
                SwapRun(
                    token=swap.token,
                    target=target,
                    goal=goal,
                    state="running",
                    begun_ms=now_ms(),
                    begun_by=name[:NAME_LENGTH],
                    unusable=0,
                    words="",
                )
            )
            serving.begin(session, target, swap.token, by)
    thread = threading.Thread(target=_work, args=(swap, goal), name="swap", daemon=True)
    thread.start()
    return thread


def _work(swap: Swap, goal: Goal) -> None:
    try:
        with swap.hold:
            try:
                after = swap.bring(switch=goal == "switch")
            except Exception as error:
                _end(swap, _words(error))
                return
            if goal == "prepare":
                _end(swap)
        if goal == "switch":
            swap.follow(after)
            _end(swap)
    except Exception as error:
        _end(swap, _words(error))


def _words(error: Exception) -> str:
    if isinstance(error, SwapError):
        return str(error)
    if isinstance(error, redis.exceptions.RedisError | OSError):
        return f"Redis doesn't answer as it should: {error}; {ADVICE.again}"
    log.error("a swap failed", exc_info=error)
    return f"{type(error).__name__}; the dashboard's log has more"


def _end(swap: Swap, words: str = "") -> None:
    """Write down how it ended. Where the database is away, the row stays `running`, and what is held ends by its time."""
    log.info("swap to %s: %s", swap.target, words or "done")
    try:
        with swap.factory.begin() as session:
            run = session.get(SwapRun, swap.token)
            if run is not None:
                run.state, run.words = ("failed" if words else "done"), words[:LONGEST_WORDS]
                run.ended_ms, run.unusable = now_ms(), len(swap.unusable)
    except SQLAlchemyError as error:
        log.warning("how the swap ended can't be written down: %s", error)
