"""Frames against a real Redis: exact trim, age, one try only, and going on after an outage."""

import time

import cv2
import numpy as np
import pytest

from kiosk.camera import Shot
from kiosk.sender import Sender, SentFrames, connect_live, encode
from kiosk.settings import KioskSettings
from tests.conftest import RedisPair
from tests.kiosk.support import FakeClock, eventually, grey, room
from worker.protocol import keys
from worker.protocol.connection import Client
from worker.protocol.entries import MAX_JPEG_BYTES, Frame
from worker.protocol.telemetry import Counters

KEY = keys.frames("s0", "door-1")


def shot(number: int = 1, age_s: float = 0.0, width: int = 320, height: int = 240) -> Shot:
    return Shot(room(width, height), time.monotonic() - age_s, number)


def sender_to(pair: RedisPair, **settings: object) -> Sender:
    chosen = KioskSettings.model_validate(settings)
    return Sender(connect_live(pair.live_server.url(), "test-kiosk"), chosen, Counters())


def frames_in(live: Client) -> list[Frame]:
    return [Frame.from_fields(fields) for _, fields in live.xrange(KEY)]


def test_only_the_newest_two_are_kept(any_redis_pair: RedisPair) -> None:
    sender = sender_to(any_redis_pair)
    for number in range(7):
        assert sender.send(shot(number), "presence-1")
        assert any_redis_pair.live.xlen(KEY) <= keys.FRAMES_KEPT
    first, second = frames_in(any_redis_pair.live)
    assert second.seq == first.seq + 1
    assert sender.counters["frames_sent"] == 7


def test_a_frame_says_its_age_size_and_presence(redis_pair: RedisPair) -> None:
    sender = sender_to(redis_pair, send_width_px=640, answer_deadline_ms=3000)
    taken = shot(1, age_s=0.4, width=1280, height=720)
    assert sender.send(taken, "presence-7")
    (frame,) = frames_in(redis_pair.live)
    assert 400 <= frame.age_ms < 3000
    assert (frame.width, frame.height, frame.presence, frame.deadline_ms) == (640, 360, "presence-7", 3000)
    picture = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (360, 640, 3)
    assert sender.sent.captured_s(frame.seq) == taken.captured_s


def test_a_picture_past_its_deadline_is_not_sent(redis_pair: RedisPair) -> None:
    sender = sender_to(redis_pair)
    assert not sender.send(shot(1, age_s=2.0), "p")
    assert redis_pair.live.xlen(KEY) == 0
    assert sender.counters["frames_failed"] == 1


def test_killed_and_restarted_server_gets_new_frames_and_no_old_one(any_redis_pair: RedisPair) -> None:
    pair = any_redis_pair
    links: list[bool] = []
    sender = sender_to(pair)
    sender._on_link = links.append
    assert sender.send(shot(1), "p")
    pair.live_server.kill()
    for number in range(2, 6):
        assert not sender.send(shot(number), "p")
    lost = sender._seq
    pair.live_server.start()
    assert eventually(lambda: sender.send(shot(6), "p"))
    assert [f.seq > lost for f in frames_in(pair.live)] == [True], "nothing from the outage was sent again"
    assert (links[0], links[1], links[-1]) == (True, False, True)
    assert sender.counters["frames_failed"] >= 4
    assert sender.counters["frames_sent"] == 2


def test_while_the_server_is_away_it_is_asked_with_back_off(redis_pair: RedisPair) -> None:
    sender = sender_to(redis_pair)
    clock = FakeClock(time.monotonic())
    sender._clock = clock
    redis_pair.live_server.kill()
    tries: list[bool] = []
    sender._on_link = tries.append
    for number in range(200):
        clock.pass_s(0.01)
        assert not sender.send(Shot(grey(9), clock.now_s, number), "p")
    assert 3 <= len(tries) <= 12
    assert sender.counters["frames_failed"] == 200


def test_a_stream_that_is_no_stream_is_survived(redis_pair: RedisPair, caplog: pytest.LogCaptureFixture) -> None:
    redis_pair.live.set(KEY, "somebody's mistake")
    sender = sender_to(redis_pair)
    assert not sender.send(shot(1), "p")
    assert "WRONGTYPE" in caplog.text
    redis_pair.live.delete(KEY)
    assert eventually(lambda: sender.send(shot(2), "p"))


def test_a_restarted_kiosk_counts_on_from_above(redis_pair: RedisPair) -> None:
    first = sender_to(redis_pair)
    first.send(shot(1), "p")
    time.sleep(0.002)
    assert sender_to(redis_pair)._seq >= first._seq


@pytest.mark.parametrize(("width", "height"), [(4000, 18), (18, 4000)])
def test_pictures_too_narrow_to_send_are_dropped_not_fatal(redis_pair: RedisPair, width: int, height: int) -> None:
    sender = sender_to(redis_pair, send_width_px=160)
    sent = sender.send(Shot(grey(50, width, height), time.monotonic(), 1), "p")
    assert sent == (height > 16 and width < 160)
    assert sender.send(shot(2), "p")


def test_a_picture_that_compresses_badly_is_made_coarser() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1600, 1900, 3), dtype=np.uint8)
    jpeg, width, height = encode(noise, 1920, 98)
    assert len(jpeg) <= MAX_JPEG_BYTES
    assert (width, height) == (1900, 1600)


def test_the_table_of_sent_frames_is_bounded() -> None:
    table = SentFrames(kept=3)
    for seq in range(5):
        table.add(seq, float(seq))
    assert [table.captured_s(seq) for seq in range(5)] == [None, None, 2.0, 3.0, 4.0]
