"""The gate: quiet while nobody is there, open on motion, held by a face, not fooled by light."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from kiosk.motion import FACE_TRUSTED_S, UNSURE_S, MotionGate
from kiosk.settings import KioskSettings
from kiosk.sources import Picture
from tests.kiosk.support import grey, room, with_person

FPS = 10


@pytest.fixture
def gate() -> MotionGate:
    s = KioskSettings()
    return MotionGate(
        hold_s=s.gate_hold_s,
        idle_interval_s=s.idle_interval_s,
        levels=s.motion_levels,
        share=s.motion_share,
        min_sharpness=s.min_sharpness,
    )


def started(gate: MotionGate) -> None:
    """The first picture was answered: nobody is in it."""
    gate.look(room(), -1)
    gate.answered(False, -1)


def run(gate: MotionGate, picture: Callable[[float], Picture], begin_s: float, seconds: float) -> list[float]:
    """Times at which a frame would be sent."""
    sent = []
    for step in range(round(seconds * FPS)):
        now_s = begin_s + step / FPS
        gate.look(picture(now_s), now_s)
        if gate.may_send(now_s):
            gate.sent(now_s)
            sent.append(now_s)
    return sent


def noisy(picture: Picture, sigma: float, seed: int) -> Picture:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    result: Picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return result


def test_nobody_there_sends_at_most_one_frame_in_two_seconds(gate: MotionGate) -> None:
    pictures = [noisy(room(), 6, seed) for seed in range(7)]
    started(gate)
    sent = run(gate, lambda t: pictures[round(t * FPS) % 7], 0, 30)
    assert 14 <= len(sent) <= 15
    assert min(b - a for a, b in itertools.pairwise(sent)) >= 2.0
    assert not gate.is_open(30)


def test_after_the_start_somebody_may_stand_there_already(gate: MotionGate) -> None:
    """Such as after a restart in the middle of a visit: the first pictures are the background, and worth keeping."""
    still = with_person(room())
    assert len(run(gate, lambda t: still, 0, UNSURE_S)) == round(UNSURE_S * FPS)
    assert gate.worth_keeping
    assert gate.score > 0
    run(gate, lambda t: still, UNSURE_S, 1)
    assert not gate.is_open(UNSURE_S + 1)
    assert not gate.worth_keeping


def test_the_first_answer_says_whether_somebody_stands_there(gate: MotionGate) -> None:
    still = room()
    run(gate, lambda t: still, 0, 0.3)
    gate.answered(False, 0.3)
    assert len(run(gate, lambda t: still, 0.3, 1.5)) == 0
    assert not gate.worth_keeping
    gate.answered(True, 1.8)
    assert gate.is_open(2.0)


def test_motion_opens_and_the_hold_closes_again(gate: MotionGate) -> None:
    still = room()
    run(gate, lambda t: still, 0, 5)
    walking = run(gate, lambda t: with_person(still, 40 + int(60 * (t - 5))), 5, 3)
    assert len(walking) >= 3 * FPS - 1
    assert gate.is_open(8)
    # He leaves; the background forgets his shape, then the hold runs out.
    after = run(gate, lambda t: still, 8, 30)
    assert not gate.is_open(38)
    assert len(after) < 30 * FPS / 2


def test_a_face_in_the_answers_keeps_it_open_without_motion(gate: MotionGate) -> None:
    still = room()
    run(gate, lambda t: still, 0, 5)
    gate.answered(True, 5)
    for second in range(5, 25):
        assert len(run(gate, lambda t: still, second, 1)) == FPS
        gate.answered(True, second + 1)
    gate.answered(False, 25)
    assert gate.is_open(25 + gate.hold_s - 0.1)
    assert not gate.is_open(25 + gate.hold_s + 0.1)


def test_a_face_is_not_believed_for_ever_without_answers(gate: MotionGate) -> None:
    gate.answered(True, 0)
    assert gate.is_open(FACE_TRUSTED_S - 0.1)
    assert not gate.is_open(FACE_TRUSTED_S + 0.1)


@pytest.mark.parametrize("factor", [0.6, 1.4])
def test_a_lamp_is_not_a_person(gate: MotionGate, factor: float) -> None:
    still = room()
    lit = np.clip(still * factor, 0, 255).astype(np.uint8)
    run(gate, lambda t: still, 0, 10)
    sent = run(gate, lambda t: lit, 10, 10)
    assert len(sent) <= 5


def test_a_covered_lens_is_nobody(gate: MotionGate) -> None:
    run(gate, lambda t: grey(4), 0, 4)
    run(gate, lambda t: grey(80), 4, 0.5)
    assert not gate.is_open(4.5)


def test_each_opening_is_a_presence_of_its_own(gate: MotionGate) -> None:
    seen = []
    for begin_s in (0.0, 100.0, 200.0):
        before = gate.presence
        gate.answered(True, begin_s)
        assert gate.is_open(begin_s)
        assert gate.presence == before, "the idle frame that found the face belongs to the presence it opened"
        seen.append(gate.presence)
        gate.answered(False, begin_s + 1)
        assert not gate.is_open(begin_s + 20)
    assert len(set(seen)) == 3


def test_pictures_of_any_size_are_compared(gate: MotionGate) -> None:
    gate.look(room(640, 480), 0)
    gate.look(room(320, 240), 0.1)
    gate.look(grey(100, 16, 1000), 0.2)
