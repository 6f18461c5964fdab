"""What the screen says, as a state machine without I/O: answers and statuses go in, a view comes out.

Nobody ever sees an old name. A name is shown only for the face of the newest answer, or for a short while after that
face has left and as long as nobody else is in view; a lost camera or server clears it at once.
"""

from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kiosk.texts import TEXTS, WORDS, Language
from worker.protocol.entries import Feedback, Recorded, SeenFace
from worker.protocol.guided import Enrolling, Hint, Pose
from worker.protocol.outcomes import QUALITY_PROMPTS, Outcome

Role = Literal["calm", "wait", "good", "warn", "bad", "off"]
"""What the colour says; icon and words say it too."""

BOXES_SHOWN_S = 1.2
"""Boxes are drawn this long after the picture they belong to; later they would frame the wrong place."""
ANSWER_SHOWN_S = 2.5
"""A prompt or refusal stays this long after the capture of its frame when nothing newer comes."""
UNSAVED_AFTER_S = 5.0
NO_ANSWER_AFTER_S = 5.0
CLOCK_WARNING_MS = 5_000
RECORDED_KEPT = 32
CUED_KEPT = 64

MODE_OF_OUTCOME: dict[Outcome, str] = {
    Outcome.DECIDING: "deciding",
    Outcome.UNKNOWN: "unknown",
    Outcome.SPOOF_SUSPECTED: "refused",
    Outcome.NOT_LIVE: "refused",
    Outcome.INACTIVE: "inactive",
    Outcome.NOT_READY: "not_ready",
    Outcome.BAD_FRAME: "fault",
    Outcome.BAD_CLOCK: "fault",
}
PROMPTS = QUALITY_PROMPTS | {Outcome.AMBIGUOUS}
ROLE_OF_MODE: dict[str, Role] = {
    "starting": "off",
    "idle": "calm",
    "deciding": "wait",
    "accepted": "wait",
    "recorded": "good",
    "duplicate": "good",
    "prompt": "warn",
    "enrolling": "wait",
    "unsaved": "warn",
    "unknown": "bad",
    "refused": "bad",
    "inactive": "bad",
    "not_ready": "off",
    "fault": "off",
    "no_answer": "off",
    "lost_camera": "off",
    "lost_server": "off",
}
CUE_OF_MODE = {"recorded": "good", "duplicate": "again", "unknown": "bad", "refused": "bad", "inactive": "bad"}
FIRST_HINT = {Pose.STRAIGHT: Hint.LOOK_STRAIGHT, Pose.LEFT: Hint.MORE_LEFT, Pose.RIGHT: Hint.MORE_RIGHT}
"""What asks for a pose."""


@dataclass(frozen=True)
class BoxView:
    """Left, top, width, height as fractions of the picture, not mirrored."""

    x: float
    y: float
    w: float
    h: float
    role: Role


@dataclass(frozen=True)
class Cue:
    """A short tone; `number` rises, so each is played once."""

    number: int
    sound: str


@dataclass(frozen=True)
class Light:
    """One entry of the status line."""

    ok: bool
    words: str


@dataclass(frozen=True)
class View:
    """All that the page needs to draw itself."""

    mode: str
    key: str
    """The mode, or in modes `prompt` and `enrolling` which prompt: chooses the icon."""
    role: Role
    headline: str
    detail: str
    name: str | None
    """Set exactly when a person's name is in `headline`."""
    boxes: tuple[BoxView, ...]
    cue: Cue | None
    camera: Light
    server: Light
    clock: Light | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Answer:
    feedback: Feedback
    captured_s: float

    @property
    def face(self) -> SeenFace | None:
        """The face in view: the nearest one, which workers name first."""
        return self.feedback.faces[0] if self.feedback.faces else None


@dataclass(frozen=True)
class _Named:
    """The person whose name may be shown: as the last answer that supported it gave it."""

    track: tuple[str, int]
    """Worker and number: two workers may count the same."""
    name: str
    event_id: str | None
    supported_s: float

    @property
    def about(self) -> str:
        """What a greeting is counted by: the decision, or the track while it has none."""
        return self.event_id or "{} {}".format(*self.track)


