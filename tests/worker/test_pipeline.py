"""From frames to words on the screen and decisions, with chosen sights instead of networks."""

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import RedisPair
from tests.worker import fakes
from tests.worker.fakes import RIGHT, FakeEngine, FixedGallery, KeptDecisions, away, axis, person, sight, taken
from worker.consumer import BadFrame
from worker.decode import decode_jpeg
from worker.pipeline import Pipeline
from worker.protocol.entries import Decision, Feedback
from worker.protocol.outcomes import QUALITY_PROMPTS, Liveness, Outcome
from worker.protocol.telemetry import Counters
from worker.settings import WorkerSettings

ANNA, BERT, STRANGER, NOBODY, BLURRED, CROWD, TROUBLE, MOVED = 10, 20, 30, 40, 50, 60, 70, 80


@dataclass
class Door:
    """A pipeline with one kiosk in front of it; `show` sends a frame and returns what the screen was told."""

    pipeline: Pipeline
    engine: FakeEngine
    gallery: FixedGallery
    pair: RedisPair
    seq: int = 0

    def show(self, level: int, captured_ms: int, **other: Any) -> Feedback:
        self.seq += 1
        self.pipeline.process([taken(level, captured_ms, seq=self.seq, **other)])
        return fakes.answers(self.pair.live)[-1]

    def leave(self, now_ms: int) -> None:
        """An empty picture at that time, and the round that follows it."""
        self.show(NOBODY, now_ms)
        self.pipeline.expire(now_ms)

    def outcomes(self, level: int, *times_ms: int) -> list[Outcome]:
        return [self.show(level, ms).outcome for ms in times_ms]

    @property
    def decisions(self) -> list[Decision]:
        assert isinstance(self.pipeline.sender, KeptDecisions)
        return self.pipeline.sender.kept


@pytest.fixture
def door(redis_pair: RedisPair, settings: WorkerSettings) -> Door:
    engine = FakeEngine(
        {
            ANNA: sight(away(1, 6.0)),
            BERT: sight(away(2, 6.0)),
            STRANGER: sight(axis(50)),
            BLURRED: sight(fault=Outcome.BLURRED),
            CROWD: sight(others=[RIGHT], several=True),
            TROUBLE: RuntimeError("the network fell over"),
            MOVED: sight(away(1, 6.0), box=RIGHT),
        }
    )
    gallery = FixedGallery(person(1), person(2))
    pipeline = Pipeline(settings, engine, gallery, redis_pair.live, KeptDecisions(), Counters())
    return Door(pipeline, engine, gallery, redis_pair)


def test_who_is_known_is_compared_a_few_times_a_second_and_stays_named(door: Door) -> None:
    door.engine.frugal = True
    assert set(door.outcomes(ANNA, *range(0, 5_000, 100))[2:]) == {Outcome.ACCEPTED}
    (track,) = door.pipeline._tracks["front"]
    assert track.good_frames == 3 + 11  # the three that decided, then every 400 ms
    after = [door.show(BERT, ms).faces[0].name for ms in range(5_000, 8_000, 100)]
    assert "Person 1" not in after[10:], "whoever takes the place is noticed within a second"
    assert "Person 2" in after
    door.leave(60_000)
    assert [one.employee_id for one in door.decisions] == ["e1", "e2"]


def test_who_stays_is_decided_on_again_now_and_then_and_greeted_once(door: Door) -> None:
    first = door.show(ANNA, 0)
    for ms in range(100, 65_000, 500):
        last = door.show(ANNA, ms)
    assert last.outcome is Outcome.ACCEPTED
    decision, *repetitions = door.decisions
    assert [one.repeats for one in repetitions] == [decision.event_id] * 2
    assert len({one.event_id for one in door.decisions}) == 3
    assert {one.employee_id for one in repetitions} == {"e1"}
    assert [round((b.captured_ms - a.captured_ms) / 1000) for a, b in pairwise(door.decisions)] == [30, 30]
    assert (first.faces[0].event_id, last.faces[0].event_id) == (None, decision.event_id)


def test_who_is_not_accepted_is_compared_in_every_frame(door: Door) -> None:
    door.engine.frugal = True
    door.outcomes(STRANGER, *range(0, 2_000, 100))
    (track,) = door.pipeline._tracks["front"]
    assert track.good_frames == 20


