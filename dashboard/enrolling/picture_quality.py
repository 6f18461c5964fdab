"""How good the enrolled pictures of a person are, in words: what HR could do better with the next one.

The worker measures (worker/quality.py) and has refused whatever is useless already. The limits here are stricter: what is
within them is as good as it gets, what is not works, and a better picture would make the person known sooner.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.models import EnrolmentPicture, Template

GOOD_FACE_PX = 120.0
"""Width of the face."""
GOOD_SHARPNESS = 60.0
DARK, BRIGHT = 70.0, 200.0
"""Mean grey level of the face."""
FRONTAL = 0.25
"""The nose off the middle, in half eye distances."""


@dataclass(frozen=True)
class Picture:
    id: str
    created_ms: int
    created_by: str
    models: int
    """Recognisers that have a template of it; without one nobody is recognised by it."""
    advice: list[str]
    """What could be better, worst first; empty: good."""
    measured: bool


def advice(quality: dict[str, float]) -> list[str]:
    """What a better picture would have, in words; what lies farthest from its limit first."""
    face, sharp = quality.get("face_px"), quality.get("sharpness")
    light, yaw = quality.get("brightness"), quality.get("yaw")
    found: list[tuple[float, str]] = []
    if face is not None and face < GOOD_FACE_PX:
        found.append((1 - face / GOOD_FACE_PX, _("come closer: the face is small in the picture")))
    if sharp is not None and sharp < GOOD_SHARPNESS:
        found.append((1 - sharp / GOOD_SHARPNESS, _("hold still, and clean the lens: the face is not quite sharp")))
    if light is not None and light < DARK:
        found.append((1 - light / DARK, _("more light on the face: it is dark")))
    if light is not None and light > BRIGHT:
        found.append(((light - BRIGHT) / (255 - BRIGHT), _("less light on the face: it is too bright")))
    if yaw is not None and yaw > FRONTAL:
        found.append((yaw - FRONTAL, _("look at the camera: the face is turned")))
    return [words for _, words in sorted(found, reverse=True)]


def _figures(text: str) -> dict[str, float]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {str(name): float(value) for name, value in pairs if isinstance(value, int | float)}


def pictures(session: Session, employee_id: str) -> list[Picture]:
    """A person's pictures, those that most could be better about first, then the oldest."""
    columns = (EnrolmentPicture.id, EnrolmentPicture.created_ms, EnrolmentPicture.created_by)
    query = select(*columns, func.count(Template.id), func.max(Template.quality_json)).outerjoin(
        EnrolmentPicture.templates
    )
    query = query.where(EnrolmentPicture.employee_id == employee_id).group_by(*columns)
    found = [
        Picture(row[0], row[1], row[2], row[3], advice(figures), bool(figures))
        for row in session.execute(query)
        for figures in [_figures(row[4] or "{}")]
    ]
    return sorted(found, key=lambda one: (one.models > 0, -len(one.advice), one.created_ms, one.id))


def summary(found: Iterable[Picture]) -> str:
    """One sentence about all pictures of a person; empty without any."""
    pictures = list(found)
    if not pictures:
        return ""
    worse = any(picture.advice or not picture.models for picture in pictures)
    good = sum(not picture.advice and picture.models > 0 and picture.measured for picture in pictures)
    if worse:
        return ngettext(
            "%(num)s of %(count)s is good; the first ones are worth replacing.",
            "%(num)s of %(count)s are good; the first ones are worth replacing.",
            good,
            count=len(pictures),
        )
    if good == len(pictures):
        return _("All of them are good.")
    if good:
        return _("All that were measured are good.")
    return _("How good they are wasn’t measured.")
