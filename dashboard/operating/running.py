"""What the live Redis says of the processes of a site. Nothing of a heartbeat is trusted to be there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from worker.protocol import heartbeats, keys
from worker.protocol.connection import Client
from worker.protocol.heartbeats import Heartbeat


@dataclass
class Running:
    """`reachable` is False when it doesn't answer (for one of the shards)."""

    reachable: bool = True
    seen_ms: dict[str, int] = field(default_factory=dict)
    """When each kiosk was last seen."""
    beats: list[tuple[str, Heartbeat]] = field(default_factory=list)
    """Of all processes, each with its shard."""

    def of_role(self, role: str) -> list[tuple[str, Heartbeat]]:
        """Each with its shard, by shard and name."""
        found = [(shard, beat) for shard, beat in self.beats if beat.role == role]
        return sorted(found, key=lambda one: (one[0], one[1].name))

    @property
    def kiosks(self) -> dict[str, Heartbeat]:
        return {beat.name: beat for _, beat in self.of_role("kiosk")}

    @property
    def workers(self) -> list[Heartbeat]:
        """Of all shards, by name."""
        return sorted((beat for _, beat in self.of_role("worker")), key=lambda beat: beat.name)

    @property
    def recorders(self) -> int:
        return len(self.of_role("recorder"))

    @property
    def deliverers(self) -> int:
        return len(self.of_role("deliverer"))


def running(lives: Mapping[str, Client]) -> Running:
    """Of all shards; those that don't answer are left out."""
    found = Running()
    for shard, live in lives.items():
        try:
            beats = list(heartbeats.read(live, shard))
            seen = live.zrange(keys.kiosks(shard), 0, -1, withscores=True)
        except (redis.exceptions.RedisError, OSError):
            found.reachable = False
            continue
        found.beats += [(shard, beat) for beat in beats]
        found.seen_ms |= {raw.decode(errors="replace"): int(score) for raw, score in seen}
    return found


def number(data: dict[str, Any], name: str) -> float | None:
    """A number out of a heartbeat, whatever its writer put there."""
    value = data.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(data: dict[str, Any], name: str, longest: int = 200) -> str:
    """A text out of a heartbeat; empty where there is none."""
    value = data.get(name)
    return value[:longest] if isinstance(value, str) else ""
