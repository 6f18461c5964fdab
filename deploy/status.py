"""`attendance status`: who is alive, how fast, how far behind. Two looks at the heartbeats give the rates."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import clear_errors
from deploy.operator import SiteClients, plain, site_clients
from worker.protocol import heartbeats, keys
from worker.protocol.connection import server_time_ms
from worker.protocol.heartbeats import Heartbeat
from worker.protocol.telemetry import LatencyHistogram

ROLES = ("kiosk", "worker", "recorder")
COUNTED = {
    "kiosk": ("frames_sent",),
    "worker": ("frames_processed",),
    "recorder": ("recorded", "duplicate", "not_a_punch", "inactive", "redelivered"),
}
"""What makes the rate of each role: frames sent, frames processed, decisions written down."""
FACTS = {
    "kiosk": ("camera", "gate_open", "frames_failed", "feedback_stale"),
    "worker": (
        *("ready", "model_id", "model_epoch", "model_missing"),
        *("threshold", "site_limit"),
        *("gallery_version", "gallery_size", "kiosks", "decisions_pending", "frames_stale"),
    ),
    "recorder": ("parked", "database_outages"),
}
"""What is shown of each heartbeat; nothing else leaves it."""
LOST_KIOSK_MS = 3_600_000
"""A kiosk that was there within the last hour is missed; one that is away for longer was taken down."""


@dataclass
class Look:
    """What was there at one moment."""

    at_s: float
    beats: dict[tuple[str, str], Heartbeat]
    known_kiosks: dict[str, int]
    """Name → ms since it announced itself."""
    waiting: dict[str, int]


@dataclass
class Service:
    """One process. `rate` is in frames (a recorder's: decisions) per second between the two looks."""

    role: str
    name: str
    alive: bool
    rate: float | None = None
    latency_p95_ms: float | None = None
    """A kiosk's capture → answer: of the frames between the two looks or, without any, since it started."""
    clock_offset_ms: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    shard: str | None = None
    """Where the site has several."""


@dataclass
class Status:
    services: list[Service]
    waiting: dict[str, int]
    problems: list[str]


def look(site: SiteClients) -> Look:
    """Heartbeats, known kiosks and the lengths of what waits; raises redis' errors."""
    beats = {(beat.role, beat.name): beat for beat in heartbeats.read(site.live, site.shard)}
    now_ms = server_time_ms(site.live)
    announced = site.live.zrange(keys.kiosks(site.shard), 0, -1, withscores=True)
    known = {
        n: now_ms - int(ms) for raw, ms in announced if keys.KIOSK_NAME.fullmatch(n := raw.decode(errors="replace"))
    }
    # without a worker nobody keeps the list of kiosks, but what they keep may wait all the same
    kiosks = known.keys() | {name for role, name in beats if role == "kiosk" and keys.KIOSK_NAME.fullmatch(name)}
    waiting = {
        "decisions": site.ledger.xlen(keys.decisions(site.shard)),
        "dead": site.ledger.xlen(keys.dead(site.shard)),
        "backlog": sum(site.ledger.xlen(keys.backlog(site.shard, kiosk)) for kiosk in sorted(kiosks)),
    }
    return Look(time.monotonic(), beats, known, waiting)


def compare(before: Look, now: Look) -> Status:
    """What two looks tell together."""
    services = [_service(beat, before.beats.get(key), now.at_s - before.at_s) for key, beat in now.beats.items()]
    living = {service.name for service in services if service.role == "kiosk"}
    services += [
        Service("kiosk", name, alive=False)
        for name, silent_ms in now.known_kiosks.items()
        if name not in living and silent_ms < LOST_KIOSK_MS
    ]
    services.sort(key=lambda service: (ROLES.index(service.role) if service.role in ROLES else 9, service.name))
    return Status(services, now.waiting, _problems(services))


def _service(beat: Heartbeat, before: Heartbeat | None, passed_s: float) -> Service:
    earlier = before.data if before is not None and before.pid == beat.pid else None
    rate = None
    if earlier is not None and passed_s > 0:
        done = sum(_number(beat.data, name) - _number(earlier, name) for name in COUNTED.get(beat.role, ()))
        rate = round(max(0.0, done) / passed_s, 1)
    facts = {name: beat.data[name] for name in FACTS.get(beat.role, ()) if _is_fact(beat.data.get(name))}
    return Service(beat.role, beat.name, True, rate, _p95(beat.data, earlier), beat.clock_offset_ms, facts)


def _is_fact(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 200)


def _number(data: Mapping[str, Any], name: str) -> float:
    value = data.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _histogram(data: Mapping[str, Any] | None) -> Counter[int]:
    """A heartbeat's latencies; empty when they can't be read."""
    try:
        return Counter({int(ms): int(n) for ms, n in data["latency"].items()}) if data else Counter()
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return Counter()


def _p95(data: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> float | None:
    since_start = _histogram(data)
    between = since_start - _histogram(earlier)
    return LatencyHistogram(between or since_start).percentile(95)


def _problems(services: list[Service]) -> list[str]:
    living = [service for service in services if service.alive]
    words = [f"no {role} is running" for role in ROLES if not any(service.role == role for service in living)]
    workers = [service for service in living if service.role == "worker"]
    words += [_not_ready(service) for service in workers if service.facts.get("ready") is not True]
    models = {str(service.facts["model_id"]) for service in workers if "model_id" in service.facts}
    if len(models) > 1:
        words.append(f"workers serve different models: {', '.join(plain(one) for one in sorted(models))}")
    return words


def _not_ready(worker: Service) -> str:
    missing = worker.facts.get("model_missing")
    if missing:
        why = f"it doesn't hold {plain(missing, 64)}, which serves; `attendance model push` brings it"
    else:
        why = "it has no complete gallery"
    return f"worker {worker.name} is not ready: {why}, and judges nobody"


def together(shards: Mapping[str, Status]) -> Status:
    """The site's status from its shards': one that stands alone isn't named."""
    if len(shards) == 1:
        return next(iter(shards.values()))
    waiting: Counter[str] = Counter()
    for status in shards.values():
        waiting.update(status.waiting)
    return Status(
        [replace(service, shard=shard) for shard, status in shards.items() for service in status.services],
        dict(waiting),
        [f"shard {shard}: {words}" for shard, status in shards.items() for words in status.problems],
    )


def run(as_json: bool, seconds: float, sleep: Callable[[float], None] = time.sleep) -> int:
    """Print the status; 0 when every role is there and each worker ready, else 1. Raises Problem without Redis."""
    with clear_errors(), site_clients("status", every_shard=True) as sites:
        before = [look(site) for site in sites]
        sleep(seconds)
        status = together({site.shard: compare(first, look(site)) for site, first in zip(sites, before, strict=True)})
    if as_json:
        print(json.dumps(asdict(status) | {"ok": not status.problems}))
    else:
        show(status, Console())
    return int(bool(status.problems))


def show(status: Status, console: Console) -> None:
    table = Table("", "name", "per second", "p95", "clock", "", title="Services")
    for service in status.services:
        table.add_row(
            service.role if service.alive else f"[red]{service.role}[/]",
            escape(plain(f"{service.shard}/{service.name}" if service.shard else service.name, 64)),
            "-" if service.rate is None else f"{service.rate:.1f}",
            "-" if service.latency_p95_ms is None else f"{service.latency_p95_ms:.0f} ms",
            "-" if service.clock_offset_ms is None else f"{service.clock_offset_ms:+d} ms",
            escape(", ".join(f"{name} {plain(value, 64)}" for name, value in service.facts.items()))
            if service.alive
            else "[red]away[/]",
        )
    console.print(table)
    console.print(", ".join(f"{name}: {number}" for name, number in status.waiting.items()) + " waiting")
    for words in status.problems:
        console.print(f"[red]{escape(plain(words))}[/]")
