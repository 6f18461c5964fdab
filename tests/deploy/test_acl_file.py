"""`attendance acl`: lines that a real server takes, with the same passwords each time."""

import json
from pathlib import Path

import pytest
import redis

from deploy.redis_server import RedisServer
from tests.deploy.test_cli import call
from worker.protocol import keys
from worker.protocol.connection import connect


def test_a_server_takes_the_lines_and_the_users_serve_their_shards(tmp_path: Path) -> None:
    environment = {"ATTENDANCE_HOME": str(tmp_path), "ATTENDANCE_SHARDS": "s1,s2"}
    arguments = ("acl", "--role", "both", "--kiosk", "front=s1", "--kiosk", "back=s2")
    code, output = call(*arguments, **environment)
    assert code == 0
    lines = [line for line in output.splitlines() if line.startswith("user ")]
    assert [line.split()[1] for line in lines] == [
        *("kiosk-front", "kiosk-back", "worker", "recorder", "dashboard", "operator"),
    ]
    assert output == call(*arguments, **environment)[1]
    passwords = json.loads((tmp_path / "secrets.json").read_text())
    assert not any(password in output for password in passwords.values())
    server = RedisServer("ledger", tmp_path / "redis", acl=lines).start()
    try:
        door = connect(server.url("kiosk-back", passwords["kiosk-back"]), name="test")
        assert door.xadd(keys.frames("s2", "back"), {"v": "1"})
        with pytest.raises(redis.exceptions.NoPermissionError):
            door.xadd(keys.frames("s1", "back"), {"v": "1"})
        recorder = connect(server.url("recorder", passwords["recorder"]), name="test")
        for shard in ("s1", "s2"):
            assert recorder.xadd(keys.dead(shard), {"v": "1"})
        worker = connect(server.url("worker", passwords["worker"]), name="test")
        assert worker.xrevrange(keys.frames("s1", "front")) == []
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("kiosks", "shards", "words"),
    [
        (["front"], "s1,s2", "write name=shard"),
        (["front=s3"], "s1,s2", "no such shard"),
        (["Front"], "s1", "use 1-32 of a-z"),
        (["front", "front=s1"], "s1", "there twice"),
    ],
)
def test_wrong_doors_are_refused_with_the_way_out(kiosks: list[str], shards: str, words: str, tmp_path: Path) -> None:
    arguments = [word for kiosk in kiosks for word in ("--kiosk", kiosk)]
    environment = {"ATTENDANCE_HOME": str(tmp_path), "ATTENDANCE_SHARDS": shards}
    code, output = call("acl", "--role", "live", *arguments, **environment)
    assert code == 2
    assert words in output
    assert not (tmp_path / "secrets.json").exists()
