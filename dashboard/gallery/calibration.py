"""A site's limits: thresholds stricter than the bundle's rule, set after a look at how alike its own people are.

Each look and each change is a row that stays, with who made it and when. The newest row of a model says which limit is in
force. A change raises the revision of the serving model's row in the same transaction, so that the recorders write the
limits into the ledger's key (serving_key.py) and workers follow within about a second.
"""

import logging
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms
from dashboard.gallery import serving
from dashboard.models import Calibration, Employee, EnrolmentPicture, Template

log = logging.getLogger(__name__)

OFFER_EVERY = 50
"""People enrolled since the last look, for the next to be offered."""
ACTIONS = {
    "look": Action.CALIBRATION_LOOKED,
    "apply": Action.CALIBRATION_APPLIED,
    "reset": Action.CALIBRATION_RESET,
}
"""For the audit trail."""
RECOGNISABLE = (Employee.deactivated_ms.is_(None), Employee.consent_ms.is_not(None))


def limits(session: Session) -> dict[str, float]:
    """The limits in force, by model id."""
    newest = select(func.max(Calibration.id)).group_by(Calibration.model_id)
    query = select(Calibration.model_id, Calibration.site_limit).where(
        Calibration.id.in_(newest), Calibration.site_limit.is_not(None)
    )
    return {model_id: limit for model_id, limit in session.execute(query) if limit is not None}


def templates(session: Session, model_id: str) -> list[tuple[str, bytes]]:
    """(employee's id, vector) of everybody who may be recognised under the model."""
    query = (
        select(Employee.id, Template.vector)
        .join(EnrolmentPicture, EnrolmentPicture.employee_id == Employee.id)
        .join(Template, Template.picture_id == EnrolmentPicture.id)
        .where(Template.model_id == model_id, *RECOGNISABLE)
    )
    return [(who, vector) for who, vector in session.execute(query)]


@dataclass(frozen=True)
class Made:
    """A look: who made it, and what was found. `matches` are the pairs of different people within `threshold`, which serves."""

    model_id: str
    by: str
    people: int
    matches: int
    threshold: float
    actor: audit.Actor = audit.COMMAND


def note_look(session: Session, made: Made) -> None:
    """Remember that the people were looked at; the limit in force stays."""
    serving.locked(session)  # so that nobody changes the limit between reading it and repeating it
    _add(session, "look", made, limits(session).get(made.model_id))


def apply(session: Session, made: Made, limit: float) -> None:
    """Put a stricter limit in force. ValueError unless it is stricter than the threshold that serves, and than any before."""
    row = serving.locked(session)
    strictest = min(made.threshold, limits(session).get(made.model_id, made.threshold))
    if not 0 < limit < strictest:
        raise ValueError(f"a limit of {limit:.4f} isn't stricter than the {strictest:.4f} that serves")
    row.revision += 1
    _add(session, "apply", made, limit)


def reset(session: Session, model_id: str, by: str, actor: audit.Actor = audit.COMMAND) -> float | None:
    """Take the limit back, and return it; None where there is none. It isn't a look: the next offer comes as before."""
    row = serving.locked(session)
    before = limits(session).get(model_id)
    if before is not None:
        row.revision += 1
        _add(session, "reset", Made(model_id, by, 0, 0, before, actor), None)
    return before


def _add(session: Session, action: Literal["look", "apply", "reset"], made: Made, limit: float | None) -> None:
    session.add(
        Calibration(
            action=action,
            model_id=made.model_id,
            made_ms=now_ms(),
            made_by=made.by[:64],
            people=made.people,
            matches=made.matches,
            threshold=made.threshold,
            site_limit=limit,
        )
    )
    audit.add(session, made.actor, ACTIONS[action], audit.Subject("model", made.model_id), after={"limit": limit})
    log.info("calibration of %s: %s, limit %s, %d people", made.model_id, action, limit, made.people)


def enrolled_since(session: Session, model_id: str) -> int:
    """People who may be recognised under the model and whose first picture came after the last look; all without one."""
    first = (
        select(EnrolmentPicture.employee_id, func.min(EnrolmentPicture.created_ms).label("since_ms"))
        .join(Employee, Employee.id == EnrolmentPicture.employee_id)
        .where(*RECOGNISABLE, exists().where(Template.picture_id == EnrolmentPicture.id, Template.model_id == model_id))
        .group_by(EnrolmentPicture.employee_id)
        .subquery()
    )
    query = select(func.count()).select_from(first)
    looked_ms = session.scalar(
        select(func.max(Calibration.made_ms)).where(Calibration.model_id == model_id, Calibration.action != "reset")
    )
    if looked_ms is not None:
        query = query.where(first.c.since_ms > looked_ms)
    return session.scalar(query) or 0


def newest_look(session: Session, model_id: str) -> Calibration | None:
    """The last time that the people were looked at under the model."""
    query = select(Calibration).where(Calibration.model_id == model_id, Calibration.action != "reset")
    return session.scalars(query.order_by(Calibration.id.desc()).limit(1)).first()


def offered(session: Session, model_id: str) -> int | None:
    """How many people were enrolled since the last look, once they are enough for another; else None."""
    people = enrolled_since(session, model_id)
    return people if people >= OFFER_EVERY else None
