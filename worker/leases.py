"""Which kiosks are ours: found by their announcements, held by leases. Leases save work, they are never the guard."""

import logging
import time

from worker.protocol import keys
from worker.protocol.connection import Client, server_time_ms

log = logging.getLogger(__name__)

FIND_EVERY_S = 0.5
ANNOUNCED_MS = 15_000
"""A kiosk that announced itself within this time is looked after; its heart beats twice a second."""
FORGOTTEN_MS = 3_600_000

RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end"
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class Leases:
    """Takes every free kiosk of the shard. `held` are ours now; when a kiosk leaves it, its tracks must go too."""

    def __init__(self, live: Client, shard: str, worker: str, lease_ms: int) -> None:
        self.live, self.shard, self.worker, self.lease_ms = live, shard, worker, lease_ms
        self.held: set[str] = set()
        self._last_s = float("-inf")
        self._renew, self._release = live.register_script(RENEW), live.register_script(RELEASE)

    def refresh(self) -> bool:
        """Look for kiosks and renew, at most twice a second. True when we stalled longer than a lease and lost them all."""
        now_s = time.monotonic()
        if now_s - self._last_s < min(FIND_EVERY_S, self.lease_ms / 4000):
            return False
        stalled = bool(self.held) and (now_s - self._last_s) * 1000 > self.lease_ms
        now_ms = server_time_ms(self.live)
        self.live.zremrangebyscore(keys.kiosks(self.shard), "-inf", now_ms - FORGOTTEN_MS)
        wanted = self._announced(now_ms)
        self.held = {kiosk for kiosk in wanted if self._hold(kiosk)}
        self._last_s = now_s  # only now: a refresh that failed renewed nothing
        if stalled:
            log.warning("stalled longer than a lease; every track is dropped")
        return stalled

    def _announced(self, now_ms: int) -> list[str]:
        names = self.live.zrangebyscore(keys.kiosks(self.shard), now_ms - ANNOUNCED_MS, "+inf")
        return [name for raw in names if keys.KIOSK_NAME.fullmatch(name := raw.decode(errors="replace"))]

    def _hold(self, kiosk: str) -> bool:
        key = keys.lease(self.shard, kiosk)
        if self._renew(keys=[key], args=[self.worker, self.lease_ms]):
            return True
        return bool(self.live.set(key, self.worker, nx=True, px=self.lease_ms))

    def release_all(self) -> None:
        """Let others go on at once; for a graceful stop."""
        for kiosk in self.held:
            self._release(keys=[keys.lease(self.shard, kiosk)], args=[self.worker])
        self.held.clear()
