"""What a site keeps, locks and hands to its services."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import demo_home
from deploy.errors import Problem
from deploy.secret_store import (
    RUNNING,
    SECRETS,
    SITE_KEYS,
    Passwords,
    load_passwords,
    load_site_keys,
    only_one,
    running_urls,
    write_private,
)
from deploy.settings import DeploySettings
from deploy.site import Site, require_port
from deploy.up import given_urls
from tests.conftest import RedisPair
from worker.protocol.sealing import public_of


def test_passwords_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    first = load_passwords(tmp_path, ["admin", "worker"])
    assert load_passwords(tmp_path, ["worker"]) == first
    more = load_passwords(tmp_path, ["kiosk-back"])
    assert more["worker"] == first["worker"]
    assert len(set(more.values())) == 3
    assert stat.S_IMODE((tmp_path / SECRETS).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[1]", '{"admin": ""}', '{"admin": 3}', "\x00"])
def test_damaged_secrets_are_told_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / SECRETS).write_text(text)
    with pytest.raises(Problem, match="delete it"):
        load_passwords(tmp_path, ["admin"])
    assert (tmp_path / SECRETS).read_text() == text


def test_the_sites_keys_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    public, private = load_site_keys(tmp_path)
    assert load_site_keys(tmp_path) == (public, private)
    assert public_of(private) == public
    assert stat.S_IMODE((tmp_path / SITE_KEYS).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"public": "", "private": ""}', json.dumps({"public": "a" * 64, "private": "b" * 64})]
)
def test_damaged_keys_are_told_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / SITE_KEYS).write_text(text)
    with pytest.raises(Problem, match="put a copy back") as caught:
        load_site_keys(tmp_path)
    assert "b" * 64 not in str(caught.value)
    assert (tmp_path / SITE_KEYS).read_text() == text


def test_only_workers_get_the_private_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, private = load_site_keys(tmp_path)
    monkeypatch.setenv("ATTENDANCE_SITE_PRIVATE_KEY", "f" * 64)
    urls = {"live": "redis://h:1/0", "ledger": "redis://h:2/0"}
    site = Site(tmp_path, "s0", {}, urls, site_keys=(public, private))
    for role, name in (("kiosk", "a"), ("worker", ""), ("recorder", ""), ("dashboard", "")):
        environment = site.child(role, name).environment
        assert environment.get("ATTENDANCE_SITE_PRIVATE_KEY") == (private if role == "worker" else None)
        assert environment.get("ATTENDANCE_SITE_PUBLIC_KEY") == (public if role == "kiosk" else None)


def test_a_home_is_used_once_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(Problem, match=f"process {os.getpid()}"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"live": "redis://a"}'])
def test_what_runs_is_read_with_care(tmp_path: Path, text: str) -> None:
    assert running_urls(tmp_path) == {}
    (tmp_path / RUNNING).write_text(text)
    assert running_urls(tmp_path) == {}
    write_private(tmp_path / RUNNING, {"live": "redis://a", "ledger": "redis://b", "pid": 1})
    assert running_urls(tmp_path) == {"live": "redis://a", "ledger": "redis://b"}
    assert running_urls(tmp_path, "operator") == {}
    write_private(tmp_path / RUNNING, {"operator": {"live": "redis://c", "ledger": "redis://d"}})
    assert running_urls(tmp_path, "operator") == {"live": "redis://c", "ledger": "redis://d"}


def test_a_service_gets_its_own_user_and_never_the_administrators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", "redis://admin:top@h:1/0")
    passwords = Passwords({"admin": "top"})
    urls = {"live": "redis://admin:top@127.0.0.1:7001/0", "ledger": "redis://admin:top@127.0.0.1:7002/0"}
    site = Site(tmp_path, "s0", passwords, urls, started_redis=True)
    child = site.child("kiosk", "back", {"ATTENDANCE_KIOSK_SOURCE": "1"})
    password = passwords["kiosk-back"]
    assert child.environment["ATTENDANCE_LIVE_URL"] == f"redis://kiosk-back:{password}@127.0.0.1:7001/0"
    assert child.environment["ATTENDANCE_LEDGER_URL"] == f"redis://kiosk-back:{password}@127.0.0.1:7002/0"
    assert child.environment["ATTENDANCE_KIOSK_NAME"] == "back"
    assert not any("top" in value for value in child.environment.values())
    assert password not in " ".join(child.command)
    order = [
        site.child(role, name).rank
        for role, name in (("kiosk", "a"), ("worker", ""), ("recorder", ""), ("deliverer", ""), ("dashboard", ""))
    ]
    assert order == sorted(set(order))


def test_only_the_deliverer_gets_other_systems_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_FRAPPE_API_SECRET", "top")
    passwords = Passwords()
    urls = {"live": "redis://127.0.0.1:7001/0", "ledger": "redis://127.0.0.1:7002/0"}
    site = Site(tmp_path, "s0", passwords, urls, started_redis=True)
    for role, name in (("kiosk", "a"), ("worker", ""), ("recorder", ""), ("dashboard", "")):
        assert "top" not in site.child(role, name).environment.values()
    child = site.child("deliverer")
    assert child.environment["ATTENDANCE_FRAPPE_API_SECRET"] == "top"
    assert child.environment["ATTENDANCE_LIVE_URL"].startswith("redis://dashboard:")
    assert child.command[-2:] == ["webhooks", "deliver"]


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=rf"port {port} for the dashboard.*ATTENDANCE_DASHBOARD_PORT"):
            require_port(port, "ATTENDANCE_DASHBOARD_PORT", "the dashboard")
    require_port(port, "ATTENDANCE_DASHBOARD_PORT", "the dashboard")


def test_a_redis_that_is_there_already_is_used(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given_urls(DeploySettings()) == {}
    monkeypatch.setenv("ATTENDANCE_LIVE_URL", redis_pair.live_server.url())
    with pytest.raises(Problem, match="ATTENDANCE_LEDGER_URL"):
        given_urls(DeploySettings())
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", redis_pair.ledger_server.url())
    urls = given_urls(DeploySettings())
    assert urls == {"live": redis_pair.live_server.url(), "ledger": redis_pair.ledger_server.url()}
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", "redis://u:secret@127.0.0.1:1/0")
    with pytest.raises(Problem, match=r"no Redis answers") as caught:
        given_urls(DeploySettings())
    assert "secret" not in str(caught.value)


def test_the_demos_home_is_deleted_unless_asked_for(tmp_path: Path) -> None:
    with demo_home.fresh(None) as home:
        assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
        (home.path / "attendance.db").write_text("people")
    assert not home.path.exists()
    with demo_home.fresh(tmp_path / "kept") as home:
        (home.path / "attendance.db").write_text("people")
    assert (tmp_path / "kept" / "attendance.db").exists()
    with pytest.raises(Problem, match="new or an empty folder"), demo_home.fresh(tmp_path / "kept"):
        pass


def test_what_a_killed_demo_left_is_deleted_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    abandoned, living = tmp_path / f"{demo_home.PREFIX}old", tmp_path / f"{demo_home.PREFIX}new"
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, pathlib; from deploy.secret_store import only_one\n"
         "with only_one(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()", str(living)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with only_one(abandoned):
        pass
    demo_home.remove_abandoned()
    assert not abandoned.exists()
    assert living.exists()
    holder.communicate("")


def test_the_demos_keys_leave_a_foreign_redis(redis_pair: RedisPair) -> None:
    shard = demo_home.new_shard()
    redis_pair.live.set(f"lease:{{{shard}}}:a", "1")
    redis_pair.live.set("lease:{s0}:a", "1")
    demo_home.delete_keys([redis_pair.live], shard)
    assert redis_pair.live.keys("*") == [b"lease:{s0}:a"]


def test_the_demos_person_is_a_plan(tmp_path: Path) -> None:
    from deploy.enrol_folder import read_plan

    people = read_plan(demo_home.write_demo_people(tmp_path / "people")).people
    assert [(person.code, person.name) for person in people] == [("E001", "Eileen Collins")]
