"""`attendance site-key`, and what the doctor says of the keys on this machine and on the site."""

from pathlib import Path

import pytest

from deploy import site_key
from deploy.secret_store import load_site_keys
from tests.conftest import RedisPair
from tests.deploy.test_cli import call
from worker.protocol.finding import State
from worker.protocol.heartbeats import Heart
from worker.protocol.sealing import key_id, new_key_pair


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_public_key_is_shown_and_the_pair_made_once(home: Path) -> None:
    code, output = call("site-key")
    public, private = load_site_keys(home)
    assert code == 0
    assert f"ATTENDANCE_SITE_PUBLIC_KEY={public}\n" in output
    assert private not in output
    assert call("site-key") == (code, output)


def test_a_workers_own_key_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, private = new_key_pair()
    monkeypatch.setenv("ATTENDANCE_SITE_PRIVATE_KEY", private)
    assert f"={public}\n" in call("site-key")[1]
    assert not home.exists()


def test_a_damaged_file_is_told(home: Path) -> None:
    home.mkdir()
    (home / "site_keys.json").write_text("{}")
    assert call("site-key")[0] == 2
    (finding,) = site_key.site_keys()
    assert finding.state is State.PROBLEM
    assert "put a copy back" in finding.words


def test_no_keys_at_all_are_a_warning_and_a_pair_is_fine(home: Path) -> None:
    (finding,) = site_key.site_keys()
    assert finding.state is State.WARNING
    assert "not kept" in finding.words
    assert "attendance site-key" in finding.advice
    home.mkdir()
    public, private = load_site_keys(home)
    (finding,) = site_key.site_keys()
    assert finding.state is State.OK
    assert public in finding.words
    assert private not in finding.words


def test_kiosks_and_workers_that_lack_theirs_are_named(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in redis_pair.environment().items():
        monkeypatch.setenv(name, value)
    mine, other = (key_id(new_key_pair()[0]) for _ in range(2))
    for role, name, key in (
        ("worker", "w1", mine),
        ("worker", "w2", None),
        ("kiosk", "good", mine),
        ("kiosk", "bare", None),
        ("kiosk", "odd", other),
        ("kiosk", "liar", ["x"]),
    ):
        Heart(redis_pair.live, "s0", role, name, lambda key=key: {"site_key": key}).beat()  # type: ignore[arg-type, misc]
    found = {finding.check: finding.state for finding in site_key.site_keys()}
    assert found == {
        "site keys, worker w2": State.WARNING,
        "site keys, kiosk bare": State.WARNING,
        "site keys, kiosk odd": State.PROBLEM,
        "site keys, kiosk liar": State.WARNING,
    }
