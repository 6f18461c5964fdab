"""Signs of life: every process writes one under `heartbeat:{shard}:<role>:<name>` on the live role, with a TTL."""

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, Literal

import redis

from worker.protocol import keys
from worker.protocol.connection import FAILURES, server_time_ms

log = logging.getLogger(__name__)

Role = Literal["kiosk", "worker", "recorder", "deliverer"]
EVERY_S = 0.5
TTL_S = 3


@cache
def product_version() -> str:
    """Of the installed product, for the heartbeat: a site updates its machines one after the other."""
    try:
        return metadata.version("attendance-kiosk")
    except metadata.PackageNotFoundError:
        return "?"


@dataclass(frozen=True)
class Heartbeat:
    role: str
    name: str
    pid: int
    clock_offset_ms: int
    """This machine's wall clock minus Redis' clock when it was written."""
    data: dict[str, Any]


class Heart(threading.Thread):
    """Writes `report()` every half second until stopped; an outage is waited out in silence (others log it)."""

    def __init__(
        self, live: redis.Redis, shard: str, role: Role, name: str, report: Callable[[], dict[str, Any]]
    ) -> None:
        super().__init__(name=f"heart-{role}-{name}", daemon=True)
        self.live, self.shard, self.role, self.who, self.report = live, shard, role, name, report
        self.clock_offset_ms: int | None = None
        self._stop_asked = threading.Event()

    def beat(self) -> None:
        now_ms = server_time_ms(self.live)
        self.clock_offset_ms = round(time.time() * 1000) - now_ms
        body = {"pid": os.getpid(), "clock_offset_ms": self.clock_offset_ms, "data": self.report()}
        self.live.set(keys.heartbeat(self.shard, self.role, self.who), json.dumps(body), ex=TTL_S)

    def run(self) -> None:
        while not self._stop_asked.is_set():
            try:
                self.beat()
            except FAILURES:
                self.clock_offset_ms = None
            except redis.exceptions.RedisError as error:
                log.warning("heartbeat of %s refused: %s", self.who, error)
            self._stop_asked.wait(EVERY_S)

    def stop(self, last_words: bool = True) -> None:
        """End the thread; with `last_words` write a final heartbeat so that the last figures can be read."""
        self._stop_asked.set()
        if self.is_alive():
            self.join(timeout=5)
        if last_words:
            with contextlib.suppress(redis.exceptions.RedisError):
                self.beat()


def read(live: redis.Redis, shard: str, role: Role | None = None) -> Iterator[Heartbeat]:
    """All living processes (of one role). Heartbeats that can't be read are skipped."""
    for key in live.scan_iter(match=keys.heartbeat(shard, role or "*", "*"), count=500):
        _, _, who, name = bytes(key).decode(errors="replace").split(":", 3)
        try:
            raw = live.get(key)
            if raw is None:
                continue
            body = json.loads(raw)
            yield Heartbeat(who, name, int(body["pid"]), int(body["clock_offset_ms"]), dict(body["data"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, redis.exceptions.ResponseError):
            continue
