"""The doctor among broken things: it names each, says what to do, and never falls over."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import doctor, doctor_machine, doctor_site, site_key
from deploy.cli import app
from deploy.secret_store import RUNNING, write_private
from tests.conftest import RedisPair
from worker.protocol.finding import Finding, State
from worker.protocol.heartbeats import Heart


def found(findings: list[Finding], check: str) -> Finding:
    return next(finding for finding in findings if finding.check == check)


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path))


def test_a_fresh_machine_has_no_problem_and_liveness_is_always_told() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.output
    findings = {f["check"]: f for f in json.loads(result.stdout)["findings"]}
    assert findings["Python"]["state"] == "ok"
    assert findings["liveness"]["state"] == "warning"
    assert "not checked" in findings["liveness"]["words"]
    assert "attendance up" in findings["Redis"]["advice"]
    assert "sface" in findings["recogniser"]["words"]


def test_everything_broken_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name, value in {
        "ATTENDANCE_HOME": str(tmp_path / "file" / "below"),
        "ATTENDANCE_REDIS_URL": "redis://u:secret@127.0.0.1:1",
        "ATTENDANCE_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x",
        "ATTENDANCE_MODEL": str(tmp_path / "no-bundle"),
        "ATTENDANCE_KIOSK_SCREEN_PORT": "seventy",
    }.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert "secret" not in result.output
    problems = {f["check"] for f in json.loads(result.stdout)["findings"] if f["state"] == "problem"}
    assert problems == {"settings", "disk", "Redis, live", "Redis, ledger", "database", "recogniser"}
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1


def test_good_servers_are_ok_and_found_through_a_running_up(redis_pair: RedisPair, tmp_path: Path) -> None:
    urls = {"live": redis_pair.live_server.url(), "ledger": redis_pair.ledger_server.url()}
    write_private(tmp_path / RUNNING, {"pid": 1, **urls})
    findings = doctor_site.redis_servers()
    assert {f.state for f in findings} == {State.OK}
    assert len([f for f in findings if f.check == "clock"]) == 2


def test_wrong_rules_and_one_server_for_both_are_told(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", redis_pair.live_server.url())
    findings = doctor_site.redis_servers()
    assert "appendfsync always" in found(findings, "Redis, ledger").words
    assert "one server has both roles" in found(findings, "Redis, roles").words
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", redis_pair.ledger_server.url())
    live = found(doctor_site.redis_servers(), "Redis, live")
    assert "writes to disk" in live.words
    assert "maxmemory is not set" in live.words


def test_a_clock_that_is_off(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", redis_pair.live_server.url())
    now_s = time.time()
    monkeypatch.setattr("time.time", lambda: now_s + 600)
    clock = found(doctor_site.redis_servers(), "clock")
    assert clock.state is State.PROBLEM
    assert "ahead" in clock.words
    monkeypatch.setattr("time.gmtime", lambda *_: time.struct_time((1970, 1, 1, 0, 0, 0, 3, 1, 0)))
    assert doctor_machine.clock()[0].state is State.PROBLEM


@pytest.mark.parametrize(
    ("data", "state", "words"),
    [
        ({"ready": True, "meets_target": True, "threshold": 9.5}, State.OK, "threshold 9.50"),
        ({"ready": True, "meets_target": False, "promised_fpir": 0.02}, State.WARNING, "more than wanted"),
        ({"ready": True, "accepts_too_few": True, "true_accept_rate": 0.85}, State.WARNING, "85% of genuine"),
        ({"ready": True, "threshold": 8.5, "site_limit": 8.5}, State.OK, "8.50 (the site's limit)"),
        ({"ready": False}, State.WARNING, "judges nobody"),
    ],
)
def test_what_workers_say(
    redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch, data: dict[str, object], state: State, words: str
) -> None:
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", redis_pair.live_server.url())
    assert found(doctor_site.recogniser(), "worker").state is State.WARNING
    Heart(redis_pair.live, "s0", "worker", "w1", lambda: {"model_id": "m", "gallery_size": 3, **data}).beat()
    worker = found(doctor_site.recogniser(), "worker w1")
    assert worker.state is state
    assert words in worker.words


def test_the_databases_schema(tmp_path: Path) -> None:
    from dashboard.database import upgrade

    (tmp_path / "attendance.db").touch()
    assert found(doctor_site.database(), "database").state is State.PROBLEM
    upgrade(f"sqlite:///{tmp_path / 'attendance.db'}")
    assert found(doctor_site.database(), "database").state is State.OK
    (tmp_path / "attendance.db").write_bytes(b"no database at all" * 100)
    assert found(doctor_site.database(), "database").state is State.PROBLEM


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((1e8, State.PROBLEM), (1e9, State.WARNING), (1e10, State.OK)):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr("shutil.disk_usage", lambda _path, usage=usage: usage)
        assert doctor_machine.disk()[0].state is state


def test_a_check_that_fails_itself_is_one_problem_among_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_check() -> list[Finding]:
        raise RuntimeError("surprise at redis://u:secret@h")

    monkeypatch.setattr(doctor_machine, "CHECKS", (broken_check, doctor_machine.python))
    monkeypatch.setattr(doctor_site, "CHECKS", ())
    monkeypatch.setattr(site_key, "CHECKS", ())
    findings = doctor.examine()
    assert [f.state for f in findings] == [State.PROBLEM, State.OK]
    assert "surprise" in findings[0].words
    assert "secret" not in findings[0].words
