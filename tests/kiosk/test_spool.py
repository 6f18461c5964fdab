"""The spool on a real disk: whole or not there, bounded, and no bad file in the way of a good one."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.spool import ENDING, Head, Spool, head_for
from kiosk.true_time import Moment
from worker.protocol.sealing import BadSeal, new_key_pair, seal, unseal
from worker.protocol.telemetry import Counters

NOW = Moment(1_795_478_400_000, 1_000_000_000, "boot")
HOUR_MS = 3_600_000
PUBLIC, PRIVATE = new_key_pair()
Make = Callable[..., Spool]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(max_bytes: int = 10_000_000, now: Moment = NOW) -> Spool:
        spool = Spool(tmp_path / "spool", max_bytes, 72 * HOUR_MS, Counters(), lambda: now)
        spool.open()
        return spool

    return made


def head(sealed: bytes, part: int = 0, taken: Moment = NOW) -> Head:
    return head_for(sealed, taken, presence="p1", part=part, more=False, key_id="0" * 16)


def keep(spool: Spool, part: int = 0, sealed: bytes = b"sealed" * 100, taken: Moment = NOW) -> bool:
    return spool.write(head(sealed, part, taken), sealed)


def parts(spool: Spool) -> list[int]:
    return [entry.head.part for entry in spool.entries()]


def files(spool: Spool) -> list[Path]:
    return sorted(spool.folder.iterdir())


def test_entries_come_back_in_order_also_after_a_restart(make: Make) -> None:
    spool = make()
    for part in range(12):
        assert keep(spool, part, b"%d" % part * 50)
    assert parts(make()) == list(range(12))
    first = next(make().entries())
    assert (first.sealed, first.head.taken) == (b"0" * 50, NOW)


def test_only_this_user_may_read_it_and_it_says_nothing_of_who(make: Make) -> None:
    spool = make()
    sealed = seal(b"\xff\xd8 a face", PUBLIC)
    keep(spool, sealed=sealed)
    (file,) = files(spool)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
    assert b"a face" not in file.read_bytes()
    (entry,) = spool.entries()
    with pytest.raises(BadSeal):
        unseal(entry.sealed, PUBLIC)
    assert unseal(entry.sealed, PRIVATE) == b"\xff\xd8 a face"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:20],
        lambda data: data + b"x",
        lambda data: data[:-1] + b"?",
        lambda data: b"\x00" * len(data),
        lambda data: b"\n" + data,
        lambda data: b"{}\n" + data,
        lambda data: b"[" * 5_000_000,
        lambda data: data.replace(b'"format":1', b'"format":2'),
        lambda data: data.replace(b'"part":1', b'"part":-1'),
    ],
)
def test_damaged_files_are_dropped_with_a_word_and_block_nothing(
    make: Make, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    spool = make()
    for part in range(3):
        keep(spool, part)
    bad = files(spool)[1]
    bad.write_bytes(damage(bad.read_bytes()))
    assert parts(spool) == [0, 2]
    assert not bad.exists()
    assert f"{bad.name} dropped" in caplog.text
    assert spool.counters["spool_damaged"] == 1


def test_a_write_that_the_power_cut_is_cleared_away_and_the_rest_stays(make: Make) -> None:
    spool = make()
    keep(spool)
    (spool.folder / "0001-half.draft").write_bytes(b"half")
    assert parts(make()) == [0]
    assert len(files(spool)) == 1


def test_what_was_held_when_the_kiosk_died_becomes_an_entry(make: Make) -> None:
    spool = make()
    keep(spool, 0)
    for sealed in (b"first", b"second and longer", b"third"):
        assert spool.hold(head(sealed, 7), sealed)
    assert parts(spool) == [0], "while the kiosk lives it is no entry"
    assert len(files(spool)) == 2
    assert [(one.head.part, one.sealed) for one in make().entries()] == [(0, b"sealed" * 100), (7, b"third")]


def test_what_is_let_go_leaves_nothing_behind(make: Make) -> None:
    spool = make()
    spool.let_go("p1")
    spool.hold(head(b"sealed"), b"sealed")
    spool.let_go("p1")
    assert files(spool) == []


@pytest.mark.parametrize("call", ["fsync", "rename", "open"])
def test_a_full_disk_loses_nothing_else(
    make: Make, monkeypatch: pytest.MonkeyPatch, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    spool = make()
    keep(spool, 0)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path if call == "rename" else os, call, full)
        assert not keep(spool, 1)
        assert not keep(spool, 2)
        assert not spool.hold(head(b"sealed"), b"sealed")
    assert caplog.text.count("No space left") == 1
    assert spool.broken
    assert parts(spool) == [0]
    assert all(file.suffix == ENDING for file in files(spool))
    assert keep(spool, 3)
    assert parts(spool) == [0, 3]
    assert not spool.broken


def test_the_oldest_goes_when_it_is_full(make: Make) -> None:
    spool = make(max_bytes=5_000)
    for part in range(10):
        assert keep(spool, part, b"x" * 1_000)
    assert parts(spool) == [7, 8, 9] or parts(spool) == [6, 7, 8, 9]
    assert sum(file.stat().st_size for file in files(spool)) <= 5_000
    assert spool.counters["spool_pushed_out"] == 10 - len(parts(spool))
    assert not keep(spool, 11, b"x" * 6_000)


def test_what_is_too_old_goes_by_whichever_clock_can_tell(make: Make) -> None:
    spool = make()
    ages = {
        0: Moment(NOW.wall_ms, NOW.steady_ms - 73 * HOUR_MS, "boot"),
        1: Moment(NOW.wall_ms - 73 * HOUR_MS, 5, "earlier boot"),
        2: Moment(NOW.wall_ms - 71 * HOUR_MS, 5, "earlier boot"),
        3: Moment(0, NOW.steady_ms, "boot"),
        4: Moment(0, 5, "a boot without a clock"),
        5: Moment(NOW.wall_ms + 99 * HOUR_MS, 5, "earlier boot"),
    }
    for part, taken in ages.items():
        keep(spool, part, taken=taken)
    assert parts(spool) == [2, 3, 4, 5]
    assert spool.counters["spool_expired"] == 2


def test_a_folder_that_is_gone_is_told_not_died_of(make: Make) -> None:
    spool = make()
    spool.folder.rmdir()
    assert parts(spool) == []
    assert not keep(spool)
    assert spool.broken
