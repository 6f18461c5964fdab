"""What the screen says, rule by rule, and the one promise above all: nobody ever sees an old name."""

from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.screen_state import ANSWER_SHOWN_S, PROMPTS, ROLE_OF_MODE, ScreenState, View
from kiosk.texts import TEXTS, WORDS, Language
from tests.kiosk.support import accepted, answer, face, recorded
from worker.protocol.entries import Feedback
from worker.protocol.guided import Enrolling, Hint, Pose
from worker.protocol.outcomes import Direction, Outcome

NAME = "Grace Hopper"
SHOWN_S = 3.0


def ready(language: Language = "en") -> ScreenState:
    state = ScreenState(language, SHOWN_S)
    state.camera("ok")
    return state


def after(*entries: Feedback, at_s: float = 100.0) -> View:
    state = ready()
    for entry in entries:
        state.frame(entry, at_s, at_s)
    return state.view(at_s)


# --- outcome → mode ---


@pytest.mark.parametrize(
    ("outcome", "mode", "headline"),
    [
        (Outcome.DECIDING, "deciding", "Just a moment"),
        (Outcome.UNKNOWN, "unknown", "Not recognised"),
        (Outcome.AMBIGUOUS, "prompt", "Not sure yet"),
        (Outcome.TOO_SMALL, "prompt", "Please come closer"),
        (Outcome.CUT_OFF, "prompt", "Please step into the middle"),
        (Outcome.BLURRED, "prompt", "Please hold still"),
        (Outcome.TOO_DARK, "prompt", "It is too dark"),
        (Outcome.TOO_BRIGHT, "prompt", "It is too bright"),
        (Outcome.TURNED_AWAY, "prompt", "Please look at the camera"),
        (Outcome.SEVERAL_FACES, "prompt", "One at a time, please"),
        (Outcome.SPOOF_SUSPECTED, "refused", "Not accepted"),
        (Outcome.NOT_LIVE, "refused", "Not accepted"),
        (Outcome.NOT_READY, "not_ready", "Getting ready"),
        (Outcome.BAD_FRAME, "fault", "Out of order"),
        (Outcome.BAD_CLOCK, "fault", "Out of order"),
        (Outcome.NO_FACE, "idle", "Welcome"),
    ],
)
def test_each_outcome_has_its_words(outcome: Outcome, mode: str, headline: str) -> None:
    view = after(answer(1, outcome, face(outcome)))
    assert (view.mode, view.headline, view.name) == (mode, headline, None)


def test_the_desk_is_named_to_a_stranger() -> None:
    view = after(answer(1, Outcome.UNKNOWN, face(Outcome.UNKNOWN)))
    assert (view.role, view.detail) == ("bad", "Please see the desk")


def test_every_language_says_everything() -> None:
    first, *others = get_args(Language)
    for language in others:
        assert TEXTS[language].keys() == TEXTS[first].keys()
        assert WORDS[language].keys() == WORDS[first].keys()
    for texts in TEXTS.values():
        assert ROLE_OF_MODE.keys() - {"prompt", "enrolling"} <= texts.keys()
        assert {f"enrol_{hint.value}" for hint in Hint} | {"enrol_done"} <= texts.keys()
        assert {outcome.value for outcome in PROMPTS} <= texts.keys()
        assert all(text.headline for text in texts.values())


@pytest.mark.parametrize(
    ("enrolling", "headline"),
    [
        (Enrolling(name="Ana {step}", pose=Pose.STRAIGHT, hint=Hint.NO_FACE), "Please step up"),
        (Enrolling(name="Ana {step}", pose=Pose.STRAIGHT, hint=Hint.GOOD), "Good, hold still"),
        (Enrolling(name="Ana {step}", pose=Pose.LEFT, done=1), "Turn your head a little to your left"),
        (Enrolling(name="Ana {step}", pose=Pose.RIGHT, hint=Hint.TURN_LESS, done=2), "A little less"),
    ],
)
def test_who_is_enrolled_is_guided_and_everybody_is_told(enrolling: Enrolling, headline: str) -> None:
    said = answer(1, Outcome.ENROLLING, face(Outcome.ENROLLING)).model_copy(update={"enrolling": enrolling})
    view = after(said)
    assert (view.mode, view.role, view.headline, view.name) == ("enrolling", "wait", headline, None)
    assert view.detail == f"Enrolling Ana {{step}}, {enrolling.done + 1} of 3. Nobody is recorded here meanwhile"
    done = said.model_copy(update={"enrolling": Enrolling(name="Ana", done=3)})
    assert (after(done).key, after(done).headline) == ("enrol_done", "Thank you")


