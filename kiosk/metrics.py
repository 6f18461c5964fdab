"""What a kiosk tells Prometheus."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from worker.protocol.metrics import Figure, Values, one
from worker.protocol.telemetry import Buckets

if TYPE_CHECKING:
    from kiosk.main import Kiosk

FRAMES = {"sent": "frames_sent", "failed": "frames_failed", "skipped": "frames_skipped_idle"}
ANSWERS = {"shown": "feedback", "stale": "feedback_stale", "bad": "feedback_bad"}
CAMERA_STATES = ("starting", "ok", "lost")


def figures(kiosk: "Kiosk") -> Iterator[Figure]:
    """All figures of one kiosk at this moment."""
    counts, name = kiosk.counters.to_dict(), ("kiosk", kiosk.settings.name)
    frames: Values = {(name, ("result", result)): float(counts.get(key, 0)) for result, key in FRAMES.items()}
    yield Figure("counter", "kiosk_frames", "pictures that were due, by what became of them", frames)
    answers: Values = {(name, ("result", result)): float(counts.get(key, 0)) for result, key in ANSWERS.items()}
    yield Figure("counter", "kiosk_answers", "answers to frames, by what became of them", answers)
    latency = Buckets.of(kiosk.listener.latency)
    yield Figure("histogram", "kiosk_feedback_seconds", "from the shutter to the answer", {(name,): latency})
    state = kiosk.camera.status.state
    states: Values = {(name, ("state", one_state)): float(one_state == state) for one_state in {*CAMERA_STATES, state}}
    yield Figure("gauge", "kiosk_camera", "1 for the state that the camera is in", states)
    opened = float(kiosk.gate.is_open(time.monotonic()))
    yield Figure("gauge", "kiosk_gate_open", "1 while somebody seems to be there", {(name,): opened})
    yield one(
        "gauge", "kiosk_clock_offset_seconds", "its clock minus Redis'", (kiosk.heart.clock_offset_ms or 0) / 1000
    )
