"""What the recorder's process tells Prometheus: records, and the gallery's publishing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from worker.protocol.metrics import Figure, by, one

if TYPE_CHECKING:
    from dashboard.gallery.publisher import Publisher
    from dashboard.recording.recorder import Recorder

NOT_RECORDS = ("redelivered", "parked", "database_outages")


def figures(recorder: "Recorder", publisher: "Publisher") -> Iterator[Figure]:
    """All figures of one recorder at this moment."""
    counts = recorder.counters.to_dict()
    records = {status: float(n) for status, n in counts.items() if status not in NOT_RECORDS}
    yield Figure("counter", "recorder_records", "decisions written down, by status", by("status", records))
    yield one("counter", "recorder_redelivered", "decisions that were recorded already", counts.get("redelivered", 0))
    yield one("counter", "recorder_parked", "decisions moved to the dead letters", counts.get("parked", 0))
    yield one("counter", "recorder_database_outages", "times the database was away", counts.get("database_outages", 0))
    changes = {op.removeprefix("gallery_"): float(n) for op, n in publisher.counters.to_dict().items()}
    yield Figure("counter", "recorder_published", "changes of the gallery, by kind", by("kind", changes))
    yield one(
        "gauge", "recorder_publish_lag_seconds", "how long the oldest unpublished change waits", publisher.lag_s()
    )
