"""One shard of a Redis Cluster as a plain client, bound to the node that holds the shard.

`redis+cluster://user:password@host:port,host:port` names some nodes (`rediss+cluster` with TLS); `settings.url` adds the
shard. A process serves one shard, and all keys of a shard have one hash tag, hence one slot and one master: everything that
works on a single server works there, TIME, SCAN, scripts, WATCH and blocking reads included. redis-py's own RedisCluster
spreads commands over nodes instead: TIME and SCAN come from any of them, transactions and register_script are its own
variants, and a blocking read survives no failover. So only the connection is ours: it asks a node for the shard's marker
key and follows MOVED until a node answers for it. Later redirections and a cluster that is down are lost connections to
everybody above, who wait and try again anyway. A slot that is being migrated makes those waits last until it has moved.
"""

import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.connection import Connection, ConnectionPool, SSLConnection

from worker.protocol import keys

SCHEMES = ("redis+cluster", "rediss+cluster")
NODE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:,\[\]\s]+)(?::(\d{1,5}))?")
MAX_NODES = 64
DEFAULT_PORT = 6379
MAX_HOPS = 5
SEARCH_S = 1.5
"""No further node is asked after it: a camera's loop and a graceful stop mustn't wait for all nodes that hang."""
CHECK_S = 5.0
"""A connection asks so often whether its node still holds the shard: TIME and SCAN name no key, so are never redirected."""

Address = tuple[str, int]


def is_cluster(url: str) -> bool:
    return url.startswith(tuple(f"{scheme}:" for scheme in SCHEMES))


@dataclass
class ClusterUrl:
    """What a cluster's URL says; `shard` is "" until it is added."""

    nodes: tuple[Address, ...]
    user: str | None
    password: str | None
    tls: bool
    shard: str


def parse(url: str) -> ClusterUrl:
    """Raises ValueError with what is wrong; the password is never part of it."""
    parts = urlsplit(url)
    login, at, places = parts.netloc.rpartition("@")
    user, colon, password = login.partition(":")
    nodes = [_node(place) for place in places.split(",") if place]
    if parts.scheme not in SCHEMES or not 1 <= len(nodes) <= MAX_NODES:
        raise ValueError(f"write redis+cluster://user:password@host:port,host:port with 1 to {MAX_NODES} nodes")
    if parts.path not in ("", "/", "/0"):
        raise ValueError(f"a cluster has no database {parts.path[1:]!r}, leave it out")
    options = parse_qs(parts.query)
    if set(options) - {"shard"}:
        raise ValueError(f"unknown option {', '.join(sorted(set(options) - {'shard'}))}; a cluster's URL takes none")
    shard = options.get("shard", [""])[0]
    return ClusterUrl(
        tuple(nodes),
        unquote(user) if at and user else None,
        unquote(password) if colon else None,
        parts.scheme == "rediss+cluster",
        keys.check_shard_name(shard) if shard else "",
    )


def _node(text: str) -> Address:
    match = NODE.fullmatch(text)
    port = int(match[2] or DEFAULT_PORT) if match else 0
    if match is None or not 1 <= port <= 65_535:
        raise ValueError(f"{text!r} is no node: write host:port, the port from 1 to 65535")
    return match[1].strip("[]"), port


def with_shard(url: str, shard: str) -> str:
    """The URL of that shard, whichever it named before."""
    return f"{url.partition('?')[0]}?shard={shard}"


class Route:
    """Where the shard was last, shared by the connections of a client."""

    def __init__(self, nodes: tuple[Address, ...], shard: str) -> None:
        self.nodes, self.marker = nodes, keys.marker(shard)
        self.holder = nodes[0]

    def candidates(self) -> list[Address]:
        return list(dict.fromkeys((self.holder, *self.nodes)))

    def leave(self, node: Address) -> None:
        """It didn't answer: the next search begins elsewhere."""
        if node == self.holder:
            place = self.nodes.index(node) if node in self.nodes else -1
            self.holder = self.nodes[(place + 1) % len(self.nodes)]


class _Routed:
    """Mixed into redis-py's connections: connects to the shard's holder, and leaves a node that isn't it any more."""

    def __init__(self, *, route: Route, **options: Any) -> None:
        host, port = route.holder
        super().__init__(host=host, port=port, **options)  # type: ignore[call-arg]
        self.route = route
        self._checked_s = float("-inf")

    def connect_check_health(self: Any, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        """Called before each command on a connection from the pool, and not in the middle of a transaction."""
        if self._sock is not None and self._holds_still():
            return
        failed: dict[Address, Exception] = {}
        ends_s = time.monotonic() + SEARCH_S
        for node in self.route.candidates():
            if failed and time.monotonic() > ends_s:
                break
            for _ in range(MAX_HOPS):
                if node in failed:
                    break
                self.disconnect()
                self.host, self.port = node
                try:
                    super().connect_check_health(check_health, retry_socket_connect)  # type: ignore[misc]
                    elsewhere = self._ask()
                except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
                    failed[node] = error
                    self.route.leave(node)
                    break
                if elsewhere is None:
                    self.route.holder = node
                    return
                node = elsewhere
        self.disconnect()
        raise next(iter(failed.values()), redis.exceptions.ConnectionError("no node says where the shard is"))

    def _holds_still(self: Any) -> bool:
        if (self.host, self.port) != self.route.holder:
            return False
        if time.monotonic() - self._checked_s < CHECK_S:
            return True
        try:
            return self._ask() is None
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
            return False

    def _ask(self: Any) -> Address | None:
        """None when the connected node holds the shard, else the node that it names."""
        self.send_command("EXISTS", self.route.marker, check_health=False)
        try:
            super().read_response()  # type: ignore[misc]
        except redis.exceptions.MovedError as error:
            return error.host or self.host, error.port
        except redis.exceptions.AskError:
            pass  # the slot is on its way, but still here
        except (redis.exceptions.ClusterDownError, redis.exceptions.MasterDownError) as error:
            raise redis.exceptions.ConnectionError(str(error)) from None
        self._checked_s = time.monotonic()
        return None

    def read_response(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except (
            redis.exceptions.AskError,  # MOVED is one of them
            redis.exceptions.TryAgainError,
            redis.exceptions.ClusterDownError,
            redis.exceptions.ReadOnlyError,
        ) as error:
            if isinstance(error, redis.exceptions.MovedError):
                self.route.holder = (error.host or self.host, error.port)
            self.disconnect()
            words = f"{self.host}:{self.port} can't serve the shard ({type(error).__name__}: {error})"
            raise redis.exceptions.ConnectionError(words) from None


class ShardConnection(_Routed, Connection):
    pass


class TlsShardConnection(_Routed, SSLConnection):
    pass


def pool(url: str, **options: Any) -> ConnectionPool:
    """Connections to the holder of the URL's shard; raises ValueError for a URL that can't be one or names no shard."""
    said = parse(url)
    if not said.shard:
        raise ValueError("the URL of a cluster needs its shard here: ?shard=s0")
    kind = TlsShardConnection if said.tls else ShardConnection
    return ConnectionPool(
        connection_class=kind,
        route=Route(said.nodes, said.shard),
        username=said.user,
        password=said.password,
        **options,
    )
