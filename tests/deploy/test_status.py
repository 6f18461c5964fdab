"""`attendance status`: rates between two looks, what is missing, and heartbeats that lie."""

import dataclasses
import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from deploy import status
from deploy.operator import SiteClients
from tests.conftest import RedisPair
from tests.deploy.test_cli import call
from worker.protocol import keys
from worker.protocol.connection import server_time_ms
from worker.protocol.heartbeats import Heart


@pytest.fixture
def site(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> SiteClients:
    for name, value in redis_pair.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    return SiteClients(redis_pair.live, redis_pair.ledger, "s0")


def beat(site: SiteClients, role: Any, name: str, **data: Any) -> None:
    Heart(site.live, "s0", role, name, lambda: data).beat()


def everybody(site: SiteClients, frames: int = 0, ready: bool = True) -> None:
    beat(site, "kiosk", "front", frames_sent=frames, latency={"100": frames}, camera="ok", screen_url="http://x")
    beat(site, "worker", "w1", frames_processed=frames, ready=ready, model_id="m", gallery_size=3)
    beat(site, "recorder", "r1", recorded=frames, duplicate=frames)


def looked(capsys: Any, site: SiteClients, between: Callable[[], None], as_json: bool = True) -> tuple[int, Any]:
    code = status.run(as_json, 0.1, sleep=lambda _s: between())
    text = capsys.readouterr().out
    return code, json.loads(text) if as_json else text


def test_rates_latency_and_lengths(site: SiteClients, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, moments = status.look, iter([100.0, 102.0])
    monkeypatch.setattr(status, "look", lambda site: dataclasses.replace(real(site), at_s=next(moments)))
    everybody(site, 10)
    site.ledger.xadd(keys.dead("s0"), {"v": "1"})
    site.ledger.xadd(keys.backlog("s0", "front"), {"v": "1"})
    code, told = looked(capsys, site, lambda: everybody(site, 30))
    assert code == 0
    assert told["ok"]
    by_role = {one["role"]: one for one in told["services"]}
    assert [by_role[role]["rate"] for role in ("kiosk", "worker", "recorder")] == [10.0, 10.0, 20.0]
    assert by_role["kiosk"]["latency_p95_ms"] == 100
    assert by_role["worker"]["facts"] == {"ready": True, "model_id": "m", "gallery_size": 3}
    assert abs(by_role["worker"]["clock_offset_ms"]) < 5_000
    assert told["waiting"] == {"decisions": 0, "dead": 1, "backlog": 1}


def test_latency_is_that_of_now_or_else_since_the_start() -> None:
    before, now = {"latency": {"1000": 50}}, {"latency": {"1000": 50, "20": 40}}
    assert status._p95(now, before) == 20
    assert status._p95(before, before) == 1000
    assert status._p95({}, None) is None


def test_a_process_that_was_started_anew_has_no_rate_yet(site: SiteClients) -> None:
    everybody(site, 30)
    before = status.look(site)
    key = ("worker", "w1")
    earlier = before.beats[key]
    before.beats[key] = type(earlier)(earlier.role, earlier.name, -1, 0, {"frames_processed": 10_000})
    found = {one.role: one.rate for one in status.compare(before, status.look(site)).services}
    assert found["worker"] is None
    assert found["kiosk"] == 0


@pytest.mark.parametrize("missing", ["kiosk:front", "worker:w1", "recorder:r1"])
def test_a_missing_role_is_told_and_the_exit_code_says_so(site: SiteClients, capsys: Any, missing: str) -> None:
    everybody(site)
    code, text = looked(capsys, site, lambda: site.live.delete(f"heartbeat:{{s0}}:{missing}"), as_json=False)
    assert code == 1
    assert f"no {missing.split(':')[0]} is running" in text


def test_a_worker_without_its_gallery(site: SiteClients, capsys: Any) -> None:
    everybody(site, ready=False)
    code, told = looked(capsys, site, lambda: None)
    assert code == 1
    assert "worker w1 is not ready" in told["problems"][0]


def test_a_kiosk_that_fell_silent_is_shown_as_away(site: SiteClients, capsys: Any) -> None:
    everybody(site)
    now_ms = server_time_ms(site.live)
    site.live.zadd(keys.kiosks("s0"), {"back": now_ms - 60_000, "old": now_ms - 7_200_000, b"\xff[red]": now_ms})
    code, told = looked(capsys, site, lambda: None)
    assert code == 0
    assert [(one["name"], one["alive"]) for one in told["services"] if one["role"] == "kiosk"] == [
        ("back", False),
        ("front", True),
    ]
    assert "away" in looked(capsys, site, lambda: None, as_json=False)[1]


@pytest.mark.parametrize(
    "data",
    [
        {"frames_sent": "many", "latency": {"x": "y"}, "camera": "\x1b[2J[red]" + "x" * 150},
        {"frames_sent": None, "latency": [1], "camera": {"a": 1}},
        {"frames_sent": -1e308, "latency": {"1": -5, "2": 1e400}, "gate_open": "[/]"},
    ],
)
def test_heartbeats_that_lie(site: SiteClients, capsys: Any, data: dict[str, Any]) -> None:
    everybody(site)
    beat(site, "kiosk", "liar", **data)
    site.live.set("heartbeat:{s0}:intruder:x[red]", '{"pid": 1, "clock_offset_ms": 0, "data": {}}')
    site.live.set("heartbeat:{s0}:worker:broken", "{")
    assert looked(capsys, site, lambda: None)[0] == 0
    code, text = looked(capsys, site, lambda: None, as_json=False)
    assert code == 0
    assert "\x1b[2J" not in text


def test_the_command(site: SiteClients) -> None:
    assert "ATTENDANCE_LIVE_URL" in os.environ
    code, text = call("status", "--json", "--seconds", "0.6")
    assert code == 1
    assert json.loads(text)["services"] == []


def test_a_site_of_several_shards_is_told_shard_by_shard(
    site: SiteClients, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDANCE_SHARDS", "s0,s1")
    everybody(site)
    Heart(site.live, "s1", "worker", "w1", lambda: {"ready": True}).beat()
    for shard in ("s0", "s1"):
        site.ledger.xadd(keys.dead(shard), {"v": "1"})
    code, told = looked(capsys, site, lambda: everybody(site))
    assert code == 1
    assert told["problems"] == ["shard s1: no kiosk is running", "shard s1: no recorder is running"]
    assert told["waiting"]["dead"] == 2
    assert [(one["shard"], one["name"]) for one in told["services"] if one["role"] == "worker"] == [
        ("s0", "w1"),
        ("s1", "w1"),
    ]
    _, text = looked(capsys, site, lambda: None, as_json=False)
    assert "s1/w1" in text
