"""One enum of outcome codes, shared by screen, log, metrics and enrolment."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a frame, a presence, an enrolment picture or a decision. The value is the wire code."""

    # a frame, or a presence while it lasts
    NO_FACE = "no_face"
    DECIDING = "deciding"  # a good face; more frames are needed before anybody is named
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"  # two employees are almost equally near
    TOO_SMALL = "too_small"
    CUT_OFF = "cut_off"  # the face leaves the picture
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TURNED_AWAY = "turned_away"
    SEVERAL_FACES = "several_faces"
    SPOOF_SUSPECTED = "spoof_suspected"
    NOT_LIVE = "not_live"
    # the system, not the person
    NOT_READY = "not_ready"  # no complete, current gallery: nobody is judged
    STALE = "stale"  # too late to be shown
    BAD_FRAME = "bad_frame"  # not a JPEG, too large, wrong version …; the reason is in words beside it
    BAD_CLOCK = "bad_clock"
    # enrolment
    ENROLLING = "enrolling"  # the kiosk takes somebody's enrolment pictures: nobody is judged there
    ENROLLED = "enrolled"
    ALREADY_ENROLLED = "already_enrolled"  # looks like somebody else who is enrolled
    NO_CONSENT = "no_consent"
    NO_WORKER = "no_worker"  # nobody answered in time
    # the recorder
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    INACTIVE = "inactive"  # recognised, but no longer (or not yet) allowed in


QUALITY_PROMPTS = frozenset(
    {
        Outcome.TOO_SMALL,
        Outcome.CUT_OFF,
        Outcome.BLURRED,
        Outcome.TOO_DARK,
        Outcome.TOO_BRIGHT,
        Outcome.TURNED_AWAY,
        Outcome.SEVERAL_FACES,
    }
)
"""Outcomes that ask the person in front of the camera to do something."""


class Liveness(StrEnum):
    """Whether somebody alive was seen to stand there. Until a liveness model serves, always `not_checked`."""

    NOT_CHECKED = "not_checked"
    LIVE = "live"
    NOT_LIVE = "not_live"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