def test_an_enrolment_that_is_over_leaves_the_screen() -> None:
    state = ready("id")
    said = answer(1, Outcome.ENROLLING).model_copy(update={"enrolling": Enrolling(name="Ana", pose=Pose.STRAIGHT)})
    state.frame(said, 100, 100)
    assert state.view(101).headline == "Mohon lihat lurus ke kamera"
    assert "Mendaftarkan Ana, 1 dari 3" in state.view(101).detail
    assert state.view(103).mode == "idle"


def test_indonesian() -> None:
    state = ready("id")
    state.frame(accepted(1), 100, 100)
    state.recorded(recorded(direction=Direction.OUT), 100)
    assert state.view(100).detail == "Keluar · 08:31"


def test_an_answer_that_nothing_follows_gives_way_to_the_welcome() -> None:
    state = ready()
    state.frame(answer(1, Outcome.TOO_SMALL, face(Outcome.TOO_SMALL)), 100, 100.2)
    assert state.view(100 + ANSWER_SHOWN_S).mode == "prompt"
    assert state.view(100 + ANSWER_SHOWN_S + 0.1).mode == "idle"
    assert state.view(100 + ANSWER_SHOWN_S + 0.1).boxes == ()


# --- accepted → recorded ---


def test_recognised_then_saved() -> None:
    state = ready()
    state.frame(accepted(1), 100.0, 100.2)
    view = state.view(100.2)
    assert (view.mode, view.headline, view.detail) == ("accepted", NAME, "Recognised, saving…")
    state.recorded(recorded(), 100.4)
    view = state.view(100.4)
    assert (view.mode, view.role, view.headline, view.detail) == ("recorded", "good", NAME, "In · 08:31")


def test_saved_may_come_before_the_face() -> None:
    state = ready()
    state.recorded(recorded(), 100.0)
    assert state.view(100.0).mode == "idle"
    state.frame(accepted(1), 100.0, 100.1)
    assert state.view(100.1).mode == "recorded"


def test_saved_for_somebody_else_says_nothing_about_this_face() -> None:
    state = ready()
    state.frame(accepted(1, event="event-1"), 100.0, 100.1)
    state.recorded(recorded("event-2"), 100.2)
    assert state.view(100.2).mode == "accepted"


def test_not_saved_in_time_is_told_without_a_name() -> None:
    state = ready()
    for seq in range(60):
        state.frame(accepted(seq), 100 + seq / 10, 100 + seq / 10)
    assert state.view(105.0).mode == "accepted"
    view = state.view(105.1)
    assert (view.mode, view.headline, view.name) == ("unsaved", "Not saved yet", None)
    state.recorded(recorded(), 106.0)
    assert state.view(106.0).mode == "recorded"


def test_duplicate_and_inactive() -> None:
    state = ready()
    state.frame(accepted(1), 100, 100)
    state.recorded(recorded(outcome=Outcome.DUPLICATE), 100)
    assert (state.view(100).mode, state.view(100).detail) == ("duplicate", "Already recorded at 08:31")
    state.frame(accepted(2, event="event-2"), 101, 101)
    state.recorded(recorded("event-2", Outcome.INACTIVE), 101)
    view = state.view(101)
    assert (view.mode, view.role, view.name) == ("inactive", "bad", None)


def test_a_name_with_braces_is_only_a_name() -> None:
    assert after(accepted(1, name="{time} {0}")).headline == "{time} {0}"


# --- no old names ---


def test_a_name_stays_a_little_when_nobody_is_in_view() -> None:
    state = ready()
    state.frame(accepted(1), 100.0, 100.1)
    state.frame(answer(2, Outcome.NO_FACE), 100.5, 100.6)
    assert state.view(103.0).name == NAME
    assert state.view(103.1).name is None
    assert state.view(103.1).mode == "idle"


