"""How long each stage of a frame's way takes in this worker, for the metrics."""

from collections.abc import Mapping, Sequence

from worker.consumer import BadFrame, TakenFrame
from worker.protocol.telemetry import Buckets

STAGES = ("decode", "detect", "embed", "decide")
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Stages:
    """Written by the thread that looks at frames, read by a scrape."""

    def __init__(self) -> None:
        self.seconds = {stage: Buckets() for stage in (*STAGES, "queue")}
        """Of a batch; `queue` of each frame: from being sent until it was taken."""
        self.age_s = Buckets()
        """Of each frame when it was taken: from the shutter on."""
        self.batch_size = Buckets(BATCH_SIZES)

    def took_batch(self, batch: Sequence[TakenFrame | BadFrame]) -> None:
        self.batch_size.add(len(batch))
        for item in batch:
            if isinstance(item, TakenFrame):
                self.age_s.add(item.waited_ms / 1000)
                self.seconds["queue"].add(max(0, item.waited_ms - item.frame.age_ms) / 1000)

    def took(self, timings_ms: Mapping[str, float]) -> None:
        for stage in STAGES:
            if stage in timings_ms:
                self.seconds[stage].add(timings_ms[stage] / 1000)
