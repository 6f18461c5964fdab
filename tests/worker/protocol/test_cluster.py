"""Clients of a shard on a real Redis Cluster of three masters: they find its node, and follow it."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from pydantic import ValidationError

from deploy import acl
from tests.cluster import Cluster
from tests.worker.fakes import until
from worker.leases import RENEW
from worker.protocol import cluster as cluster_url
from worker.protocol import heartbeats, keys
from worker.protocol.connection import FAILURES, Backoff, Client, connect, keep_trying, server_time_ms
from worker.protocol.heartbeats import Heart
from worker.protocol.settings import CommonSettings

Open = Callable[..., Client]


@pytest.fixture
def opened(cluster: Cluster) -> Iterator[Open]:
    """`opened(shard)` is a client of it; closed with the test."""
    clients = []

    def begin(shard: str, url: str = "") -> Client:
        clients.append(connect(cluster_url.with_shard(url or cluster.url(), shard), name="test"))
        return clients[-1]

    yield begin
    for client in clients:
        client.close()


def again(step: Callable[[], Any]) -> Any:
    """As everybody who talks to Redis does: what fails is tried again."""
    backoff, deadline = Backoff(0.2), time.monotonic() + 15
    while True:
        try:
            return step()
        except FAILURES:
            assert time.monotonic() < deadline
            time.sleep(backoff.next_s())


def move(cluster: Cluster, shard: str) -> int:
    to = (cluster.holder(shard) + 1) % 3
    cluster.begin_move(shard, to)
    cluster.finish_move(shard, to)
    return to


def test_each_shard_is_served_by_the_node_that_holds_it(cluster: Cluster, opened: Open) -> None:
    for shard in cluster.shards_on_two_nodes():
        client = opened(shard)
        client.set(keys.heartbeat(shard, "worker", "w"), "{}")
        assert cluster.admins[cluster.holder(shard)].dbsize() == 1
        assert list(client.scan_iter(match=keys.heartbeat(shard, "*", "*"))) == [
            b"heartbeat:{%s}:worker:w" % shard.encode()
        ]
        assert abs(server_time_ms(client) - time.time() * 1000) < 5_000
        with client.pipeline(transaction=True) as pipe:
            pipe.xadd(keys.decisions(shard), {"a": "1"})
            pipe.xlen(keys.decisions(shard))
            assert pipe.execute()[1] == 1
        assert client.register_script(RENEW)(keys=[keys.lease(shard, "door")], args=["w", 1000]) == 0
        client.rpush(keys.reply(shard, "r"), "x")
        assert client.blpop([keys.reply(shard, "r")], timeout=1)


def test_a_client_follows_its_shard_to_another_node(cluster: Cluster, opened: Open) -> None:
    shard = "s3"
    client = opened(shard)
    script = client.register_script(RENEW)
    assert not script(keys=[keys.lease(shard, "door")], args=["w", 1000])
    first = client.xadd(keys.decisions(shard), {"n": "1"})
    to = move(cluster, shard)
    again(lambda: client.xadd(keys.decisions(shard), {"n": "2"}))
    assert next(entry_id for entry_id, _ in client.xrange(keys.decisions(shard))) == first
    assert cluster.admins[to].exists(keys.decisions(shard))
    assert not again(lambda: script(keys=[keys.lease(shard, "door")], args=["w", 1000]))


def test_while_a_shard_is_on_its_way_its_clients_wait(cluster: Cluster, opened: Open) -> None:
    shard = "s4"
    client = opened(shard)
    to = (cluster.holder(shard) + 1) % 3
    cluster.begin_move(shard, to)
    for step in (
        lambda: client.xadd(keys.decisions(shard), {"a": "1"}),
        lambda: client.pipeline(transaction=True).xadd(keys.decisions(shard), {"a": "1"}).execute(),
        lambda: client.pipeline(transaction=False).xadd(keys.decisions(shard), {"a": "1"}).execute(),
    ):
        with pytest.raises(redis.exceptions.ConnectionError, match="can't serve the shard"):
            step()
    cluster.finish_move(shard, to)
    again(lambda: client.xadd(keys.decisions(shard), {"a": "1"}))
    assert client.xlen(keys.decisions(shard)) == 1


def test_a_watch_is_lost_with_its_node(cluster: Cluster, opened: Open) -> None:
    client = opened("s5")
    with client.pipeline() as pipe:
        pipe.watch(keys.dead("s5"))
        move(cluster, "s5")
        pipe.multi()
        pipe.xadd(keys.decisions("s5"), {"a": "1"})
        with pytest.raises((redis.exceptions.WatchError, *FAILURES)):
            pipe.execute()
    assert again(lambda: client.xlen(keys.decisions("s5"))) == 0


def test_a_blocking_read_goes_on_at_the_new_node(cluster: Cluster, opened: Open) -> None:
    shard, got, stop = "s6", [], threading.Event()
    reader, writer = opened(shard), opened(shard)
    last: list[Any] = [writer.xadd(keys.events(shard), {"n": "0"})]

    def step() -> None:
        for _, entries in reader.xread({keys.events(shard): last[0]}, block=1_000) or []:
            for last[0], fields in entries:
                got.append(fields[b"n"])

    thread = threading.Thread(target=keep_trying, args=(step, stop, "the test", 0.2))
    thread.start()
    writer.xadd(keys.events(shard), {"n": "1"})
    until(lambda: got == [b"1"])
    move(cluster, shard)
    again(lambda: writer.xadd(keys.events(shard), {"n": "2"}))
    until(lambda: got == [b"1", b"2"])
    stop.set()
    thread.join(10)


def test_a_node_that_is_killed_comes_back_with_its_shard(cluster: Cluster, opened: Open) -> None:
    shard, other = cluster.shards_on_two_nodes()
    client, neighbour = opened(shard), opened(other)
    client.xadd(keys.decisions(shard), {"a": "1"})
    node = cluster.nodes[cluster.holder(shard)]
    node.kill()
    with pytest.raises(FAILURES):
        client.xlen(keys.decisions(shard))
    assert neighbour.set(keys.lease(other, "door"), "w")
    node.start()
    assert again(lambda: client.xlen(keys.decisions(shard))) == 1, "appendfsync always"
    cluster.wait_until_well()


def test_what_names_no_key_follows_the_shard_too(
    cluster: Cluster, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCAN and TIME are never redirected: the connection asks by itself from time to time."""
    monkeypatch.setattr(cluster_url, "CHECK_S", 0.1)
    client = opened("s7")
    Heart(client, "s7", "worker", "w", dict).beat()
    assert [beat.name for beat in heartbeats.read(client, "s7")] == ["w"]
    to = move(cluster, "s7")
    admin = cluster.admins[to]
    admin.set(keys.heartbeat("s7", "worker", "w2"), admin.get(keys.heartbeat("s7", "worker", "w")))
    time.sleep(0.11)
    assert {beat.name for beat in heartbeats.read(client, "s7")} >= {"w2"}


