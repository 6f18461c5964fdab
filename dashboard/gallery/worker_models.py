"""What the site's living workers say about models in their heartbeats. Nothing of a heartbeat is trusted to be there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from worker.protocol import heartbeats
from worker.protocol.announced import MOST_ANNOUNCED, AnnouncedModel
from worker.protocol.connection import Client
from worker.protocol.heartbeats import Heartbeat
from worker.protocol.plain import plain


@dataclass(frozen=True)
class WorkerModels:
    """One worker. `loaded` is model id → version of its gallery, None while that isn't complete; `speaks` is False where
    the worker's version is too old to know of other models."""

    shard: str
    name: str
    serving: str | None
    epoch: int
    ready: bool
    missing: str | None
    held: tuple[str, ...]
    loaded: dict[str, int | None]
    failed: dict[str, str]
    people: int
    speaks: bool = True

    @property
    def label(self) -> str:
        return plain(f"{self.shard}/{self.name}", 64)


def living(lives: Mapping[str, Client]) -> list[WorkerModels]:
    """All workers of all shards, by shard and name. Raises redis' errors."""
    return sorted_of((shard, beat) for shard, live in lives.items() for beat in heartbeats.read(live, shard, "worker"))


def sorted_of(beats: Iterable[tuple[str, Heartbeat]]) -> list[WorkerModels]:
    """The workers of these heartbeats, each with its shard."""
    return sorted((of_beat(shard, beat) for shard, beat in beats), key=lambda worker: (worker.shard, worker.name))


def of_beat(shard: str, beat: Heartbeat) -> WorkerModels:
    data = beat.data
    held = data.get("models_held")
    loaded, failed = _mapping(data.get("models_loaded")), _mapping(data.get("models_failed"))
    return WorkerModels(
        shard,
        beat.name,
        _text(data.get("model_id")),
        _whole(data.get("model_epoch")) or 0,
        data.get("ready") is True,
        _text(data.get("model_missing")),
        tuple(str(one) for one in held) if isinstance(held, list) else (),
        {name: _whole(version) for name, version in loaded.items()},
        {name: plain(words) for name, words in failed.items()},
        _whole(data.get("gallery_size")) or 0,
        isinstance(held, list),
    )


def announced(beats: Iterable[Heartbeat]) -> dict[str, AnnouncedModel]:
    """Model id → what its bundle says of itself, as far as these workers announce it and it can be read."""
    found: dict[str, AnnouncedModel] = {}
    for beat in beats:
        models = beat.data.get("models")
        for one in models[:MOST_ANNOUNCED] if isinstance(models, list) else ():
            try:
                model = AnnouncedModel.model_validate(one)
            except ValidationError:
                continue
            found.setdefault(model.id, model)
    return found


def _mapping(value: Any) -> dict[str, Any]:
    return {str(name): one for name, one in value.items()} if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
