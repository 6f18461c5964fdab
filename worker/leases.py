"""Which kiosks are ours: found by their heartbeats (janitor.py), shared out among the living workers, held by leases.

Every worker works out the same rightful owner of each kiosk (see rendezvous.py), takes the free ones that are its own and
gives up those that aren't any more. Leases save work, they are never the guard.
"""

import logging
import time

from worker.protocol import keys
from worker.protocol.connection import Client, server_time_ms
from worker.rendezvous import owner

log = logging.getLogger(__name__)

FIND_EVERY_S = 0.5
ANNOUNCED_MS = 15_000
"""A kiosk that lived within this time is looked after; its heart beats twice a second."""
FORGOTTEN_MS = 3_600_000

RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end"
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class Leases:
    """`held` are ours now; when a kiosk leaves it, its tracks must go too. Call `refresh` between two batches."""

    def __init__(self, live: Client, shard: str, worker: str, lease_ms: int) -> None:
        self.live, self.shard, self.worker, self.lease_ms = live, shard, worker, lease_ms
        self.held: set[str] = set()
        self.living: set[str] = {worker}
        """The workers that kiosks were last shared out among."""
        self._last_s = float("-inf")
        self._renew, self._release = live.register_script(RENEW), live.register_script(RELEASE)

    def refresh(self, ready: bool = True) -> bool:
        """Announce ourselves, look for kiosks and renew, at most twice a second. True when we stalled longer than a
        lease and lost them all.

        A worker that isn't `ready` to judge leaves the kiosks to those that are, and takes free ones only where nobody is.
        """
        now_s = time.monotonic()
        if now_s - self._last_s < min(FIND_EVERY_S, self.lease_ms / 4000):
            return False
        stalled = bool(self.held) and (now_s - self._last_s) * 1000 > self.lease_ms
        now_ms = server_time_ms(self.live)
        self.living = self._living(now_ms, ready)
        self.live.zremrangebyscore(keys.kiosks(self.shard), "-inf", now_ms - FORGOTTEN_MS)
        mine = {kiosk for kiosk in self._announced(now_ms) if owner(kiosk, self.living) == self.worker}
        self._give_up(self.held - mine)
        self.held = {kiosk for kiosk in sorted(mine) if self._hold(kiosk)}
        self._last_s = now_s  # only now: a refresh that failed renewed nothing
        if stalled:
            log.warning("stalled longer than a lease; every track is dropped")
        return stalled

    def _living(self, now_ms: int, ready: bool) -> set[str]:
        """Workers that announced themselves within a lease's time, on the server's clock; us alone where there are none.

        We announce ourselves in the loop that serves the kiosks, not in the heartbeat's thread: a worker that hangs there
        must lose its kiosks.
        """
        key = keys.workers(self.shard)
        if ready:
            self.live.zadd(key, {self.worker: now_ms})
        else:
            self.live.zrem(key, self.worker)
        self.live.zremrangebyscore(key, "-inf", now_ms - FORGOTTEN_MS)
        names = self.live.zrangebyscore(key, now_ms - self.lease_ms, "+inf")
        return {name for raw in names if keys.WORKER_NAME.fullmatch(name := raw.decode(errors="replace"))} or {
            self.worker
        }

    def _announced(self, now_ms: int) -> list[str]:
        names = self.live.zrangebyscore(keys.kiosks(self.shard), now_ms - ANNOUNCED_MS, "+inf")
        return [name for raw in names if keys.KIOSK_NAME.fullmatch(name := raw.decode(errors="replace"))]

    def _hold(self, kiosk: str) -> bool:
        key = keys.lease(self.shard, kiosk)
        if self._renew(keys=[key], args=[self.worker, self.lease_ms]):
            return True
        return bool(self.live.set(key, self.worker, nx=True, px=self.lease_ms))

    def _give_up(self, kiosks: set[str]) -> None:
        """Release those: their rightful owner goes on at once. Ones whose kiosk went quiet simply end."""
        for kiosk in sorted(kiosks):
            self._release(keys=[keys.lease(self.shard, kiosk)], args=[self.worker])
            self.held.discard(kiosk)
            log.info("kiosk %s given up", kiosk, extra={"kiosk": kiosk})

    def leave(self) -> None:
        """Let others go on at once; for a graceful stop."""
        self.live.zrem(keys.workers(self.shard), self.worker)
        for kiosk in self.held:
            self._release(keys=[keys.lease(self.shard, kiosk)], args=[self.worker])
        self.held.clear()
