"""Dead letters: decisions that the recorder could not record, kept in `dead:{shard}` with the reason. Pure Redis.

A letter is shown by what helps to find its cause (ids, kiosk, outcome, sizes), never by names, pictures or templates.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import redis

from worker.protocol import keys
from worker.protocol.connection import Client
from worker.protocol.entries import entry_time_ms

OWN_FIELDS = (b"dead_id", b"dead_reason")
"""What the recorder put beside the entry's own fields."""
SHOWN = ("event_id", "kiosk", "presence", "outcome", "captured_ms", "model_id", "worker", "late")
"""Of the entry's meta: nothing of it says who somebody is."""
PAGE = 200
TRIES = 20


class NoSuchLetter(LookupError):
    """The id names no letter (any more)."""


@dataclass(frozen=True)
class DeadLetter:
    id: str
    parked_ms: int
    entry_id: str
    """Its id in the decisions before."""
    reason: str
    about: dict[str, Any]
    """Those of SHOWN that can be read."""
    sizes: dict[str, int]
    """Bytes of each of its own fields."""


def read(entry_id: bytes, fields: Mapping[bytes, bytes]) -> DeadLetter:
    """Whatever the fields hold: they are there because something was wrong with them."""
    first_line = fields.get(b"dead_reason", b"").decode(errors="replace").split("\n", 1)[0]
    return DeadLetter(
        id=entry_id.decode(),
        parked_ms=entry_time_ms(entry_id),
        entry_id=fields.get(b"dead_id", b"").decode(errors="replace"),
        reason=first_line,  # a database's complaint goes on with the values of the row
        about=_about(fields.get(b"meta", b"")),
        sizes={name.decode(errors="replace"): len(value) for name, value in _own(fields).items()},
    )


def _about(meta: bytes) -> dict[str, Any]:
    try:
        values = json.loads(meta)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: values[name] for name in SHOWN if isinstance(values.get(name), str | int | bool)}


def _own(fields: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in fields.items() if name not in OWN_FIELDS}


class DeadLetters:
    def __init__(self, ledger: Client, shard: str) -> None:
        self.ledger, self.key, self.stream = ledger, keys.dead(shard), keys.decisions(shard)

    def all(self) -> Iterator[DeadLetter]:
        """Oldest first."""
        start = "-"
        while entries := self.ledger.xrange(self.key, min=start, count=PAGE):
            yield from (read(entry_id, fields) for entry_id, fields in entries)
            start = f"({entries[-1][0].decode()}"

    def one(self, letter_id: str) -> DeadLetter:
        """Raises NoSuchLetter."""
        return read(letter_id.encode(), self._fields(self.ledger, letter_id))

    def replay(self, letter_id: str) -> str:
        """Put it back among the decisions as it came, in one MULTI with its removal; returns its new id there.

        The recorder then tries again. What was recorded after all it knows by the event id. Raises NoSuchLetter, also
        when somebody else replayed or dropped it meanwhile.
        """
        for _ in range(TRIES):
            with self.ledger.pipeline() as pipe:
                pipe.watch(self.key)
                fields = _own(self._fields(pipe, letter_id))
                pipe.multi()
                pipe.xdel(self.key, letter_id)
                if fields:
                    pipe.xadd(self.stream, cast(Any, fields))
                try:
                    answers = pipe.execute()
                except redis.exceptions.WatchError:
                    continue
                return answers[1].decode() if fields else ""
        raise NoSuchLetter(f"{letter_id}: the letters change all the time; try again")

    def drop(self, letter_id: str) -> None:
        """Delete it for good; raises NoSuchLetter."""
        self._fields(self.ledger, letter_id)
        self.ledger.xdel(self.key, letter_id)

    def _fields(self, client: Client, letter_id: str) -> dict[bytes, bytes]:
        try:
            entries = client.xrange(self.key, min=letter_id, max=letter_id)
        except redis.exceptions.ResponseError as error:
            if "Invalid stream ID" not in str(error):
                raise
            entries = []
        if not entries or entries[0][0] != letter_id.encode(errors="replace"):
            raise NoSuchLetter(f"{letter_id!r}: no such letter; `attendance dead list` shows them")
        return dict(entries[0][1])
