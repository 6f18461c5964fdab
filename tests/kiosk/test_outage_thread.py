"""From the keeper to the disk to a real ledger: sealed, timed by the right clock, sent once, gone when acknowledged."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.keeper import Keeper
from kiosk.outage import Outage
from kiosk.spool import Spool
from kiosk.true_time import Clocks, Moment
from tests.conftest import RedisPair
from tests.kiosk.support import answer, eventually, grey
from worker.protocol import keys
from worker.protocol.backlog import ENTRIES_WAITING, BacklogEntry, unpack
from worker.protocol.connection import connect, server_time_ms
from worker.protocol.outcomes import Outcome
from worker.protocol.sealing import key_id, new_key_pair, unseal
from worker.protocol.telemetry import Counters

PUBLIC, PRIVATE = new_key_pair()
BACKLOG = keys.backlog("s0", "front")
WALL_MS = 1_795_478_400_000


class SetClocks(Clocks):
    """A machine whose boot id and wall clock the test sets; its steady clock is the real one."""

    def __init__(self, boot_id: str = "boot", wall_ms: int = WALL_MS) -> None:
        super().__init__()
        self.boot_id, self.wall_ms = boot_id, wall_ms

    def now(self) -> Moment:
        return Moment(self.wall_ms, super().now().steady_ms, self.boot_id)


Make = Callable[..., Outage]


@pytest.fixture
def make(redis_pair: RedisPair, tmp_path: Path) -> Make:
    def made(clocks: Clocks | None = None) -> Outage:
        chosen, counters = clocks or SetClocks(), Counters()
        spool = Spool(tmp_path / "spool", 10_000_000, 10**9, counters, chosen.now)
        spool.open()
        ledger = connect(redis_pair.ledger_server.url(), name="kiosk-front-backlog")
        keeper = Keeper(lambda picture: b"\xff\xd8 a jpeg")
        return Outage(
            *(ledger, "s0", "front", PUBLIC, keeper, spool, counters),
            here=lambda: None,
            links_up=lambda: False,
            clocks=chosen,
        )

    return made


def somebody_was_here(outage: Outage, presence: str = "p1", ago_s: float = 0.0) -> None:
    for number in range(4):
        captured_s = time.monotonic() - ago_s - 2 + number / 2
        outage.keeper.offer(grey(100), captured_s, presence, 1.0)


def keep(outage: Outage, presence: str = "p1", ago_s: float = 0.0) -> None:
    """To the disk only."""
    somebody_was_here(outage, presence, ago_s)
    outage._not_before_s = float("inf")
    outage.step()
    outage._not_before_s = 0.0


def entries(pair: RedisPair) -> list[BacklogEntry]:
    found: Any = pair.ledger.xrange(BACKLOG)
    return [BacklogEntry.from_fields(fields) for _, fields in found]


def test_what_was_kept_goes_to_the_ledger_and_then_from_the_disk(make: Make, redis_pair: RedisPair) -> None:
    outage = make()
    keep(outage, ago_s=60)
    assert len(outage.spool) == 1
    outage.step()
    (entry,) = entries(redis_pair)
    pictures = unpack(unseal(entry.sealed, PRIVATE), "front", entry)
    assert [one.offset_ms for one in pictures] == [0, 500, 1000, 1500]
    assert (entry.presence, entry.part, entry.key_id) == ("p1", 0, key_id(PUBLIC))
    assert abs(entry.captured_ms - (server_time_ms(redis_pair.ledger) - 62_000)) < 1_000
    assert not entry.time_uncertain
    assert len(outage.spool) == 0
    outage._not_before_s = 0.0
    outage.step()
    assert len(entries(redis_pair)) == 1


def test_a_wrong_wall_clock_changes_nothing_in_the_same_boot(make: Make, redis_pair: RedisPair) -> None:
    clocks = SetClocks(wall_ms=0)
    outage = make(clocks)
    keep(outage, ago_s=60)
    clocks.wall_ms = 10**12
    outage.step()
    (entry,) = entries(redis_pair)
    assert abs(entry.captured_ms - (server_time_ms(redis_pair.ledger) - 62_000)) < 1_000
    assert not entry.time_uncertain


def test_after_a_restart_of_the_machine_the_time_is_uncertain(make: Make, redis_pair: RedisPair) -> None:
    was_ms = round(time.time() * 1000) - 3_600_000
    keep(make(SetClocks("before", was_ms)))
    make(SetClocks("after", was_ms + 60_000)).step()
    (entry,) = entries(redis_pair)
    assert entry.time_uncertain
    assert abs(entry.captured_ms - was_ms) < 5_000


def test_a_ledger_that_is_away_takes_it_when_it_is_back(
    make: Make, redis_pair: RedisPair, caplog: pytest.LogCaptureFixture
) -> None:
    outage = make()
    redis_pair.ledger_server.kill()
    for number in range(3):
        somebody_was_here(outage, f"p{number}")
    outage.start()
    assert eventually(lambda: len(outage.spool) == 3)
    assert eventually(lambda: "it stays on disk" in caplog.text)
    redis_pair.ledger_server.start()
    assert eventually(lambda: len(outage.spool) == 0)
    outage.stop()
    assert sorted(one.presence for one in entries(redis_pair)) == ["p0", "p1", "p2"]
    assert caplog.text.count("it stays on disk") == 1


def test_the_ledger_holds_only_a_few_at_a_time(make: Make, redis_pair: RedisPair) -> None:
    outage = make()
    for number in range(ENTRIES_WAITING + 2):
        keep(outage, f"p{number}")
    for _ in range(ENTRIES_WAITING + 2):
        outage._not_before_s = 0.0
        outage.step()
    assert len(entries(redis_pair)) == ENTRIES_WAITING
    assert len(outage.spool) == 2
    redis_pair.ledger.delete(BACKLOG)
    outage._not_before_s = 0.0
    outage.step()
    assert len(outage.spool) == 1


def test_a_disk_that_will_not_delete_sends_nothing_twice(
    make: Make, redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = make()
    keep(outage)
    monkeypatch.setattr(outage.spool, "remove", lambda path: None)
    for _ in range(3):
        outage._not_before_s = 0.0
        outage.step()
    assert len(entries(redis_pair)) == 1


def test_a_full_disk_is_told_and_what_it_refused_is_tried_again(
    make: Make, redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = make()
    told: list[bool] = []
    outage._on_keeping = told.append
    with monkeypatch.context() as patch:

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr("os.fsync", full)
        keep(outage)
        assert told == [False]
    outage.step()
    assert told == [False, True]
    assert len(entries(redis_pair)) == 1


def test_a_damaged_file_is_not_in_the_way(make: Make, redis_pair: RedisPair) -> None:
    outage = make()
    keep(outage, "p1")
    (file,) = outage.spool.folder.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    keep(outage, "p2")
    outage.step()
    assert [one.presence for one in entries(redis_pair)] == ["p2"]


@pytest.fixture
def waiting(make: Make) -> Outage:
    """Frames and answers pass, but nobody has answered yet."""
    outage = make()
    outage._links_up = lambda: True
    outage._here = lambda: "p1"
    return outage


def test_a_kiosk_that_is_killed_before_an_answer_loses_nobody(
    make: Make, waiting: Outage, redis_pair: RedisPair
) -> None:
    somebody_was_here(waiting)
    waiting.step()
    assert len(waiting.spool) == 0
    again = make()  # the next process
    again.step()
    (entry,) = entries(redis_pair)
    pictures = unpack(unseal(entry.sealed, PRIVATE), "front", entry)
    assert [one.offset_ms for one in pictures] == [0, 500, 1000, 1500]
    assert not entry.time_uncertain
    assert abs(entry.captured_ms - (server_time_ms(redis_pair.ledger) - 2_000)) < 1_000


def test_the_copy_of_what_waits_is_renewed_now_and_then_and_goes_with_the_answer(waiting: Outage) -> None:
    somebody_was_here(waiting)
    for _ in range(5):
        waiting.step()
    assert waiting.counters["spool_held"] == 1
    for ago_s in (0.4, 0.2):
        waiting.keeper.offer(grey(100), time.monotonic() - ago_s + 0.5, "p1", 1.0)
    waiting.keeper.offer(grey(100), time.monotonic() + 1.2, "p1", 1.0)
    waiting.keeper.offer(grey(100), time.monotonic() + 1.8, "p1", 1.0)
    waiting.step()
    assert waiting.counters["spool_held"] == 2
    (file,) = waiting.spool.folder.iterdir()
    assert b"\xff\xd8" not in file.read_bytes()
    now_s = time.monotonic()
    for ago_s in (2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0, -1.5, -2.0):
        waiting.keeper.answered(answer(1, Outcome.NO_FACE), now_s - ago_s, now_s)
    waiting.step()
    assert list(waiting.spool.folder.iterdir()) == []


def test_a_stop_writes_down_what_would_be_lost(make: Make) -> None:
    outage = make()
    somebody_was_here(outage)
    outage.stop()
    assert len(outage.spool) == 1
