"""`attendance model list`: what the ledger names, and what each worker holds, has loaded and serves."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.model_workers import WorkerModels, living
from deploy.operator import SiteClients, plain
from worker.protocol import keys
from worker.protocol.entries import BadEntry
from worker.protocol.serving import Serving


@dataclass(frozen=True)
class Said:
    """By shard what its key says (None: each worker's own setting serves), and the workers."""

    keys: dict[str, Serving | None]
    workers: list[WorkerModels]


def look(sites: list[SiteClients]) -> Said:
    """Raises redis' errors."""
    return Said({site.shard: _key(site) for site in sites}, living(sites))


def _key(site: SiteClients) -> Serving | None:
    raw = site.ledger.get(keys.serving(site.shard))
    try:
        return Serving.from_bytes(raw) if raw is not None else None
    except BadEntry:
        return None


def as_json(said: Said) -> dict[str, Any]:
    shards = {shard: one.model_dump() if one else None for shard, one in said.keys.items()}
    return {"shards": shards, "workers": [asdict(one) for one in said.workers]}


def show(said: Said) -> None:
    console = Console(highlight=False)
    for shard, one in said.keys.items():
        named = "each worker's own setting" if one is None or one.model_id is None else one.model_id
        coming = f", coming: {one.coming}" if one and one.coming else ""
        console.print(f"shard {shard}: {named} serves (epoch {one.epoch if one else 0}){coming}")
    table = Table("worker", "serves", "epoch", "holds", "")
    for worker in said.workers:
        table.add_row(
            escape(worker.label),
            escape(plain(worker.serving or "?", 64)) if worker.ready else "[red]nothing: not ready[/]",
            str(worker.epoch),
            escape("\n".join(_holding(worker, name) for name in worker.held)) if worker.speaks else "?",
            escape(_trouble(worker)),
        )
    console.print(table)


def _holding(worker: WorkerModels, model_id: str) -> str:
    return plain(model_id, 64) + (" (loaded)" if model_id in worker.loaded else "")


def _trouble(worker: WorkerModels) -> str:
    lines = [f"{plain(worker.missing, 64)} is to serve and isn't here"] if worker.missing else []
    lines += [f"{plain(name, 64)} can't be loaded: {words}" for name, words in worker.failed.items()]
    return "\n".join(lines if worker.speaks else ["its version is too old for other models"])