@pytest.mark.parametrize(
    "next_answer",
    [
        answer(2, Outcome.DECIDING, face(Outcome.DECIDING, track=2)),
        answer(2, Outcome.UNKNOWN, face(Outcome.UNKNOWN, track=2)),
        answer(2, Outcome.TOO_SMALL, face(Outcome.TOO_SMALL, track=2)),
        answer(2, Outcome.DECIDING, face(Outcome.DECIDING, track=1)),
        answer(2, Outcome.TURNED_AWAY, face(Outcome.TURNED_AWAY, track=1)),
        answer(2, Outcome.SEVERAL_FACES, face(Outcome.SEVERAL_FACES), face(Outcome.ACCEPTED, 1, NAME, "event-1")),
        answer(2, Outcome.DECIDING, face(Outcome.DECIDING, 3), face(Outcome.ACCEPTED, 1, NAME, "event-1")),
        answer(2, Outcome.NOT_READY),
        answer(2, Outcome.BAD_FRAME),
        answer(2, Outcome.ACCEPTED, face(Outcome.ACCEPTED, track=1)),
        answer(2, Outcome.SEVERAL_FACES, face(Outcome.ACCEPTED, 1, NAME, "event-1")),
    ],
)
def test_anybody_else_or_no_longer_accepted_clears_it_at_once(next_answer: Feedback) -> None:
    state = ready()
    state.frame(accepted(1), 100.0, 100.1)
    assert state.view(100.1).name == NAME
    state.frame(next_answer, 100.2, 100.3)
    assert state.view(100.3).name is None
    state.recorded(recorded(), 100.4)
    assert state.view(100.4).name is None, "the recorder's word brings no name back"
    state.frame(answer(3, Outcome.NO_FACE), 100.5, 100.6)
    assert state.view(100.6).name is None, "nor does an empty picture"


def test_answers_in_the_wrong_order_are_ignored() -> None:
    state = ready()
    assert state.frame(answer(5, Outcome.UNKNOWN, face(Outcome.UNKNOWN, 2)), 100.2, 100.3)
    assert not state.frame(accepted(4), 100.1, 100.4)
    assert not state.frame(accepted(5), 100.1, 100.4)
    assert state.view(100.4).mode == "unknown"


@pytest.mark.parametrize("which", ["camera", "server"])
def test_a_lost_camera_or_server_clears_the_name_for_good(which: str) -> None:
    state = ready()
    state.frame(accepted(1), 100.0, 100.1)
    state.camera("lost") if which == "camera" else state.server(False)
    view = state.view(100.1)
    assert (view.mode, view.name, view.boxes) == (f"lost_{which}", None, ())
    assert not state.frame(accepted(2), 100.1, 100.2), "an answer from before the loss"
    state.camera("ok")
    state.server(True)
    assert state.view(100.3).mode == "idle"


def test_tracks_of_two_workers_are_different_people() -> None:
    state = ready()
    state.frame(accepted(1), 100.0, 100.0)
    state.recorded(recorded(), 100.0)
    state.frame(
        answer(2, Outcome.ACCEPTED, face(Outcome.ACCEPTED, 1, "Eileen Collins", "event-9"), worker="w2"), 100.1, 100.1
    )
    view = state.view(100.1)
    assert (view.name, view.mode) == ("Eileen Collins", "accepted")


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, Any]]:
    outcomes = [
        Outcome.ACCEPTED,
        Outcome.DECIDING,
        Outcome.UNKNOWN,
        Outcome.BLURRED,
        Outcome.NO_FACE,
        Outcome.NOT_READY,
    ]
    one_face = st.builds(
        lambda outcome, track: face(
            outcome, track, f"Name {track}" if outcome is Outcome.ACCEPTED else None, f"event-{track}"
        ),
        st.sampled_from(outcomes[:4]),
        st.integers(0, 3),
    )
    step = st.one_of(
        st.tuples(st.just("pass"), st.floats(0, 2)),
        st.tuples(
            st.just("frame"), st.tuples(st.integers(-2, 3), st.lists(one_face, max_size=3), st.sampled_from(outcomes))
        ),
        st.tuples(st.just("recorded"), st.integers(0, 3)),
        st.tuples(st.just("camera"), st.sampled_from(["ok", "ok", "lost"])),
        st.tuples(st.just("server"), st.sampled_from([True, True, False])),
    )
    return draw(st.lists(step, max_size=30))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps())
