"""When was it, truly? A kiosk's own clock may be wrong; how long ago something was, it knows as long as it isn't restarted."""

import time
from dataclasses import dataclass
from pathlib import Path

from worker.protocol.entries import new_id

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PLAUSIBLE_MS = 1_704_067_200_000
"""2024: a wall clock before it was never set, as on a board without a battery."""


@dataclass(frozen=True)
class Moment:
    """An instant as three clocks give it. `steady_ms` counts since the boot, sleep included."""

    wall_ms: int
    steady_ms: int
    boot_id: str


class Clocks:
    """Reads this machine's clocks; where the system has no boot id, this process' life stands for the boot."""

    def __init__(self) -> None:
        try:
            self.boot_id = BOOT_ID.read_text().strip()[:64] or new_id()
        except OSError:
            self.boot_id = new_id()
        self._steady = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> Moment:
        return Moment(round(time.time() * 1000), round(time.clock_gettime(self._steady) * 1000), self.boot_id)

    def at(self, captured_s: float) -> Moment:
        """The moment of a time.monotonic() reading of just now."""
        ago_ms = round((time.monotonic() - captured_s) * 1000)
        now = self.now()
        return Moment(now.wall_ms - ago_ms, now.steady_ms - ago_ms, now.boot_id)


def true_time(then: Moment, now: Moment, server_now_ms: int) -> tuple[int, bool]:
    """When `then` was on the server's clock, and whether that is uncertain.

    In the same boot: the server's now minus what the steady clock says has passed. After a restart only the wall clock of
    then is left, which nobody can vouch for; it is never given as later than now.
    """
    passed_ms = now.steady_ms - then.steady_ms
    if then.boot_id == now.boot_id and passed_ms >= 0:
        return max(0, server_now_ms - passed_ms), False
    return max(0, min(then.wall_ms, server_now_ms)), True


def age_ms(then: Moment, now: Moment) -> int | None:
    """How long ago `then` was; None when neither clock can tell."""
    if then.boot_id == now.boot_id and now.steady_ms >= then.steady_ms:
        return now.steady_ms - then.steady_ms
    if min(then.wall_ms, now.wall_ms) < PLAUSIBLE_MS:
        return None
    return max(0, now.wall_ms - then.wall_ms)
