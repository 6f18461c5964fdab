"""Connections to Redis that come back by themselves, and the server's clock."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.protocol import cluster

log = logging.getLogger(__name__)

Client: TypeAlias = Any
"""A redis-py client. Its stubs answer with unions of every protocol and decoding, which tell a reader nothing; what
comes back is checked where it is decoded (entries.py)."""

FAILURES = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError, OSError)
"""What a server that went away, hangs or is just starting looks like."""
CONNECT_TIMEOUT_S = 2.0
SOCKET_TIMEOUT_S = 5.0
"""Longer than any BLOCK used in the project."""
MAX_BLOCK_MS = 1_000
"""Longest BLOCK: a stop is noticed within it, and it stays well under the socket timeout."""


def connect(url: str, *, name: str) -> redis.Redis:
    """A client of `url` that opens its connections when first used. `name` shows in CLIENT LIST.

    It doesn't retry by itself: a frame sent again is old, and who must not lose anything loops with `Backoff`.
    On a Redis Cluster the URL names a shard (`settings.url`), and the client talks to the node that holds it.
    """
    options: dict[str, Any] = {
        "client_name": name,
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "health_check_interval": 10,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,  # one shape of answers from Redis 7 to Valkey 9
    }
    if cluster.is_cluster(url):
        return redis.Redis.from_pool(cluster.pool(url, **options))
    return redis.Redis.from_url(url, **options)


def server_time_ms(client: redis.Redis) -> int:
    """The server's clock in ms since 1970 (TIME); the one clock that all parties share."""
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


class Backoff:
    """Waits of 0.1, 0.2, 0.4 … s up to `cap_s`, jittered by a half so that a site doesn't return in step."""

    def __init__(self, cap_s: float = 2.0, first_s: float = 0.1) -> None:
        self.cap_s, self.first_s, self.tries = cap_s, first_s, 0

    def reset(self) -> None:
        self.tries = 0

    def next_s(self) -> float:
        wait_s = min(self.cap_s, self.first_s * 2.0 ** min(self.tries, 20))
        self.tries += 1
        return wait_s * random.uniform(0.5, 1.0)


def keep_trying(step: Callable[[], None], stop: threading.Event, what: str, cap_s: float = 2.0) -> None:
    """Call `step` until `stop` is set; what Redis fails or refuses is tried again with back-off, logged once."""
    backoff = Backoff(cap_s)
    down_since: float | None = None
    while not stop.is_set():
        try:
            step()
        except (redis.exceptions.RedisError, OSError) as error:
            # A refusal (disk full, out of memory, ACL being reloaded) ends as well; a thread that died of it would not.
            if down_since is None:
                down_since = time.monotonic()
                log.warning("%s: Redis is away or refuses (%s); trying again", what, error)
            stop.wait(backoff.next_s())
        else:
            if down_since is not None:
                log.info("%s: Redis is back after %.1f s", what, time.monotonic() - down_since)
                down_since = None
            backoff.reset()
