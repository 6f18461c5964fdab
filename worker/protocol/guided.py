"""Guided enrolment: the poses that are asked for, and what to tell the person about the frame seen now."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

GOOD_FRAMES = 3
"""Of one pose, of which the best is kept."""
GOOD_APART_MS = 250
"""Good frames nearer in time to the last counted one show the same moment: they don't count, a better one still replaces."""


class Pose(StrEnum):
    """Where the person looks; left and right are their own, not those of a mirrored picture."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"


class Hint(StrEnum):
    """What is to be done about one frame. Where a frame's outcome says the same, so does the code."""

    GOOD = "good"  # hold still
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_NEAR = "too_near"
    CUT_OFF = "cut_off"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    LOOK_STRAIGHT = "look_straight"
    MORE_LEFT = "more_left"
    MORE_RIGHT = "more_right"
    TURN_LESS = "turn_less"


class Enrolling(BaseModel):
    """Where an enrolment at a kiosk stands. `pose` is the one wanted now, None once all are there; `hint` is of this frame."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(max_length=200)
    pose: Pose | None = None
    hint: Hint | None = None
    done: Annotated[int, Strict()] = Field(default=0, ge=0, le=len(Pose))