def test_users_of_a_cluster_find_their_shard_and_nothing_else(cluster: Cluster, opened: Open) -> None:
    own, other = cluster.shards_on_two_nodes()
    cluster.set_users([acl.user_line("kiosk-front", "kiosk-password", acl.kiosk(own, "front")["live"], (7, 0))])
    url = cluster.url("kiosk-front", "kiosk-password")
    client = opened(own, url)
    assert client.xadd(keys.frames(own, "front"), {"v": "1"})
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.xadd(keys.frames(own, "back"), {"v": "1"})
    with pytest.raises(redis.exceptions.NoPermissionError):
        opened(other, url).xadd(keys.frames(other, "front"), {"v": "1"})


def test_the_first_nodes_named_may_be_away(cluster: Cluster, opened: Open) -> None:
    place = cluster.nodes[0].port
    assert opened("s0", f"redis+cluster://admin:cluster-admin-password@127.0.0.1:1,127.0.0.1:{place}").ping()
    with pytest.raises(redis.exceptions.ConnectionError):
        opened("s0", "redis+cluster://admin:x@127.0.0.1:1,127.0.0.1:2").ping()
    with pytest.raises(redis.exceptions.AuthenticationError):
        opened("s0", f"redis+cluster://admin:wrong@127.0.0.1:{place}").ping()


