"""The live board's stream: follows `events:{shard}` of every shard and tells a browser about it as server-sent events."""

import json
import re
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import redis

from worker.protocol import keys
from worker.protocol.connection import MAX_BLOCK_MS, Backoff, Client
from worker.protocol.entries import Arrival, BadEntry

PULSE_S = 5.0
"""Time between signs of life; the page takes three missed ones for a lost connection, and a closed page is noticed by them."""
LIFE_S = 300.0
"""A stream ends after it, so that a login that ended is noticed; the browser comes back by itself."""
ASK_EVERY_S = 0.25
"""With several shards: between two rounds."""
FIRST_ENTRIES = 20
BEGINNING = "0-0"
ENTRY_ID = re.compile(r"\d{1,15}-\d{1,15}")


def place(text: str | None, shards: int) -> str | None:
    """`text` where it is one entry id for each shard, with commas between, else None: what a browser sends isn't trusted."""
    ids = text.split(",", shards) if text else []
    return text if len(ids) == shards and all(ENTRY_ID.fullmatch(one) for one in ids) else None


def _order(text: str) -> tuple[int, int]:
    ms, _, number = text.partition("-")
    return int(ms), int(number)


def newest_place(lives: Mapping[str, Client]) -> str:
    """Where the shards' streams end now."""
    return ",".join(_newest_id(live, shard) for shard, live in lives.items())


def _newest_id(live: Client, shard: str) -> str:
    """Its beginning when it is empty."""
    entries = live.xrevrange(keys.events(shard), count=1)
    return entries[0][0].decode() if entries else BEGINNING


def _start(live: Client, shard: str, after: str | None) -> str:
    """Where to read on. A Redis that came back without its data starts its ids anew: then all that is there is new."""
    if after is None:
        entries = live.xrevrange(keys.events(shard), count=FIRST_ENTRIES + 1)
        return entries[-1][0].decode() if len(entries) > FIRST_ENTRIES else BEGINNING
    return after if _order(after) <= _order(_newest_id(live, shard)) else BEGINNING


def event(name: str, data: dict[str, object], entry: str | None = None) -> str:
    """One server-sent event; only arrivals have an id, since a browser resumes after the last one it saw."""
    head = f"id: {entry}\n" if entry else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"


def _arrival(fields: dict[bytes, bytes], entry: str, departments: Collection[str] | None) -> str:
    try:
        arrival = Arrival.from_fields(fields)
    except BadEntry:
        return f"id: {entry}\n: not readable\n\n"
    if departments is not None and arrival.department not in departments:
        return f"id: {entry}\n: of another department\n\n"
    return event("arrival", arrival.model_dump(mode="json"), entry)


def follow(
    lives: Mapping[str, Client],
    after: str | None,
    life_s: float = LIFE_S,
    departments: Collection[str] | None = None,
) -> Iterator[str]:
    """Events `state` (`{"live": true|false}`: whether every shard answers), `arrival` and `pulse`, until `life_s` is over.

    `after` is the last place that the page has seen; without it the newest ones come first. Where `departments` are given,
    arrivals of others, and of nobody that is known, are left out. One shard is waited for in
    Redis; several, which may lie on several servers, are asked in turn.
    """
    ends, backoff = time.monotonic() + life_s, Backoff()
    places: dict[str, str | None] = dict(zip(lives, after.split(",") if after else [None] * len(lives), strict=True))
    up: bool | None = None
    next_pulse = 0.0
    yield "retry: 2000\n\n"
    while time.monotonic() < ends:
        entries, all_up = [], True
        for shard, live in lives.items():
            try:
                places[shard] = _start(live, shard, places[shard])
                block_ms = MAX_BLOCK_MS if up and len(lives) == 1 else None
                answer: Any = live.xread({keys.events(shard): places[shard]}, count=50, block=block_ms)
            except (redis.exceptions.RedisError, OSError):
                all_up = False
            else:
                entries += [(shard, *entry) for entry in (answer[0][1] if answer else [])]
        if up is not all_up:
            up = all_up
            yield event("state", {"live": up})
        for shard, raw_id, fields in entries:
            places[shard] = raw_id.decode()
            yield _arrival(fields, ",".join(one or BEGINNING for one in places.values()), departments)
        if time.monotonic() >= next_pulse:
            next_pulse = time.monotonic() + PULSE_S
            yield event("pulse", {})
        if all_up:
            backoff.reset()
            time.sleep(ASK_EVERY_S if len(lives) > 1 else 0)
        else:
            time.sleep(min(1.0, backoff.next_s()))
