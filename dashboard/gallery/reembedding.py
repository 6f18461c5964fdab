"""Stored pictures under another model: a worker that has it loaded makes the template, and it is stored beside the old one.

Each picture is a step of its own, done once whoever does it and however often: what has a template already, or is gone
meanwhile, is left alone. So any of the processes may be killed, and the next run goes on with what is missing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum

import redis
from sqlalchemy.exc import IntegrityError

from dashboard.database import SessionFactory, reading
from dashboard.enrolling.worker_requests import ask_worker, shard_with_worker
from dashboard.gallery import serving
from dashboard.models import EnrolmentPicture
from worker.protocol.outcomes import Outcome

log = logging.getLogger(__name__)

ASK_S = 30.0
"""A busy worker lets people at the doors go first, nine times as long as a picture takes."""
PATIENCE_S = 120.0
"""A picture that no worker answers for is asked again for so long."""
PAUSE_S = 0.5
UNANSWERED = (Outcome.NO_WORKER, Outcome.NOT_READY)


class Done(StrEnum):
    EMBEDDED = "embedded"
    THERE = "there"  # it had a template, or is gone
    UNUSABLE = "unusable"  # the model finds no face in it


class NobodyAnswers(RuntimeError):
    """No worker has embedded a picture for PATIENCE_S; the message says what was answered last."""


def embed_all(
    factory: SessionFactory,
    lives: Mapping[str, redis.Redis],
    model_id: str,
    picture_ids: Sequence[str],
    at_once: int = 2,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[str, Done]]:
    """Each picture with what became of it, in the order in which they are done. Raises NobodyAnswers."""
    left, ended = iter(picture_ids), threading.Event()

    def no_more() -> bool:
        return ended.is_set() or stopped()

    with ThreadPoolExecutor(at_once, thread_name_prefix="embed") as pool:
        running: dict[Future[Done], str] = {}
        try:
            while True:
                while len(running) < at_once and not no_more() and (picture_id := next(left, None)) is not None:
                    running[pool.submit(embed, factory, lives, model_id, picture_id, no_more)] = picture_id
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            ended.set()
            pool.shutdown(wait=True, cancel_futures=True)


def embed(
    factory: SessionFactory,
    lives: Mapping[str, redis.Redis],
    model_id: str,
    picture_id: str,
    stopped: Callable[[], bool] = lambda: False,
) -> Done:
    """One picture to its end. Raises NobodyAnswers."""
    with reading(factory) as session:
        picture = session.get(EnrolmentPicture, picture_id)
        jpeg = picture.jpeg if picture is not None else None
    if jpeg is None:
        return Done.THERE
    end_s = time.monotonic() + PATIENCE_S
    while True:
        shard = shard_with_worker(lives)
        reply = ask_worker(lives[shard], shard, jpeg, None, ASK_S, model_id)
        if reply.outcome not in UNANSWERED:
            break
        if time.monotonic() > end_s or stopped():
            raise NobodyAnswers(f"no worker embeds pictures by {model_id}: {reply.reason or reply.outcome}")
        time.sleep(PAUSE_S)
    if reply.template is None:
        log.warning("picture %s can't be embedded by %s: %s", picture_id, model_id, reply.reason or reply.outcome)
        return Done.UNUSABLE
    try:
        with factory.begin() as session:
            stored = serving.store_template(session, picture_id, model_id, reply.template)
    except IntegrityError:  # another command was faster
        stored = False
    return Done.EMBEDDED if stored else Done.THERE
