"""What a worker tells Prometheus."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from worker.protocol.metrics import Figure, by, one

if TYPE_CHECKING:
    from worker.main import Worker

NEVER_ANSWERED = {"stale": "frames_stale", "skipped": "frames_skipped"}
"""Frames that were dropped: too late, or overtaken by a newer one."""


def figures(worker: "Worker") -> Iterator[Figure]:
    """All figures of one worker at this moment."""
    counts, stages, gallery = worker.counters.to_dict(), worker.pipeline.stages, worker.gallery
    frames = _after(counts, "answered_") | {code: float(counts.get(name, 0)) for code, name in NEVER_ANSWERED.items()}
    yield Figure("counter", "worker_frames", "frames by what became of them", by("outcome", frames))
    yield Figure("counter", "worker_decisions", "decisions by outcome", by("outcome", _after(counts, "decisions_")))
    yield Figure("histogram", "worker_stage_seconds", "a batch's time by stage", by("stage", stages.seconds))
    yield one("histogram", "worker_frame_age_seconds", "from the shutter until a worker took it", stages.age_s)
    yield one("histogram", "worker_batch_frames", "frames taken at a time", stages.batch_size)
    yield one("counter", "worker_frames_failed", "frames the networks failed on", counts.get("frames_failed", 0))
    yield one("counter", "worker_rounds_failed", "batches dropped by a fault", counts.get("rounds_failed", 0))
    yield one("gauge", "worker_decisions_pending", "decisions the ledger doesn't have yet", worker.sender.pending)
    yield one("gauge", "worker_ready", "1 with a complete, current gallery", float(gallery.ready))
    yield one("gauge", "worker_gallery_version", "version of the gallery in use", gallery.version)
    yield one("gauge", "worker_gallery_people", "people in the gallery", len(gallery.index.people))
    yield one("gauge", "worker_gallery_templates", "templates in the gallery", len(gallery.index))
    yield one("gauge", "worker_kiosks", "kiosks this worker holds", len(worker.leases.held))
    yield one("gauge", "worker_workers", "living workers that share the kiosks", len(worker.leases.living))


def _after(counts: Mapping[str, int], prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): float(n) for name, n in counts.items() if name.startswith(prefix)}
