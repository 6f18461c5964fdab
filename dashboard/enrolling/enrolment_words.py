"""What became of an enrolment picture, or what to do about a frame, in plain English sentences."""

from dataclasses import dataclass, field
from enum import StrEnum

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from worker.protocol.guided import Hint, Pose
from worker.protocol.outcomes import Outcome


class Refusal(StrEnum):
    """Why a picture was refused before any worker judged it, or again before it was stored."""

    SAME_PICTURE = "same_picture"
    TOO_MANY_PICTURES = "too_many_pictures"
    NO_SUCH_EMPLOYEE = "no_such_employee"
    NOT_ALONE = "not_alone"
    """Good, but another picture that was to be stored in the same step wasn't."""
    OTHER_FACE = "other_face"
    """Not the face of the other pictures of the same step: somebody else stepped in."""


@dataclass(frozen=True)
class EnrolResult:
    """What became of one picture, for a page or a report. `words` is a plain English sentence."""

    outcome: Outcome | Refusal
    words: str
    picture_id: str | None = None
    """Set exactly when the picture and its template were stored."""
    quality: dict[str, float] = field(default_factory=dict)
    similar_id: str | None = None
    similar_code: str | None = None
    similar_name: str | None = None
    jpeg: bytes | None = field(default=None, repr=False)
    """The picture as it would be stored, where it looks like somebody's and HR has to compare."""

    @property
    def stored(self) -> bool:
        return self.picture_id is not None


WORDS: dict[Outcome | Refusal, LazyString] = {
    Outcome.ENROLLED: lazy_gettext("Enrolled: the face is clear."),
    Outcome.ALREADY_ENROLLED: lazy_gettext("This face is already enrolled as somebody else."),
    Outcome.NO_FACE: lazy_gettext(
        "No face was found. Use a picture in which the face is large, lit and seen from the front."
    ),
    Outcome.SEVERAL_FACES: lazy_gettext("There is more than one face. Use a picture of this person alone."),
    Outcome.TOO_SMALL: lazy_gettext("The face is too small. Come closer, or use a larger picture."),
    Outcome.CUT_OFF: lazy_gettext("The face is cut off at the edge. Use a picture with the whole head."),
    Outcome.BLURRED: lazy_gettext("The face is blurred. Hold still, or use a sharper picture."),
    Outcome.TOO_DARK: lazy_gettext("The face is too dark. Turn towards the light."),
    Outcome.TOO_BRIGHT: lazy_gettext("The face is too bright. Avoid direct light and flash."),
    Outcome.TURNED_AWAY: lazy_gettext("The face is turned away. Look straight into the camera."),
    Outcome.SPOOF_SUSPECTED: lazy_gettext("This looks like a picture of a picture. Take it of the person themselves."),
    Outcome.NOT_LIVE: lazy_gettext("This doesn't look like a person in front of the camera."),
    Outcome.BAD_FRAME: lazy_gettext("The picture can't be read."),
    Outcome.NO_CONSENT: lazy_gettext(
        "There is no stored consent to keep this person's face data. Record the consent first."
    ),
    Outcome.INACTIVE: lazy_gettext("This employee is deactivated. Reactivate them first."),
    Outcome.NO_WORKER: lazy_gettext(
        "No worker answered. Check that a worker is running (`attendance doctor`), then try again."
    ),
    Outcome.NOT_READY: lazy_gettext("The worker is still loading. Try again in a few seconds."),
    Refusal.SAME_PICTURE: lazy_gettext("This very picture is already stored for this employee. Use another one."),
    Refusal.TOO_MANY_PICTURES: lazy_gettext(
        "This employee has all the pictures they may have. Delete one first, or replace the old ones."
    ),
    Refusal.NO_SUCH_EMPLOYEE: lazy_gettext("There is no such employee any more."),
    Refusal.OTHER_FACE: lazy_gettext(
        "This face doesn't look like the other pictures taken with it. Take all again, of this person alone."
    ),
    Refusal.NOT_ALONE: lazy_gettext(
        "This one is good, but nothing was stored: another picture of the same step was refused."
    ),
}

POSES: dict[Pose, LazyString] = {
    Pose.STRAIGHT: lazy_gettext("Look straight into the camera"),
    Pose.LEFT: lazy_gettext("Turn the head a little to your left"),
    Pose.RIGHT: lazy_gettext("Turn the head a little to your right"),
}
"""Said to the person in front of the camera."""
POSE_NAMES: dict[Pose, LazyString] = {
    Pose.STRAIGHT: lazy_gettext("Straight"),
    Pose.LEFT: lazy_gettext("A little left"),
    Pose.RIGHT: lazy_gettext("A little right"),
}

HINTS: dict[Hint, LazyString] = {
    Hint.GOOD: lazy_gettext("Good, hold still"),
    Hint.NO_FACE: lazy_gettext("No face is seen: come in front of the camera"),
    Hint.SEVERAL_FACES: lazy_gettext("More than one face: only this person, please"),
    Hint.TOO_SMALL: lazy_gettext("Too far away: come closer"),
    Hint.TOO_NEAR: lazy_gettext("Too near: go back a little"),
    Hint.CUT_OFF: lazy_gettext("The face is cut off: move into the middle"),
    Hint.TOO_DARK: lazy_gettext("Too dark: turn towards the light"),
    Hint.TOO_BRIGHT: lazy_gettext("Too bright: turn away from the light"),
    Hint.BLURRED: lazy_gettext("Blurred: hold still"),
    Hint.LOOK_STRAIGHT: lazy_gettext("Look straight into the camera"),
    Hint.MORE_LEFT: lazy_gettext("Turn a little more to your left"),
    Hint.MORE_RIGHT: lazy_gettext("Turn a little more to your right"),
    Hint.TURN_LESS: lazy_gettext("Turn a little less"),
}


def words_for(
    outcome: Outcome | Refusal, reason: str | None = None, similar: str | None = None, limit: int | None = None
) -> str:
    """The verdict as a sentence. `reason` is added in brackets; `similar` is who looks alike; `limit` the most pictures."""
    if outcome is Outcome.ALREADY_ENROLLED and similar:
        words = _(
            "This face is already enrolled as %(similar)s. If they really are two people, say so and enrol it anyway.",
            similar=similar,
        )
    elif outcome is Refusal.TOO_MANY_PICTURES and limit:
        words = _(
            "This employee may have %(limit)s pictures, and these would be more. Delete one first, or replace the old ones.",
            limit=limit,
        )
    else:
        words = str(WORDS.get(outcome) or _("Refused: %(outcome)s.", outcome=outcome.value.replace("_", " ")))
    return f"{words} ({reason})" if reason and outcome is not Outcome.ENROLLED else words
