from pathlib import Path

import pytest
from pydantic import ValidationError

from worker.protocol.settings import CommonSettings


def test_urls_by_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="ATTENDANCE_LIVE_URL or ATTENDANCE_REDIS_URL"):
        CommonSettings().url("live")
    monkeypatch.setenv("ATTENDANCE_REDIS_URL", "redis://one")
    assert CommonSettings().url("live") == CommonSettings().url("ledger") == "redis://one"
    monkeypatch.setenv("ATTENDANCE_LEDGER_URL", "redis://two")
    assert CommonSettings().url("ledger") == "redis://two"
    assert CommonSettings(live_url="redis://three").url("live") == "redis://three"


def test_a_bad_shard_is_refused() -> None:
    with pytest.raises(ValidationError, match="shard"):
        CommonSettings(shard="S 0")
