"""The live board's stream: follows `events:{shard}` and tells a browser about it as server-sent events."""

import json
import re
import time
from collections.abc import Iterator

import redis

from worker.protocol import keys
from worker.protocol.connection import MAX_BLOCK_MS, Backoff, Client
from worker.protocol.entries import Arrival, BadEntry

PULSE_S = 5.0
"""Time between signs of life; the page takes three missed ones for a lost connection, and a closed page is noticed by them."""
LIFE_S = 300.0
"""A stream ends after it, so that a login that ended is noticed; the browser comes back by itself."""
FIRST_ENTRIES = 20
BEGINNING = "0-0"
ENTRY_ID = re.compile(r"\d{1,15}-\d{1,15}")


def entry_id(text: str | None) -> str | None:
    """`text` where it is a stream's entry id, else None: what a browser sends back isn't trusted."""
    return text if text and ENTRY_ID.fullmatch(text) else None


def _order(text: str) -> tuple[int, int]:
    ms, _, number = text.partition("-")
    return int(ms), int(number)


def newest_id(live: Client, shard: str) -> str:
    """Where the stream ends now; its beginning when it is empty."""
    entries = live.xrevrange(keys.events(shard), count=1)
    return entries[0][0].decode() if entries else BEGINNING


def _start(live: Client, shard: str, after: str | None) -> str:
    """Where to read on. A Redis that came back without its data starts its ids anew: then all that is there is new."""
    if after is None:
        entries = live.xrevrange(keys.events(shard), count=FIRST_ENTRIES + 1)
        return entries[-1][0].decode() if len(entries) > FIRST_ENTRIES else BEGINNING
    return after if _order(after) <= _order(newest_id(live, shard)) else BEGINNING


def event(name: str, data: dict[str, object], entry: str | None = None) -> str:
    """One server-sent event; only arrivals have an id, since a browser resumes after the last one it saw."""
    head = f"id: {entry}\n" if entry else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"


def _arrival(fields: dict[bytes, bytes], entry: str) -> str:
    try:
        arrival = Arrival.from_fields(fields)
    except BadEntry:
        return f"id: {entry}\n: not readable\n\n"
    return event("arrival", arrival.model_dump(mode="json"), entry)


def follow(live: Client, shard: str, after: str | None, life_s: float = LIFE_S) -> Iterator[str]:
    """Events `state` (`{"live": true|false}`: whether Redis answers), `arrival` and `pulse`, until `life_s` is over.

    `after` is the last id that the page has seen; without it the newest ones come first.
    """
    ends, backoff = time.monotonic() + life_s, Backoff()
    up: bool | None = None
    next_pulse = 0.0
    yield "retry: 2000\n\n"
    while time.monotonic() < ends:
        try:
            after = _start(live, shard, after)
            backoff.reset()
            if up is not True:
                up = True
                yield event("state", {"live": True})
            answer = live.xread({keys.events(shard): after}, count=50, block=MAX_BLOCK_MS)
        except (redis.exceptions.RedisError, OSError):
            if up is not False:
                up = False
                yield event("state", {"live": False})
            time.sleep(min(1.0, backoff.next_s()))
            answer = []
        for raw_id, fields in answer[0][1] if answer else []:
            after = raw_id.decode()
            yield _arrival(fields, after)
        if time.monotonic() >= next_pulse:
            next_pulse = time.monotonic() + PULSE_S
            yield event("pulse", {})