def test_a_name_is_only_ever_shown_for_the_face_of_the_newest_answer(script: list[tuple[str, Any]]) -> None:
    state, now_s, seq = ready(), 100.0, 10
    newest: Feedback | None = None
    supported: tuple[str, float] | None = None
    """Name and time of the newest answer whose face bore one, while nobody else was seen since."""
    for what, value in script:
        if what == "pass":
            now_s += value
        elif what == "frame":
            jump, faces, outcome = value
            entry = answer(max(0, seq + jump), faces[0].outcome if faces and jump else outcome, *faces)
            seq += max(0, jump)
            if state.frame(entry, now_s - 0.1, now_s):
                newest = entry
                if faces:
                    named = entry.outcome is Outcome.ACCEPTED and faces[0].outcome is Outcome.ACCEPTED
                    supported = (faces[0].name, now_s - 0.1) if named else None
        elif what == "recorded":
            state.recorded(recorded(f"event-{value}"), now_s)
        elif what == "camera":
            state.camera(value)
            supported = None if value == "lost" else supported
        else:
            state.server(value)
            supported = supported if value else None
        view = state.view(now_s)
        if view.name is not None:
            assert newest is not None
            assert supported is not None
            assert view.name == supported[0] == view.headline
            assert now_s - supported[1] <= SHOWN_S
            assert not newest.faces or newest.faces[0].name == view.name
        else:
            names = [f"Name {track}" for track in range(4)]
            assert not any(name in view.headline + view.detail for name in names)


# --- boxes, sound, status ---


def test_boxes_have_the_colour_of_their_face() -> None:
    faces = (
        face(Outcome.ACCEPTED, 1, NAME, "e"),
        face(Outcome.SEVERAL_FACES, 0),
        face(Outcome.UNKNOWN, 0),
        face(track=0),
    )
    view = after(answer(1, Outcome.ACCEPTED, *faces))
    assert [box.role for box in view.boxes] == ["good", "warn", "bad", "wait"]
    assert (view.boxes[0].x, view.boxes[0].w) == (0.4, 0.2)


def test_each_greeting_sounds_once() -> None:
    state = ready()
    state.frame(accepted(1), 100, 100)
    assert state.view(100).cue is None
    state.recorded(recorded(), 100)
    state.frame(accepted(2), 100.1, 100.1)
    cue = state.view(100.1).cue
    assert cue is not None
    assert (cue.number, cue.sound) == (1, "good")
    state.frame(answer(3, Outcome.UNKNOWN, face(Outcome.UNKNOWN, 2)), 100.2, 100.2)
    state.frame(answer(4, Outcome.UNKNOWN, face(Outcome.UNKNOWN, 2)), 100.3, 100.3)
    cue = state.view(100.3).cue
    assert cue is not None
    assert (cue.number, cue.sound) == (2, "bad")


def test_sound_can_be_off() -> None:
    state = ScreenState(sound=False)
    state.camera("ok")
    state.frame(accepted(1), 100, 100)
    state.recorded(recorded(), 100)
    assert state.view(100).cue is None


@pytest.mark.parametrize(("offset_ms", "words"), [(None, None), (4_900, None), (-12_300, "Clock off by 12 s")])
def test_a_wrong_clock_is_told_beyond_five_seconds(offset_ms: int | None, words: str | None) -> None:
    state = ready()
    state.clock_offset(offset_ms)
    light = state.view(100).clock
    assert (light.words if light else None) == words


def test_a_worker_that_never_answers_is_told() -> None:
    state = ready()
    state.frame_sent(100.0)
    state.frame_sent(104.0)
    assert state.view(104.9).mode == "idle"
    assert state.view(105.1).mode == "no_answer"
    state.frame(answer(1, Outcome.NO_FACE), 105.2, 105.3)
    assert state.view(105.3).mode == "idle"


def test_before_the_first_picture_it_says_that_the_camera_starts() -> None:
    view = ScreenState().view(100)
    assert (view.mode, view.camera.ok, view.camera.words) == ("starting", True, "Camera starting")


@pytest.mark.parametrize(
    ("language", "words"), [("en", "recorded when it is back"), ("id", "dicatat setelah tersambung lagi")]
)
def test_while_redis_is_away_people_are_told_that_they_are_kept(language: Language, words: str) -> None:
    state = ready(language)
    state.frame(accepted(1), 100, 100)
    state.server(False)
    assert words not in state.view(100).detail, "no promise where nothing is kept"
    state.keeping = True
    view = state.view(100)
    assert words in view.detail
    assert (view.mode, view.key, view.name) == ("lost_server", "lost_server", None)
    state.server(True)
    state.frame_sent(200)
    assert state.view(206).headline == TEXTS[language]["no_answer_kept"].headline
