"""A picture's result as page and script show it; where it looks like somebody else, with both pictures to compare."""

import base64
from typing import Any

from flask import url_for
from sqlalchemy import select

from dashboard.database import reading
from dashboard.enrolling.enrolment_words import EnrolResult
from dashboard.enrolling.pictures import thumbnail
from dashboard.models import EnrolmentPicture
from dashboard.web.answers import services
from worker.protocol.outcomes import QUALITY_PROMPTS, Outcome

TRY_AGAIN = QUALITY_PROMPTS | {Outcome.NO_FACE, Outcome.NOT_READY, Outcome.NO_WORKER}
"""Verdicts that another try may change: shown as a hint, not as a refusal."""


def verdict(file_name: str, result: EnrolResult) -> dict[str, Any]:
    """`confirm` offers to enrol a look-alike anyway; `similar` is whom it looks like."""
    kind = "good" if result.stored else "warn" if result.outcome in TRY_AGAIN else "bad"
    return {
        "file": file_name[:100],
        "outcome": result.outcome.value,
        "words": result.words,
        "kind": kind,
        "stored": result.stored,
        "confirm": result.outcome is Outcome.ALREADY_ENROLLED,
        "similar": similar(result),
    }


def similar(result: EnrolResult) -> dict[str, Any] | None:
    """Who it looks like: name, page, the newest picture of theirs, and the new picture itself as a data URL."""
    if result.similar_id is None or result.jpeg is None:
        return None
    with reading(services().sessions) as session:
        newest = session.scalar(
            select(EnrolmentPicture.id)
            .where(EnrolmentPicture.employee_id == result.similar_id)
            .order_by(EnrolmentPicture.created_ms.desc())
            .limit(1)
        )
    there = newest and url_for("pictures.show", employee_id=result.similar_id, picture_id=newest)
    return {
        "id": result.similar_id,
        "name": f"{result.similar_name} ({result.similar_code})",
        "page": url_for("people.person", employee_id=result.similar_id),
        "picture": there,
        "mine": "data:image/jpeg;base64," + base64.b64encode(thumbnail(result.jpeg)).decode(),
    }