def test_a_search_ends_in_time_and_goes_on_where_it_stopped(
    cluster: Cluster, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nodes that hang cost a connection's patience each, so one search doesn't ask them all."""
    with contextlib.ExitStack() as stack:
        hanging = []
        for _ in range(4):
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # takes connections, never answers
            hanging.append(f"127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(cluster_url, "SEARCH_S", 0.3)
        good = f"127.0.0.1:{cluster.nodes[0].port}"
        client = opened("s0", f"redis+cluster://admin:cluster-admin-password@{','.join([*hanging, good])}")
        client.connection_pool.connection_kwargs.update(socket_timeout=0.2)
        began_s = time.monotonic()
        with pytest.raises(redis.exceptions.TimeoutError):
            client.ping()
        assert time.monotonic() - began_s < 1.0
        assert again(client.ping)


def test_a_single_server_answers_to_a_clusters_url(redis_pair: Any) -> None:
    url = redis_pair.live_server.url().replace("redis://", "redis+cluster://")
    client = connect(cluster_url.with_shard(url, "s0"), name="test")
    assert client.ping()
    client.close()


def test_urls_are_read() -> None:
    said = cluster_url.parse("rediss+cluster://kiosk:p%40ss@a:1,[::1]:2,c?shard=s1")
    assert said.nodes == (("a", 1), ("::1", 2), ("c", 6379))
    assert (said.user, said.password, said.tls, said.shard) == ("kiosk", "p@ss", True, "s1")
    assert cluster_url.parse("redis+cluster://a").user is None
    assert cluster_url.with_shard("redis+cluster://a?shard=s1", "s2") == "redis+cluster://a?shard=s2"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+cluster://", "1 to 64 nodes"),
        ("redis+cluster://u:secret@a:0", "'a:0' is no node"),
        ("redis+cluster://u:secret@a:65536", "from 1 to 65535"),
        ("redis+cluster://u:secret@a:b", "is no node"),
        ("redis+cluster://u:secret@a/3", "no database '3'"),
        ("redis+cluster://u:secret@a?db=3", "unknown option db"),
        ("redis+cluster://u:secret@a?shard=S!", "use 1-16"),
        ("redis+cluster://" + ",".join(f"n{i}" for i in range(65)), "1 to 64 nodes"),
    ],
)
def test_bad_urls_are_refused_with_the_way_out(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        cluster_url.parse(url)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValidationError, match="live_url"):
        CommonSettings(live_url=url)


def test_settings_name_the_shard() -> None:
    settings = CommonSettings(redis_url="redis+cluster://a:1", shard="s1", shards="s1, s2")  # type: ignore[arg-type]
    assert settings.url("live") == "redis+cluster://a:1?shard=s1"
    assert settings.url("ledger", "s2") == "redis+cluster://a:1?shard=s2"
    assert settings.all_shards == ("s1", "s2")
    assert CommonSettings(redis_url="redis://a").url("live", "s2") == "redis://a"
    assert CommonSettings().all_shards == ("s0",)
    for wrong in ("s1,s1", "S1", ",".join(f"s{i}" for i in range(65))):
        with pytest.raises(ValidationError, match="shards"):
            CommonSettings(shards=wrong)  # type: ignore[arg-type]
    settings.require_shard()
    with pytest.raises(ValueError, match="none of ATTENDANCE_SHARDS"):
        settings.model_copy(update={"shard": "s3"}).require_shard()
    with pytest.raises(ValueError, match="shard=s0"):
        connect("redis+cluster://a", name="test")