def test_an_employee_is_named_after_k_frames_and_decided_once(door: Door) -> None:
    assert door.outcomes(ANNA, 0, 100) == [Outcome.DECIDING] * 2
    assert door.decisions == []
    said = door.show(ANNA, 200)
    assert said.outcome is Outcome.ACCEPTED
    assert (said.faces[0].employee_id, said.faces[0].name) == ("e1", "Person 1")
    assert door.outcomes(ANNA, *range(300, 5_000, 200)) == [Outcome.ACCEPTED] * 24
    door.leave(60_000)
    (decision,) = door.decisions
    assert decision.outcome is Outcome.ACCEPTED
    assert decision.employee_id == "e1"
    assert decision.event_id == said.faces[0].event_id
    assert decision.captured_ms == 200
    assert decision.distance == pytest.approx(6, abs=0.01)
    assert decision.threshold == pytest.approx(door.pipeline.threshold().distance)
    assert decision.runner_up_distance == pytest.approx(14.142, abs=0.01)
    assert decision.good_frames == 3
    assert decision.presence == "p1"
    assert decision.model_id == fakes.MODEL
    assert decision.liveness is Liveness.NOT_CHECKED
    assert decision.snapshot is None
    assert decision.worker == "w1"


def test_the_answer_names_frame_boxes_and_timings(door: Door) -> None:
    said = door.show(ANNA, 1_000)
    assert (said.seq, said.captured_ms, said.worker, said.model_id) == (1, 1_000, "w1", fakes.MODEL)
    assert set(said.timings_ms) == {"queue", "decode", "detect", "embed"}
    assert said.timings_ms["queue"] == 20
    left, top, right, bottom = fakes.LEFT
    assert said.faces[0].box == pytest.approx(
        (left / 640, top / 240, (right - left) / 640, (bottom - top) / 240), abs=1e-4
    )


def test_a_stranger_is_unknown_and_written_down_once_at_the_end(door: Door) -> None:
    assert door.outcomes(STRANGER, 0, 300, 600, 900) == [Outcome.DECIDING] * 4
    said = door.outcomes(STRANGER, *range(1_200, 4_000, 300))
    assert set(said) == {Outcome.UNKNOWN}
    door.leave(6_400)
    assert door.decisions == []
    for now_ms in (6_500, 7_000, 20_000):
        door.leave(now_ms)
    (decision,) = door.decisions
    assert decision.outcome is Outcome.UNKNOWN
    assert decision.employee_id is None
    assert decision.snapshot is None
    assert decision.captured_ms == 3_900
    assert all(face.name is None for one in fakes.answers(door.pair.live) for face in one.faces)


def test_an_empty_gallery_knows_nobody(door: Door) -> None:
    door.gallery.hold()
    assert door.outcomes(ANNA, 0, 100, 200, 300, 400)[-1] is Outcome.UNKNOWN
    door.show(ANNA, 1_500)
    door.pipeline.close_all()
    assert door.decisions[0].distance is None  # there is no distance to nobody


def test_whoever_only_passes_by_is_not_written_down(door: Door) -> None:
    door.outcomes(STRANGER, 0, 200, 400)
    door.leave(10_000)
    assert door.decisions == []


def test_a_presence_of_bad_frames_is_written_down_with_its_fault(door: Door) -> None:
    assert door.outcomes(BLURRED, 0, 500, 1_000, 1_500) == [Outcome.BLURRED] * 4
    door.leave(10_000)
    assert [one.outcome for one in door.decisions] == [Outcome.BLURRED]
    assert Outcome.BLURRED in QUALITY_PROMPTS


