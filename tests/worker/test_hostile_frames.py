"""500 mutated frames: each is answered or dropped, and the door beside is answered all the time. `make soak` has 20,000."""

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.conftest import RedisPair
from tests.hostile_frames import hostile_fields
from tests.worker import fakes
from tests.worker.fakes import FakeEngine, FixedGallery, KeptDecisions, away, frame, jpeg, person, send, sight
from worker.consumer import Consumer
from worker.pipeline import Pipeline
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.telemetry import Counters
from worker.settings import WorkerSettings

COUNT, SEED = 500, 20_261_123


def test_mutated_frames_harm_nobody(
    redis_pair: RedisPair, settings: WorkerSettings, portrait: NDArray[np.uint8]
) -> None:
    live, counters, rng = connect(redis_pair.live_server.url(), name="w1"), Counters(), random.Random(SEED)
    engine, gallery = FakeEngine({10: sight(away(1, 6.0))}), FixedGallery(person(1))
    pipeline = Pipeline(settings, engine, gallery, live, KeptDecisions(), counters)
    consumer = Consumer(live, "s0", 4, counters)
    pictures = [jpeg(120), cv2.imencode(".jpg", portrait)[1].tobytes()]
    progressive = cv2.imencode(".jpg", portrait, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    for seq in range(COUNT):
        fields = hostile_fields(rng, seq, rng.choice([*pictures, progressive]))
        live.xadd(keys.frames("s0", "hostile"), fields, maxlen=keys.FRAMES_KEPT, approximate=False)  # type: ignore[arg-type]
        send(live, "front", frame(10, seq))
        batch = consumer.take({"hostile", "front"})
        assert {item.kiosk for item in batch} >= {"front"}, f"seed {SEED}, frame {seq}"
        pipeline.process(batch)
    answered = sum(n for name, n in counters.to_dict().items() if name.startswith("answered_"))
    assert answered + counters["frames_stale"] == 2 * COUNT
    assert counters["answered_bad_frame"] > COUNT / 4
    assert counters["frames_failed"] == 0
    assert [one.seq for one in fakes.answers(redis_pair.live)] == list(range(COUNT - keys.FEEDBACK_KEPT, COUNT))
