"""Starts Redis and the services, keeps them running, and stops all of it in the right order with nothing left over."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from deploy.children import Child
from deploy.redis_server import NoRedis, RedisServer
from worker.protocol.connection import Backoff

ROUND_S = 0.2
STOP_WAIT_S = 8.0
"""How long a service may take to stop before it is killed; a kiosk or worker needs one BLOCK and one batch."""


class NotReady(RuntimeError):
    """A service did not get ready; the message names it and shows the end of its log."""


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


class Launcher:
    """Use `with launcher.handling_signals():` around everything, and call from the main thread only."""

    def __init__(self, say: Callable[[str], None] = _tell) -> None:
        self.say = say
        self.redis: list[RedisServer] = []
        self.children: list[Child] = []
        self.stopping = False
        """A plain flag: an Event that a signal handler sets while its own thread enters a wait would lock for ever."""
        self._in_a_hurry = False
        self._redis_backoff = Backoff(cap_s=5.0)
        self._redis_retry_at_s = 0.0

    # --- starting --------------------------------------------------------------------------------------------------

    def start_redis(self, server: RedisServer) -> RedisServer:
        """Start a server and look after it from now on; raises NoRedis."""
        server.start()
        self.redis.append(server)
        return server

    def start(self, child: Child) -> Child:
        self.children.append(child)
        child.start()
        return child

    def wait_until(self, ready: Callable[[], list[str]], timeout_s: float) -> bool:
        """Look after everything until `ready()` names nobody as missing. False when asked to stop meanwhile.

        Raises NotReady naming who is missing, with the ends of their logs, after `timeout_s` or when one crash-loops.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self.stopping:
            missing = ready()
            if not missing:
                return True
            self.look_after()
            looping = [child.name for child in self.children if child.crash_looping and child.name in missing]
            if looping or time.monotonic() > deadline_s:
                raise NotReady(self._why_not_ready(looping or missing, timeout_s))
            time.sleep(ROUND_S)
        return False

    def _why_not_ready(self, missing: list[str], timeout_s: float) -> str:
        ends = [
            f"  the end of {child.log_path}:\n{child.log_end()}" for child in self.children if child.name in missing
        ]
        return "\n".join([f"not ready after {timeout_s:.0f} s: {', '.join(missing)}", *ends])

    # --- running ---------------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """One round: start again what died. Redis first, on its port and with its data."""
        for server in self.redis:
            if server.process is not None and server.process.poll() is not None:
                self._restart_redis(server)
        for child in self.children:
            words = child.look_after()
            if words:
                self.say(words)

    def _restart_redis(self, server: RedisServer) -> None:
        if time.monotonic() < self._redis_retry_at_s:
            return
        self.say(f"the {server.role} Redis ended; starting it again on port {server.port}")
        try:
            server.start(wait_s=10)
            self._redis_backoff.reset()
        except NoRedis as error:
            self.say(str(error))
            self._redis_retry_at_s = time.monotonic() + self._redis_backoff.next_s()

    def run(self, done: Callable[[], bool] = lambda: False) -> None:
        """Look after everything until asked to stop or `done()`."""
        while not self.stopping and not done():
            self.look_after()
            time.sleep(ROUND_S)

    # --- stopping --------------------------------------------------------------------------------------------------

    @contextmanager
    def handling_signals(self) -> Iterator["Launcher"]:
        """SIGINT and SIGTERM stop everything in order; a second one stops it at once."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            try:
                self.shut_down()
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._in_a_hurry = self.stopping
        self.stopping = True

    def stop_children(self, which: Callable[[Child], bool] = lambda _child: True) -> None:
        """Stop the chosen services rank by rank, each rank at once, and forget them."""
        chosen = [child for child in self.children if which(child)]
        for rank in sorted({child.rank for child in chosen}):
            together = [child for child in chosen if child.rank == rank]
            for child in together:
                child.ask_to_stop()
            deadline_s = time.monotonic() + STOP_WAIT_S
            for child in together:
                if not self._wait_for_end(child, deadline_s) and not self._in_a_hurry:
                    self.say(f"{child.name}: did not stop within {STOP_WAIT_S:.0f} s and was killed")
        self.children = [child for child in self.children if child not in chosen]

    def _wait_for_end(self, child: Child, deadline_s: float) -> bool:
        while child.running and time.monotonic() < deadline_s and not self._in_a_hurry:
            time.sleep(0.02)
        return child.wait_or_kill(0)

    def shut_down(self) -> None:
        """Stop kiosks, worker, recorder, dashboard (their ranks), then Redis. Safe to call twice."""
        self.stop_children()
        for server in reversed(self.redis):
            server.stop()
        self.redis.clear()