def test_seen_again_within_the_cooldown_it_is_the_same_presence(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    (decision,) = door.decisions
    door.leave(5_000)  # the track is over, the cooldown of 10 s isn't
    assert door.outcomes(ANNA, 6_000, 6_100) == [Outcome.DECIDING] * 2
    again = door.show(ANNA, 6_200)
    assert again.outcome is Outcome.ACCEPTED
    assert again.faces[0].event_id == decision.event_id
    door.leave(15_000)
    assert len(door.decisions) == 1


def test_seen_again_after_the_cooldown_it_is_decided_anew(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    door.leave(11_000)
    door.outcomes(ANNA, 11_000, 11_100, 11_200)
    assert [one.captured_ms for one in door.decisions] == [200, 11_200]
    assert len({one.event_id for one in door.decisions}) == 2


def test_the_cooldown_is_of_one_kiosk_and_one_person(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    door.outcomes(BERT, 300, 400, 500)
    for i, ms in enumerate((600, 700, 800)):
        door.pipeline.process([taken(ANNA, ms, kiosk="back", seq=i)])
    assert [(one.kiosk, one.employee_id) for one in door.decisions] == [
        ("front", "e1"),
        ("front", "e2"),
        ("back", "e1"),
    ]


def test_a_worker_too_busy_to_look_takes_nobody_for_gone(door: Door) -> None:
    """Frames may come to their turn only every few seconds: the presence is the same, and one decision."""
    assert door.outcomes(ANNA, 0, 4_000) == [Outcome.DECIDING] * 2
    door.pipeline.expire(7_900)
    assert door.outcomes(ANNA, 8_000, 12_000) == [Outcome.ACCEPTED] * 2
    assert len(door.decisions) == 1


def test_nobody_looked_for_long_ends_a_presence(door: Door) -> None:
    door.outcomes(STRANGER, *range(0, 2_000, 200))
    door.pipeline.expire(11_800)
    assert door.decisions == []
    door.pipeline.expire(11_801)
    assert [one.outcome for one in door.decisions] == [Outcome.UNKNOWN]


def test_two_people_who_swap_places_never_share_a_name(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    said = [door.show(STRANGER, ms) for ms in range(300, 2_600, 100)]
    assert Outcome.ACCEPTED not in {one.outcome for one in said}
    assert {face.name for one in said for face in one.faces} == {None}
    back = door.show(ANNA, 2_650)
    assert back.faces[0].name == "Person 1"
    assert back.faces[0].track != said[-1].faces[0].track
    door.leave(6_000)
    assert [one.outcome for one in door.decisions] == [Outcome.ACCEPTED, Outcome.UNKNOWN]


def test_tracks_of_one_presence_end_one_by_one(door: Door) -> None:
    """The second of two tracks may be over first."""
    door.outcomes(STRANGER, 0, 500, 1_000)
    door.engine.shows[MOVED] = sight(axis(60), box=RIGHT)
    door.outcomes(MOVED, 1_100, 1_600, 2_200)
    door.outcomes(STRANGER, 2_300, 3_000, 4_000, 4_800)
    door.pipeline.expire(4_800)
    assert [one.captured_ms for one in door.decisions] == [2_200]
    door.leave(9_000)
    assert [one.captured_ms for one in door.decisions] == [2_200, 4_800]


def test_a_name_is_shown_only_while_it_is_supported(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    assert door.show(BLURRED, 1_100).faces[0].name == "Person 1"
    later = door.show(BLURRED, 1_300)
    assert (later.outcome, later.faces[0].name) == (Outcome.BLURRED, None)
    assert door.show(NOBODY, 1_400).outcome is Outcome.NO_FACE
    assert door.show(ANNA, 1_500).faces[0].name == "Person 1"


def test_who_left_the_gallery_is_named_no_more_at_once(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    door.gallery.hold(person(2))
    said = [door.show(ANNA, ms) for ms in range(300, 1_200, 100)]
    assert Outcome.ACCEPTED not in {one.outcome for one in said}
    assert {face.name for one in said for face in one.faces} == {None}
    assert said[-1].outcome is Outcome.UNKNOWN
    assert len(door.decisions) == 1


def test_without_a_gallery_nobody_is_judged(door: Door) -> None:
    door.gallery.is_ready = False
    said = [door.show(level, 100 * i) for i, level in enumerate([ANNA, STRANGER] * 10)]
    assert {one.outcome for one in said} == {Outcome.NOT_READY}
    assert all(one.faces == [] for one in said)
    door.pipeline.expire(60_000)
    assert door.decisions == []
    assert door.engine.looks == 0
    door.gallery.is_ready = True
    assert door.outcomes(ANNA, 60_000, 60_100, 60_200)[-1] is Outcome.ACCEPTED


def test_a_gallery_lost_on_the_way_takes_the_name_from_the_screen(door: Door) -> None:
    door.outcomes(ANNA, 0, 100, 200)
    door.gallery.is_ready = False
    assert door.show(ANNA, 300).outcome is Outcome.NOT_READY
    door.gallery.is_ready = True
    assert door.outcomes(ANNA, 400, 500, 600) == [Outcome.DECIDING, Outcome.DECIDING, Outcome.ACCEPTED]
    assert len(door.decisions) == 1  # the same presence


def test_several_faces_are_asked_to_come_one_by_one(door: Door) -> None:
    said = door.show(CROWD, 0)
    assert said.outcome is Outcome.SEVERAL_FACES
    assert [face.outcome for face in said.faces] == [Outcome.SEVERAL_FACES] * 2
    assert {face.name for face in said.faces} == {None}
    door.outcomes(CROWD, *range(300, 3_000, 300))
    door.leave(60_000)
    assert [one.outcome for one in door.decisions] == [Outcome.SEVERAL_FACES]


def test_a_crowd_of_fifty_fits_into_the_answer(door: Door) -> None:
    door.engine.shows[CROWD] = sight(away(1, 6.0), others=[(-900.0, -900.0, 5_000.0, 9_000.0)] * 50)
    assert len(door.show(CROWD, 0).faces) == 16


def cropped() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG")
    return out.getvalue()[:-2]


@pytest.mark.parametrize(
    ("data", "said"), [(b"hello", "not a JPEG"), (cropped(), "truncated"), (b"\xff\xd8\xff\xe0", "not a JPEG")]
)
def test_what_is_no_picture_is_answered_with_the_reason(door: Door, data: bytes, said: str) -> None:
    answer = door.show(0, 500, data=data)
    assert answer.outcome is Outcome.BAD_FRAME
    assert said in (answer.reason or "")
    assert (answer.seq, answer.captured_ms) == (1, 500)
    assert door.pipeline.counters["frames_bad"] == 1
    assert door.pipeline.counters["frames_processed"] == 0


def test_a_bad_entry_is_answered_with_the_reason(door: Door) -> None:
    door.pipeline.process([BadFrame("front", "seq: Field required" + "!" * 500, -5)])
    (answer,) = fakes.answers(door.pair.live)
    assert answer.outcome is Outcome.BAD_FRAME
    assert (answer.reason or "").startswith("seq: Field required")
    assert answer.captured_ms == 0


def test_one_kiosks_trouble_is_not_anothers(door: Door) -> None:
    batch = [taken(TROUBLE, 0, kiosk="bad"), taken(ANNA, 0, kiosk="front"), taken(0, 0, kiosk="worse", data=b"?")]
    door.pipeline.process([*batch, taken(STRANGER, 0, kiosk="back")])
    assert [one.outcome for one in fakes.answers(door.pair.live, "front")] == [Outcome.DECIDING]
    assert [one.outcome for one in fakes.answers(door.pair.live, "back")] == [Outcome.DECIDING]
    for kiosk in ("bad", "worse"):
        (answer,) = fakes.answers(door.pair.live, kiosk)
        assert answer.outcome is Outcome.BAD_FRAME
        assert answer.reason
    assert door.pipeline.counters["frames_failed"] == 1


def test_kiosks_given_up_lose_their_tracks(door: Door) -> None:
    door.outcomes(ANNA, 0, 100)
    door.pipeline.keep_only({"back"})
    assert door.outcomes(ANNA, 200, 300) == [Outcome.DECIDING] * 2
    door.pipeline.drop_tracks()
    assert door.outcomes(ANNA, 400, 500) == [Outcome.DECIDING] * 2
    door.pipeline.close_all()
    assert door.decisions == []


def test_a_stop_writes_down_open_presences(door: Door) -> None:
    door.outcomes(STRANGER, *range(0, 1_500, 200))
    door.pipeline.close_all()
    door.pipeline.close_all()
    assert [one.outcome for one in door.decisions] == [Outcome.UNKNOWN]


@pytest.mark.parametrize("asked", [True, False])
def test_a_snapshot_only_where_the_site_keeps_them(door: Door, asked: bool) -> None:
    door.pipeline.settings = door.pipeline.settings.model_copy(update={"keep_snapshots": asked})
    noise = np.random.default_rng(1).integers(0, 255, (750, 1000, 3), np.uint8)  # the hardest to compress
    done, data = cv2.imencode(".jpg", noise)
    assert done
    big = sight(away(1, 6.0), box=(200.0, -25.0, 800.0, 725.0))
    door.engine.shows = dict.fromkeys(range(0, 260, 10), big)
    for ms in (0, 100, 200):
        door.show(0, ms, data=data.tobytes(), width=1000, height=750)
    (decision,) = door.decisions
    assert (decision.snapshot is not None) == asked
    if decision.snapshot is not None:
        assert len(decision.snapshot) <= 40_000
        assert max(decode_jpeg(decision.snapshot).shape) <= 240


def test_feedback_is_kept_short(door: Door) -> None:
    door.pipeline.process([taken(NOBODY, ms) for ms in range(100)])
    assert len(fakes.answers(door.pair.live)) == 64
