"""Each user may do what its process needs and is refused everything else, on Debian's Redis and on the embedded Valkey."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from dashboard.connectors.settled import MARGIN_MS, settled_until_ms
from deploy import acl
from deploy.dead_letters import DeadLetters
from deploy.operator import SiteClients
from deploy.redis_server import RedisServer, server_version
from deploy.status import look
from tests.conftest import SERVERS
from worker.janitor import Janitor
from worker.leases import Leases
from worker.protocol import keys
from worker.protocol.connection import Client, connect
from worker.protocol.heartbeats import Heart
from worker.protocol.telemetry import Counters

S = "s0"
USERS = {
    "kiosk-front": acl.kiosk(S, "front"),
    "worker": acl.worker(S),
    "recorder": acl.recorder(S),
    "dashboard": acl.dashboard(S),
    "operator": acl.operator(S),
}
DANGEROUS = (
    *("CONFIG GET *", "CONFIG SET maxmemory 0", "FLUSHALL", "FLUSHDB", "KEYS *", "ACL LIST", "ACL SETUSER x on"),
    *("SHUTDOWN NOSAVE", "CLIENT LIST", "CLIENT KILL ID 1", "INFO", "MONITOR", "SCRIPT FLUSH", "PUBLISH a b"),
    *("REPLICAOF NO ONE", "SAVE", "SWAPDB 0 1", "DBSIZE", "RANDOMKEY", "MODULE LIST", "FUNCTION FLUSH"),
)

As = Callable[[str, str], Client]


@pytest.fixture(scope="module", params=list(SERVERS))
def logged_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[As]:
    """`logged_in(user, role)` is a client; `admin` may do everything."""
    program = Path(SERVERS[request.param]() or "")
    servers = {}
    for role in ("live", "ledger"):
        server = RedisServer(role, tmp_path_factory.mktemp(f"{request.param}-{role}"), program=program)
        server.acl = [acl.user_line(u, f"pass-{u}", g[role], server_version(program)) for u, g in USERS.items()]
        servers[role] = server.start()
    opened = []

    def client(user: str, role: str) -> Client:
        server = servers[role]
        opened.append(connect(server.url() if user == "admin" else server.url(user, f"pass-{user}"), name="test"))
        return opened[-1]

    yield client
    for one in opened:
        one.close()
    for server in servers.values():
        server.stop()


def refused(step: Callable[[], Any]) -> bool:
    with pytest.raises(redis.exceptions.NoPermissionError):
        step()
    return True


@pytest.mark.parametrize("role", ["live", "ledger"])
@pytest.mark.parametrize("user", list(USERS))
def test_nobody_may_do_dangerous_things(logged_in: As, user: str, role: str) -> None:
    client = logged_in(user, role)
    assert client.ping()
    assert client.time()
    for command in DANGEROUS:
        assert refused(functools.partial(client.execute_command, *command.split())), command


def test_the_default_user_and_a_wrong_password_are_refused(logged_in: As) -> None:
    good = logged_in("kiosk-front", "live").connection_pool.connection_kwargs
    for user in ("", "kiosk-front:pass-worker@", "nobody:x@"):
        client = connect(f"redis://{user}{good['host']}:{good['port']}/0", name="stranger")
        with pytest.raises((redis.exceptions.AuthenticationError, redis.exceptions.NoPermissionError)):
            client.ping()
        client.close()


def test_a_kiosk_does_its_own_work(logged_in: As) -> None:
    live, ledger = logged_in("kiosk-front", "live"), logged_in("kiosk-front", "ledger")
    live.xadd(keys.frames(S, "front"), {"v": "1"}, maxlen=2, approximate=False)
    logged_in("admin", "live").xadd(keys.feedback(S, "front"), {"v": "1"})
    assert live.xrevrange(keys.feedback(S, "front"), count=1)
    assert live.xread({keys.feedback(S, "front"): "0"})
    Heart(live, S, "kiosk", "front", dict).beat()
    Janitor(logged_in("worker", "live"), logged_in("worker", "ledger"), S, Counters()).step()
    assert logged_in("admin", "live").zscore(keys.kiosks(S), "front")
    assert ledger.xadd(keys.backlog(S, "front"), {"v": "1"})
    assert ledger.xlen(keys.backlog(S, "front")) >= 1
    assert ledger.xadd(keys.kiosk_events(S, "front"), {"v": "1"})


def test_a_kiosk_reaches_nothing_of_others_nor_reads_what_it_wrote(logged_in: As) -> None:
    live, ledger = logged_in("kiosk-front", "live"), logged_in("kiosk-front", "ledger")
    for step in (
        lambda: live.xadd(keys.frames(S, "back"), {"v": "1"}),
        lambda: live.xadd(keys.frames("s1", "front"), {"v": "1"}),
        lambda: live.xread({keys.feedback(S, "back"): "0"}),
        lambda: live.xread({keys.frames(S, "front"): "0"}),
        lambda: live.xrange(keys.frames(S, "front")),
        lambda: live.xadd(keys.feedback(S, "front"), {"v": "1"}),
        lambda: live.delete(keys.frames(S, "front")),
        lambda: live.set(keys.heartbeat(S, "kiosk", "back"), "{}"),
        lambda: live.set(keys.heartbeat(S, "worker", "front"), "{}"),
        lambda: live.set(keys.frames(S, "front"), "x"),
        lambda: live.get(keys.heartbeat(S, "kiosk", "front")),
        lambda: live.zrange(keys.kiosks(S), 0, -1),
        lambda: live.zadd(keys.workers(S), {"front": 1}),
        lambda: live.zadd(keys.kiosks(S), {"front": 1}),
        lambda: live.xadd(keys.requests(S), {"v": "1"}),
        lambda: live.get(keys.enrolling(S, "front")),
        lambda: live.scan(),
        lambda: live.eval("return 1", 0),
        lambda: ledger.xadd(keys.decisions(S), {"v": "1"}),
        lambda: ledger.xadd(keys.backlog(S, "back"), {"v": "1"}),
        lambda: ledger.xrange(keys.backlog(S, "front")),
        lambda: ledger.xlen(keys.backlog(S, "back")),
        lambda: ledger.xdel(keys.backlog(S, "front"), "1-1"),
        lambda: ledger.hgetall(keys.gallery(S, "m")),
    ):
        assert refused(step)


def test_a_worker_does_its_work(logged_in: As) -> None:
    live, ledger, admin = logged_in("worker", "live"), logged_in("worker", "ledger"), logged_in("admin", "live")
    admin.zadd(keys.kiosks(S), {"front": int(admin.time()[0]) * 1000})
    leases = Leases(live, S, "w1", 2_000)
    leases.refresh()
    assert "front" in leases.held
    leases.leave()
    assert not admin.exists(keys.workers(S))
    assert live.delete(keys.frames(S, "front")) in (0, 1)
    assert live.xrevrange(keys.frames(S, "front"), count=1) == []
    live.xadd(keys.feedback(S, "front"), {"v": "1"}, maxlen=64)
    live.xgroup_create(keys.requests(S), keys.WORKERS_GROUP, id="0", mkstream=True)
    entry = admin.xadd(keys.requests(S), {"v": "1"})
    assert live.xreadgroup(keys.WORKERS_GROUP, "w1", {keys.requests(S): ">"}, count=1)
    assert live.xack(keys.requests(S), keys.WORKERS_GROUP, entry) == live.xdel(keys.requests(S), entry) == 1
    assert live.get(keys.enrolling(S, "front")) is None
    assert refused(lambda: live.set(keys.enrolling(S, "front"), b"x"))
    assert live.hkeys(keys.enrol_pictures(S, "w1")) == []
    with live.pipeline(transaction=True) as pipe:
        pipe.hset(keys.enrol_pictures(S, "w1"), mapping={"state": b"{}"})
        pipe.expire(keys.enrol_pictures(S, "w1"), 60)
        pipe.execute()
    pipe = live.pipeline(transaction=True)
    pipe.rpush(keys.reply(S, "r1"), b"x").expire(keys.reply(S, "r1"), 60).execute()
    Heart(live, S, "worker", "w1", dict).beat()
    ledger.xadd(keys.decisions(S), {"v": "1"})
    assert ledger.hgetall(keys.gallery(S, "m")) == {}
    pipe = ledger.pipeline(transaction=True)
    pipe.xrevrange(keys.gallery_log(S), count=1).hgetall(keys.gallery(S, "m")).execute()
    assert ledger.xread({keys.gallery_log(S): "0-0"}, block=1) in ([], {})


def test_a_worker_turns_a_backlog_into_decisions(logged_in: As) -> None:
    ledger, key = logged_in("worker", "ledger"), keys.backlog(S, "back")
    ledger.xgroup_create(key, keys.WORKERS_GROUP, id="0", mkstream=True)
    entry = logged_in("admin", "ledger").xadd(key, {"v": "1"})
    assert ledger.xreadgroup(keys.WORKERS_GROUP, "w1", {key: ">"}, count=1)
    assert ledger.xautoclaim(key, keys.WORKERS_GROUP, "w1", 0, count=1)[1]
    with ledger.pipeline(transaction=True) as pipe:
        pipe.xadd(keys.decisions(S), {"v": "1"})
        pipe.xack(key, keys.WORKERS_GROUP, entry)
        pipe.xdel(key, entry)
        assert pipe.execute()[1:] == [1, 1]
    assert refused(lambda: ledger.xadd(key, {"v": "1"}))


def test_a_worker_can_neither_read_decisions_nor_change_the_gallery(logged_in: As) -> None:
    live, ledger = logged_in("worker", "live"), logged_in("worker", "ledger")
    for step in (
        lambda: ledger.xrange(keys.decisions(S)),
        lambda: ledger.xdel(keys.decisions(S), "1-1"),
        lambda: ledger.hset(keys.gallery(S, "m"), "a", "b"),
        lambda: ledger.xadd(keys.gallery_log(S), {"v": "1"}),
        lambda: live.xadd(keys.frames(S, "front"), {"v": "1"}),
        lambda: live.xadd(keys.events(S), {"v": "1"}),
        lambda: live.set(keys.heartbeat(S, "kiosk", "front"), "{}"),
        lambda: live.eval("return redis.call('del', KEYS[1])", 1, keys.kiosks(S)),
        lambda: live.delete(keys.workers(S)),
    ):
        assert refused(step)


def test_a_recorder_does_its_work_and_no_more(logged_in: As) -> None:
    live, ledger, admin = logged_in("recorder", "live"), logged_in("recorder", "ledger"), logged_in("admin", "ledger")
    admin.delete(keys.decisions(S))
    ledger.xgroup_create(keys.decisions(S), keys.RECORDERS_GROUP, id="0", mkstream=True)
    entry = admin.xadd(keys.decisions(S), {"v": "1"})
    ledger.xinfo_consumers(keys.decisions(S), keys.RECORDERS_GROUP)
    assert ledger.xreadgroup(keys.RECORDERS_GROUP, "r", {keys.decisions(S): ">"})
    ledger.xautoclaim(keys.decisions(S), keys.RECORDERS_GROUP, "r", 1000)
    pipe = ledger.pipeline(transaction=True)
    pipe.xadd(keys.dead(S), {"v": "1"}, maxlen=10)
    pipe.xack(keys.decisions(S), keys.RECORDERS_GROUP, entry)
    assert pipe.xdel(keys.decisions(S), entry).execute()[1:] == [1, 1]
    live.xadd(keys.feedback(S, "front"), {"v": "1"}, maxlen=64)
    live.xadd(keys.events(S), {"v": "1"}, maxlen=256)
    Heart(live, S, "recorder", "r", dict).beat()
    for step in (
        lambda: ledger.xadd(keys.decisions(S), {"v": "1"}),
        lambda: ledger.xtrim(keys.decisions(S), maxlen=0),
        lambda: live.xrange(keys.frames(S, "front")),
        lambda: live.xadd(keys.requests(S), {"v": "1"}),
        lambda: live.xread({keys.requests(S): "0"}),
    ):
        assert refused(step)


def test_the_recorders_process_publishes_the_gallery(logged_in: As) -> None:
    ledger, model, draft = logged_in("recorder", "ledger"), keys.gallery(S, "m"), keys.gallery(S, "m") + ":draft-1"
    assert ledger.set(keys.publisher(S), "token", nx=True, px=1500)
    assert ledger.pexpire(keys.publisher(S), 1500)
    with ledger.pipeline() as pipe:
        pipe.watch(keys.gallery_log(S), model)
        pipe.hexists(model, ":version")
        ledger.hset(draft, mapping={"a": "b"})
        ledger.expire(draft, 600)
        pipe.multi()
        pipe.persist(draft)
        pipe.rename(draft, model)
        pipe.xadd(keys.gallery_log(S), {"v": "1"}, id="1-0", maxlen=100)
        pipe.execute()
    assert ledger.xinfo_stream(keys.gallery_log(S))["last-generated-id"] == b"1-0"
    assert ledger.hgetall(model)
    assert ledger.get(keys.publisher(S)) == b"token"
    assert ledger.delete(model)


def test_a_dashboard_asks_listens_and_no_more(logged_in: As) -> None:
    live, ledger, admin = logged_in("dashboard", "live"), logged_in("dashboard", "ledger"), logged_in("admin", "live")
    entry = live.xadd(keys.requests(S), {"v": "1"}, maxlen=32, approximate=False)
    assert live.xdel(keys.requests(S), entry) == 1
    admin.rpush(keys.reply(S, "r2"), b"x")
    assert live.blpop([keys.reply(S, "r2")], timeout=1)
    admin.xadd(keys.events(S), {"v": "1"})
    assert live.xrevrange(keys.events(S), count=1)
    assert live.xread({keys.events(S): "0"})
    assert list(live.scan_iter(match="heartbeat:*")) is not None
    live.get(keys.heartbeat(S, "kiosk", "front"))
    live.zrange(keys.kiosks(S), 0, -1)
    assert live.set(keys.enrolling(S, "front"), b"wish", nx=True, px=60_000)
    with live.pipeline(transaction=True) as pipe:
        pipe.watch(keys.enrolling(S, "front"))
        assert pipe.get(keys.enrolling(S, "front")) == b"wish"
        pipe.multi()
        pipe.delete(keys.enrolling(S, "front"))
        pipe.execute()
    admin.hset(keys.enrol_pictures(S, "d1"), "state", b"{}")
    assert live.hgetall(keys.enrol_pictures(S, "d1"))
    assert live.delete(keys.enrol_pictures(S, "d1"))
    assert ledger.xlen(keys.decisions(S)) >= 0
    for step in (
        lambda: live.xread({keys.frames(S, "front"): "0"}),
        lambda: live.xread({keys.requests(S): "0"}),
        lambda: live.hset(keys.enrol_pictures(S, "d1"), "state", b"{}"),
        lambda: live.xadd(keys.events(S), {"v": "1"}),
        lambda: live.xadd(keys.feedback(S, "front"), {"v": "1"}),
        lambda: ledger.xadd(keys.decisions(S), {"v": "1"}),
        lambda: ledger.xrange(keys.decisions(S)),
        lambda: ledger.hgetall(keys.gallery(S, "m")),
    ):
        assert refused(step)


def test_the_deliverer_sees_with_the_dashboards_user_whether_all_punches_are_there(logged_in: As) -> None:
    live, ledger = logged_in("dashboard", "live"), logged_in("dashboard", "ledger")
    admin_live, admin_ledger = logged_in("admin", "live"), logged_in("admin", "ledger")
    Heart(admin_live, S, "recorder", "r", dict).beat()
    Heart(live, S, "deliverer", "d", dict).beat()
    assert refused(lambda: Heart(live, S, "worker", "d", dict).beat())
    admin_live.zadd(keys.kiosks(S), {"front": 1})
    admin_ledger.delete(keys.decisions(S), keys.backlog(S, "front"))
    assert settled_until_ms({S: live}, {S: ledger}, 10**12) == 10**12 - MARGIN_MS
    assert refused(lambda: ledger.xrange(keys.backlog(S, "front")))


def test_an_operator_looks_puts_back_and_no_more(logged_in: As) -> None:
    live, ledger, admin = logged_in("operator", "live"), logged_in("operator", "ledger"), logged_in("admin", "ledger")
    letters, letter = DeadLetters(ledger, S), admin.xadd(keys.dead(S), {"v": "1", "dead_id": "1-1"}).decode()
    assert letters.one(letter).entry_id == "1-1"
    assert letters.replay(letter)
    letters.drop(admin.xadd(keys.dead(S), {"v": "1"}).decode())
    assert list(letters.all()) is not None
    figures = look(SiteClients(live, ledger, S))
    assert figures.waiting["decisions"] >= 1
    for step in (
        lambda: ledger.xrange(keys.decisions(S)),
        lambda: ledger.xdel(keys.decisions(S), "1-1"),
        lambda: ledger.delete(keys.dead(S)),
        lambda: ledger.xadd(keys.dead(S), {"v": "1"}),
        lambda: ledger.hgetall(keys.gallery(S, "m")),
        lambda: ledger.xrange(keys.backlog(S, "front")),
        lambda: live.xrange(keys.frames(S, "front")),
        lambda: live.xread({keys.feedback(S, "front"): "0"}),
        lambda: live.set(keys.heartbeat(S, "kiosk", "front"), "{}"),
        lambda: live.zadd(keys.kiosks(S), {"front": 1}),
    ):
        assert refused(step)


def test_the_file_holds_no_password() -> None:
    line = acl.user_line("worker", "very-secret", acl.worker(S)["live"], (7, 0))
    assert "very-secret" not in line
    assert line.startswith("user worker on #")
    assert "client|setinfo" not in line
    assert "+client|setinfo" in acl.user_line("worker", "very-secret", [], (9, 1))


def test_a_bundles_way_from_the_operator_to_a_worker(logged_in: As) -> None:
    operator, live, ledger = logged_in("operator", "live"), logged_in("worker", "live"), logged_in("worker", "ledger")
    offer, chunk, taken = keys.bundle_offer(S), keys.bundle_chunk(S, "t1", 0), keys.bundle_taken(S)
    assert operator.set(offer, "{}", nx=True, ex=20)
    assert operator.get(offer) == live.get(offer) == b"{}"
    pipe = operator.pipeline(transaction=False)
    pipe.set(chunk, b"x", ex=30).execute()
    assert live.get(chunk) == b"x"
    live.pipeline(transaction=True).hset(taken, "w1", "{}").expire(taken, 60).execute()
    assert operator.hgetall(taken) == {b"w1": b"{}"}
    assert operator.delete(chunk) == operator.delete(offer) == operator.delete(taken) == 1
    entry = operator.xadd(keys.requests(S), {"v": "1"}, maxlen=32, approximate=False)
    assert operator.xdel(keys.requests(S), entry) == 1
    logged_in("admin", "live").rpush(keys.reply(S, "r3"), b"x")
    assert operator.blpop([keys.reply(S, "r3")], timeout=1)
    assert ledger.get(keys.serving(S)) is None
    for step in (
        lambda: live.set(offer, "{}"),
        lambda: live.set(chunk, b"x"),
        lambda: live.delete(offer),
        lambda: live.hgetall(taken),
        lambda: operator.get(chunk),
        lambda: operator.hset(taken, "w1", "{}"),
        lambda: operator.xread({keys.requests(S): "0"}),
    ):
        assert refused(step)


def test_only_the_recorder_says_which_model_serves(logged_in: As) -> None:
    ledger = logged_in("recorder", "ledger")
    with ledger.pipeline() as pipe:
        pipe.watch(keys.serving(S))
        pipe.get(keys.serving(S))
        pipe.multi()
        pipe.set(keys.serving(S), "{}")
        assert pipe.execute() == [True]
    assert logged_in("operator", "ledger").get(keys.serving(S)) == b"{}"
    for user in ("kiosk-front", "worker", "dashboard", "operator"):
        client = logged_in(user, "ledger")
        assert refused(lambda: client.set(keys.serving(S), "{}")), user  # noqa: B023
        assert refused(lambda: client.delete(keys.serving(S))), user  # noqa: B023
    for user in ("kiosk-front", "dashboard", "recorder"):
        client = logged_in(user, "live")
        assert refused(lambda: client.set(keys.bundle_offer(S), "{}")), user  # noqa: B023
        assert refused(lambda: client.get(keys.bundle_offer(S))), user  # noqa: B023
    assert logged_in("admin", "ledger").delete(keys.serving(S))
