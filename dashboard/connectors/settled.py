"""Until when every punch is in the database: the time that Frappe may mark attendance for.

A door that nobody has heard of for an hour may hold that hour's punches, so the time stops there; it stops nothing any more
once the door's spool would have deleted them.
"""

from collections.abc import Mapping

import redis

from dashboard.operating.running import number, running
from worker.protocol import keys
from worker.protocol.connection import Client

SPOOL_KEPT_MS = 72 * 3_600_000
"""As kiosks have it unless set otherwise: what waited longer there is deleted, unrecorded."""
MARGIN_MS = 120_000
"""A presence is decided on while the person still stands there; and a kiosk gives up waiting after 10 s."""


def settled_until_ms(lives: Mapping[str, Client], ledgers: Mapping[str, Client], now_ms: int) -> int | None:
    """UTC milliseconds; None while that can't be said: Redis or a recorder is away, or something still waits."""
    now = running(lives)
    if not now.reachable or now.recorders < len(lives):
        return None
    try:
        for shard, ledger in ledgers.items():
            if ledger.xlen(keys.decisions(shard)):
                return None
            if any(ledger.xlen(keys.backlog(shard, name)) for name in now.seen_ms if keys.KIOSK_NAME.fullmatch(name)):
                return None
    except (redis.exceptions.RedisError, OSError):
        return None
    if any(number(beat.data, "spool_waiting") for beat in now.kiosks.values()):
        return None
    away = [seen for name, seen in now.seen_ms.items() if name not in now.kiosks and seen > now_ms - SPOOL_KEPT_MS]
    return min([now_ms, *away]) - MARGIN_MS