class ScreenState:
    """Times are monotonic seconds, passed in; they never fall from call to call."""

    def __init__(self, language: Language = "en", name_shown_s: float = 3.0, sound: bool = True) -> None:
        self._texts, self._words = TEXTS[language], WORDS[language]
        self._name_shown_s, self._sound = name_shown_s, sound
        self._camera: Literal["starting", "ok", "lost"] = "starting"
        self._server_up = True
        self.keeping = False
        """People who come while the server is away are kept, and recorded when it is back."""
        self._clock_offset_ms: int | None = None
        self._newest_seq = -1
        self._answer: _Answer | None = None
        self._named: _Named | None = None
        self._accepted_since: OrderedDict[str, float] = OrderedDict()
        """When a name was first shown, by `_Named.about`."""
        self._recorded: OrderedDict[str, Recorded] = OrderedDict()
        self._unanswered_since_s: float | None = None
        self._cue: Cue | None = None
        self._cued: OrderedDict[tuple[str, str], None] = OrderedDict()

    # --- what comes in ----------------------------------------------------------------------------------------------

    def frame_sent(self, now_s: float) -> None:
        if self._unanswered_since_s is None:
            self._unanswered_since_s = now_s

    def frame(self, feedback: Feedback, captured_s: float, now_s: float) -> bool:
        """Take a fresh answer. False, and nothing changes, when it is older than one taken before."""
        if feedback.seq <= self._newest_seq or self._camera == "lost" or not self._server_up:
            return False
        self._newest_seq = feedback.seq
        self._unanswered_since_s = None
        self._answer = answer = _Answer(feedback, captured_s)
        face = answer.face
        if face is not None:
            self._named = None
            if feedback.outcome is Outcome.ACCEPTED and face.outcome is Outcome.ACCEPTED and face.name:
                self._named = _Named((feedback.worker, face.track), face.name, face.event_id, captured_s)
                _remember(self._accepted_since, self._named.about, now_s, RECORDED_KEPT)
        elif feedback.outcome is not Outcome.NO_FACE:
            self._named = None
        self._ring(now_s)
        return True

    def recorded(self, entry: Recorded, now_s: float) -> None:
        """A decision is safe in the database; it may come before or after the frame that shows its face."""
        _remember(self._recorded, entry.decision_id, entry, RECORDED_KEPT)
        self._ring(now_s)

    def camera(self, state: Literal["starting", "ok", "lost"]) -> None:
        self._camera = state
        if state == "lost":
            self._forget()

    def server(self, up: bool) -> None:
        self._server_up = up
        if not up:
            self._forget()

    def clock_offset(self, offset_ms: int | None) -> None:
        """This machine's clock minus the server's; None while unknown."""
        self._clock_offset_ms = offset_ms

    def _forget(self) -> None:
        self._answer = self._named = self._unanswered_since_s = None

    # --- what comes out ---------------------------------------------------------------------------------------------

    def view(self, now_s: float) -> View:
        mode, key, named = self._mode(now_s)
        entry = self._recorded.get(named.about) if named else None
        enrolling = self._answer.feedback.enrolling if mode == "enrolling" and self._answer else None
        filled = {
            "step": str(enrolling.done + 1) if enrolling else "",
            "steps": str(len(Pose)),
            "name": named.name if named else enrolling.name if enrolling else "",
            "time": entry.local_time if entry else "",
            "direction": self._words[entry.direction.value] if entry else "",
        }
        text = self._texts[f"{key}_kept" if self.keeping and f"{key}_kept" in self._texts else key]
        return View(
            mode=mode,
            key=key,
            role=ROLE_OF_MODE[mode],
            headline=_fill(text.headline, filled),
            detail=_fill(text.detail, filled),
            name=named.name if named and "{name}" in text.headline else None,
            boxes=self._boxes(now_s),
            cue=self._cue if self._sound else None,
            camera=Light(self._camera != "lost", self._words[f"camera_{self._camera}"]),
            server=Light(self._server_up, self._words["server_ok" if self._server_up else "server_lost"]),
            clock=self._clock_light(),
        )

    def _mode(self, now_s: float) -> tuple[str, str, _Named | None]:
        """Mode, key of its text, and whose name belongs to it."""
        if self._camera != "ok":
            mode = "starting" if self._camera == "starting" else "lost_camera"
            return mode, mode, None
        if not self._server_up:
            return "lost_server", "lost_server", None
        if self._named and now_s - self._named.supported_s <= self._name_shown_s:
            mode = self._mode_of(self._named, now_s)
            return mode, mode, self._named
        if self._unanswered_since_s is not None and now_s - self._unanswered_since_s > NO_ANSWER_AFTER_S:
            return "no_answer", "no_answer", None
        if self._answer and now_s - self._answer.captured_s <= ANSWER_SHOWN_S:
            outcome = self._answer.feedback.outcome
            if self._answer.feedback.enrolling is not None:
                return "enrolling", _enrolling_key(self._answer.feedback.enrolling), None
            if outcome in PROMPTS:
                return "prompt", outcome.value, None
            mode = MODE_OF_OUTCOME.get(outcome, "idle")
            return mode, mode, None
        return "idle", "idle", None

    def _mode_of(self, named: _Named, now_s: float) -> str:
        entry = self._recorded.get(named.about)
        if entry is None:
            since_s = self._accepted_since.get(named.about, now_s)
            return "accepted" if now_s - since_s <= UNSAVED_AFTER_S else "unsaved"
        return {Outcome.DUPLICATE: "duplicate", Outcome.RECORDED: "recorded"}.get(entry.outcome, "inactive")

    def _boxes(self, now_s: float) -> tuple[BoxView, ...]:
        if self._answer is None or now_s - self._answer.captured_s > BOXES_SHOWN_S:
            return ()
        return tuple(BoxView(*face.box, role=_role_of(face.outcome)) for face in self._answer.feedback.faces)

    def _clock_light(self) -> Light | None:
        if self._clock_offset_ms is None or abs(self._clock_offset_ms) <= CLOCK_WARNING_MS:
            return None
        return Light(False, self._words["clock_off"].format(seconds=round(abs(self._clock_offset_ms) / 1000)))

    def _ring(self, now_s: float) -> None:
        """Set a new cue where what is shown now deserves one, once per decision or track."""
        mode, _, named = self._mode(now_s)
        sound = CUE_OF_MODE.get(mode)
        if sound is None or self._answer is None:
            return
        face = self._answer.face
        about = named.about if named else f"{self._answer.feedback.worker} {face.track if face else 0}"
        if (mode, about) not in self._cued:
            _remember(self._cued, (mode, about), None, CUED_KEPT)
            self._cue = Cue((self._cue.number if self._cue else 0) + 1, sound)


def _enrolling_key(enrolling: Enrolling) -> str:
    """What is said about the frame; without a word on it, the pose that is wanted next."""
    if enrolling.pose is None:
        return "enrol_done"
    return f"enrol_{(enrolling.hint or FIRST_HINT[enrolling.pose]).value}"


def _role_of(outcome: Outcome) -> Role:
    if outcome is Outcome.ACCEPTED:
        return "good"
    if outcome in PROMPTS:
        return "warn"
    return "bad" if MODE_OF_OUTCOME.get(outcome) in ("unknown", "refused") else "wait"


def _fill(text: str, values: dict[str, str]) -> str:
    """Like str.format for our own texts; a name with braces in it stays what it is."""
    for name, value in values.items():
        if text == f"{{{name}}}":
            return value
        text = text.replace(f"{{{name}}}", value)
    return text


def _remember(kept: OrderedDict[Any, Any], key: Any, value: Any, limit: int) -> None:
    """Keep the first value of each key, and the last `limit` keys."""
    kept.setdefault(key, value)
    while len(kept) > limit:
        kept.popitem(last=False)
