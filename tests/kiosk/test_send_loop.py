"""The loop between camera and Redis: newest picture when due, each at most once, nobody there → nearly nothing."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from kiosk import loop
from kiosk.camera import Shot
from kiosk.live_view import LiveView
from kiosk.loop import SendLoop
from kiosk.motion import MotionGate
from kiosk.screen_state import ScreenState
from tests.kiosk.support import FakeClock, answer, face, room
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import Counters

CAMERA_FPS = 30


class ClockCamera:
    """Gives the picture of this moment, 30 a second, while a fake clock runs."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.began_s, self.picture = clock, clock.now_s, room(64, 48)

    def wait_newer(self, number: int, timeout_s: float) -> Shot | None:
        newest = int((self.clock.now_s - self.began_s) * CAMERA_FPS) + 1
        if newest <= number:
            self.clock.now_s = max(self.clock.now_s, self.began_s + number / CAMERA_FPS + 1e-6)
            newest = number + 1
        return Shot(self.picture, self.clock.now_s, newest)


class Outbox:
    """Takes frames, as long as `up`."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.up = True

    def send(self, shot: Shot, presence: str) -> bool:
        self.numbers.append(shot.number)
        return self.up


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(loop, "time", SimpleNamespace(sleep=clock.pass_s))
    return clock


Made = tuple[SendLoop, Outbox, ClockCamera]


@pytest.fixture
def make(clock: FakeClock) -> Callable[[float], Made]:
    def made(max_frames_per_s: float) -> Made:
        camera, outbox = ClockCamera(clock), Outbox()
        gate = MotionGate(hold_s=3, idle_interval_s=2, levels=16, share=0.01, min_sharpness=1)
        view = LiveView(ScreenState(), clock)
        sending = SendLoop(camera, gate, outbox, view, Counters(), max_frames_per_s, clock)  # type: ignore[arg-type]
        return sending, outbox, camera

    return made


def run_for(sending: SendLoop, clock: FakeClock, seconds: float) -> None:
    end_s = clock.now_s + seconds
    while clock.now_s < end_s:
        sending.step()


def test_idle_sends_one_frame_in_two_seconds(make: Callable[[float], Made], clock: FakeClock) -> None:
    sending, outbox, _ = make(10)
    sending.step()
    sending.answered(answer(1, Outcome.NO_FACE), clock.now_s)
    run_for(sending, clock, 20)
    assert 9 <= len(outbox.numbers) <= 11
    assert sending.counters["frames_skipped_idle"] >= 180


@pytest.mark.parametrize("rate", [0.5, 4, 10, 30])
def test_a_face_in_the_answers_gives_the_full_rate_and_never_a_picture_twice(
    make: Callable[[float], Made], clock: FakeClock, rate: float
) -> None:
    sending, outbox, _ = make(rate)
    for seq in range(10):
        sending.answered(answer(seq, Outcome.DECIDING, face()), clock.now_s)
        run_for(sending, clock, 1)
    assert len(outbox.numbers) == pytest.approx(10 * rate, abs=2)
    assert len(set(outbox.numbers)) == len(outbox.numbers)


def test_a_pause_is_not_followed_by_a_burst(make: Callable[[float], Made], clock: FakeClock) -> None:
    sending, outbox, _ = make(10)
    sending.answered(answer(1, Outcome.DECIDING, face()), clock.now_s)
    run_for(sending, clock, 1)
    clock.pass_s(5)  # the machine slept
    before = len(outbox.numbers)
    run_for(sending, clock, 1)
    assert len(outbox.numbers) - before <= 12


def test_what_was_not_sent_is_not_waited_for(make: Callable[[float], Made], clock: FakeClock) -> None:
    sending, outbox, _ = make(10)
    outbox.up = False
    sending.view._state.camera("ok")
    run_for(sending, clock, 8)
    assert sending.view.now().mode == "idle"
    outbox.up = True
    run_for(sending, clock, 8)
    assert sending.view.now().mode == "no_answer"
