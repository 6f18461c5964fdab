"""How a process of the dashboard's that serves no pages runs its parts: until it is told to stop, or one fails for good."""

import logging
import signal
import threading
import time
from collections.abc import Callable

import redis
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from dashboard.database import upgrade
from worker.protocol.connection import Backoff

log = logging.getLogger(__name__)

LOOK_S = 0.2


def keep_going(step: Callable[[], object], stop: threading.Event, what: str, pause_s: float = 0.0) -> None:
    """Call `step` until `stop`; Redis or the database being away is logged once per outage and waited out."""
    backoff, down = Backoff(), False
    while not stop.is_set():
        try:
            step()
        except (redis.exceptions.RedisError, OSError, SQLAlchemyError) as error:
            if not down:
                log.warning("%s: %s; trying again", what, error)
            down = True
            stop.wait(backoff.next_s())
        else:
            if down:
                log.info("%s: goes on", what)
            down = False
            backoff.reset()
            stop.wait(pause_s)


def wait_for_schema(url: str, stop: threading.Event) -> None:
    """Bring the schema up to date, waiting for a database server that isn't there yet."""
    backoff = Backoff()
    while not stop.is_set():
        try:
            upgrade(url)
            return
        except OperationalError as error:
            log.warning("the database is away: %s; trying again", error)
            stop.wait(backoff.next_s())


def heed_signals(stop: threading.Event) -> None:
    """SIGTERM and SIGINT set `stop`, where this is the main thread: others may not say so."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())


def wait(stop: threading.Event) -> None:
    while not stop.is_set():  # not stop.wait(): the handler's set() in this thread could meet its lock taken
        time.sleep(LOOK_S)


class Parts:
    """Threads that call a step each (see `keep_going`); one that fails for good stops all of them."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.failures: list[str] = []
        self.threads: list[threading.Thread] = []

    def add(self, step: Callable[[], object], what: str, pause_s: float, *, daemon: bool = False) -> None:
        thread = threading.Thread(target=self._work, args=(step, what, pause_s), name=what, daemon=daemon)
        self.threads.append(thread)

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def _work(self, step: Callable[[], object], what: str, pause_s: float) -> None:
        try:
            keep_going(step, self.stop, what, pause_s)
        except Exception:
            log.exception("%s failed", what)
            self.failures.append(what)
            self.stop.set()
