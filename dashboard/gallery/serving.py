"""Which model serves the site: one row of the database, and the key of each shard's ledger that is written from it.

A swap (swap.py) announces a model as coming, has every picture embedded by it, and switches. The row's lock orders
that with enrolment: a picture is stored with a template of the model that serves at that moment, and the switch happens
only in a transaction that finds no picture without a template of the model it switches to. So nobody falls between two
models. The recorder of each shard follows the row (serving_key.py), as the gallery's publisher follows the outbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms
from dashboard.gallery.outbox import queue_change
from dashboard.models import Employee, EnrolmentPicture, GalleryOutbox, GalleryShard, ServingModel, Template
from worker.protocol.entries import NUMBER_BYTES

HOLD_MS = 30_000
"""A command that was killed is followed by another after this."""
ACTIVE = (Employee.deactivated_ms.is_(None), Employee.consent_ms.is_not(None))


class SwapError(ValueError):
    """A swap that can't begin or go on; the message says why and what to do."""


class WrongSize(SwapError):
    """A template that can't be one of its model; the message says of how many numbers it is and the others are."""


@dataclass(frozen=True)
class Standing:
    """The row as it was read."""

    model_id: str | None = None
    previous: str | None = None
    coming: str | None = None
    epoch: int = 0
    revision: int = 0


def read(session: Session) -> Standing:
    row = session.get(ServingModel, 1)
    return Standing() if row is None else standing(row)


def standing(row: ServingModel) -> Standing:
    return Standing(row.model_id, row.previous, row.coming, row.epoch, row.revision)


def locked(session: Session, share: bool = False) -> ServingModel:
    """The row, held by this transaction; with `share` only against changes of it."""
    how = {"read": True} if share else True
    for _ in range(2):
        row = session.get(ServingModel, 1, with_for_update=how, populate_existing=True)
        if row is not None:
            return row
        try:
            with session.begin_nested():
                session.add(ServingModel(id=1, revision=0, epoch=0, held_until_ms=0))
        except IntegrityError:
            pass  # another transaction was first
    raise SwapError("the row of the serving model can't be had; try again")


def wanted(session: Session) -> Standing:
    """For the transaction that stores a picture: it commits before a switch looks for it, or after it and knows of it."""
    return standing(locked(session, share=True))


# --- the steps of a swap ---------------------------------------------------------------------------------------------


def begin(session: Session, target: str, token: str, by: audit.Actor = audit.COMMAND) -> Standing:
    """Announce `target` as coming, held by the swap with that token. Goes on where an earlier one ended."""
    row = locked(session)
    _refuse_if_held(row, token)
    if row.coming not in (None, target):
        raise SwapError(
            f"{row.coming} is half brought in: go on with `attendance model use {row.coming}`, "
            "or give it up with `attendance model cancel`"
        )
    if row.coming is None:
        row.coming, row.revision = target, row.revision + 1
        audit.add(session, by, Action.MODEL_COMING, audit.Subject("model", target))
    row.holder, row.held_until_ms = token, now_ms() + HOLD_MS
    return standing(row)


def _refuse_if_held(row: ServingModel, token: str | None = None) -> None:
    if row.holder is not None and row.holder != token and row.held_until_ms > now_ms():
        raise SwapError(
            f"another command is bringing {row.coming} in; let it finish, or stop it and wait {HOLD_MS // 1000} s"
        )


def hold_on(session: Session, token: str) -> None:
    """Say that the command lives; raises SwapError when another has taken over meanwhile."""
    row = locked(session)
    if row.holder != token:
        raise SwapError("the swap was cancelled, or taken over by another command; this one ends")
    row.held_until_ms = now_ms() + HOLD_MS


def let_go(session: Session, token: str) -> None:
    """The command ends: another may go on at once."""
    row = locked(session)
    if row.holder == token:
        row.holder, row.held_until_ms = None, 0


def switch(
    session: Session, token: str, now_serving: str | None, leave_out: set[str], by: audit.Actor = audit.COMMAND
) -> Standing | None:
    """Name the coming model as the serving one, under the next epoch. None when there is a picture that it hasn't embedded,
    other than those in `leave_out`. `now_serving` is what workers serve by their own setting."""
    hold_on(session, token)
    row = locked(session)
    assert row.coming is not None
    if set(pictures_without(session, row.coming)) - leave_out:
        return None
    row.previous = row.model_id or now_serving
    row.model_id, row.coming, row.holder, row.held_until_ms = row.coming, None, None, 0
    row.epoch, row.revision = row.epoch + 1, row.revision + 1
    subject = audit.Subject("model", row.model_id)
    audit.add(session, by, Action.MODEL_USED, subject, {"model": row.previous}, {"model": row.model_id})
    return standing(row)


def cancel(session: Session, by: audit.Actor = audit.COMMAND, even_held: bool = False) -> str | None:
    """Give up what is coming, and return it. Templates made of it stay: the next try needs not make them again.

    A swap that is under way is refused, or with `even_held` ended: it finds out before it does anything else.
    """
    row = locked(session)
    if not even_held:
        _refuse_if_held(row)
    gone = row.coming
    if gone is not None:
        row.coming, row.holder, row.held_until_ms, row.revision = None, None, 0, row.revision + 1
        audit.add(session, by, Action.MODEL_CANCELLED, audit.Subject("model", gone))
    return gone


# --- who and what is missing -----------------------------------------------------------------------------------------


def _has_template(model_id: str):  # type: ignore[no-untyped-def]
    return exists().where(Template.picture_id == EnrolmentPicture.id, Template.model_id == model_id)


def pictures_without(session: Session, model_id: str) -> Sequence[str]:
    """Pictures, of deactivated people too, that the model hasn't embedded."""
    query = (
        select(EnrolmentPicture.id)
        .join(Employee, Employee.id == EnrolmentPicture.employee_id)
        .where(Employee.consent_ms.is_not(None), ~_has_template(model_id))
        .order_by(EnrolmentPicture.created_ms, EnrolmentPicture.id)
    )
    return session.scalars(query).all()


def count_pictures(session: Session, model_id: str) -> tuple[int, int]:
    """How many pictures there are to embed, and how many of them the model hasn't embedded."""
    query = (
        select(func.count(), func.count().filter(~_has_template(model_id)))
        .select_from(EnrolmentPicture)
        .join(Employee, Employee.id == EnrolmentPicture.employee_id)
        .where(Employee.consent_ms.is_not(None))
    )
    total, left = session.execute(query).one()
    return total, left


def people_by_model(session: Session) -> dict[str, int]:
    """Model id → how many active people, who have agreed, it has a template of."""
    query = (
        select(Template.model_id, func.count(EnrolmentPicture.employee_id.distinct()))
        .join(EnrolmentPicture, EnrolmentPicture.id == Template.picture_id)
        .join(Employee, Employee.id == EnrolmentPicture.employee_id)
        .where(*ACTIVE)
        .group_by(Template.model_id)
    )
    return dict(session.execute(query).all())


def count_people(session: Session) -> int:
    """Active people who have agreed: whom a model should know."""
    return session.scalar(select(func.count()).select_from(Employee).where(*ACTIVE)) or 0


def has_pictures(session: Session) -> bool:
    return session.scalar(select(EnrolmentPicture.id).limit(1)) is not None


def people_without_picture(session: Session) -> list[tuple[str, str]]:
    """Code and name of active people who have agreed but have no stored picture: no model can know them."""
    return _people(session, ~exists().where(EnrolmentPicture.employee_id == Employee.id))


def people_unknown_to(session: Session, model_id: str) -> list[tuple[str, str]]:
    """Code and name of active people with pictures, none of which the model has embedded."""
    stored = exists().where(EnrolmentPicture.employee_id == Employee.id)
    known = exists().where(EnrolmentPicture.employee_id == Employee.id, _has_template(model_id))
    return _people(session, stored & ~known)


def _people(session: Session, rule) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    query = select(Employee.code, Employee.name).where(*ACTIVE, rule).order_by(Employee.name, Employee.code)
    return [(code, name) for code, name in session.execute(query)]


def require_size(session: Session, model_id: str, vector: bytes) -> None:
    """Raises WrongSize for a template that has other than as many numbers as those of the model that are stored."""
    query = select(func.length(Template.vector)).where(Template.model_id == model_id).limit(1)
    stored = session.scalar(query)
    if stored is not None and stored != len(vector):
        raise WrongSize(
            f"a template of {len(vector) // NUMBER_BYTES} numbers came for {model_id}, whose others have "
            f"{stored // NUMBER_BYTES}; all workers need one version of the product and of the model"
        )


def store_template(session: Session, picture_id: str, model_id: str, vector: bytes) -> bool:
    """Add a template of a stored picture and have the gallery follow. False when the picture is gone or has one already.

    Raises WrongSize.
    """
    require_size(session, model_id, vector)
    employee_id = session.scalar(select(EnrolmentPicture.employee_id).where(EnrolmentPicture.id == picture_id))
    if employee_id is None:
        return False
    employee = session.get(Employee, employee_id, with_for_update=True, populate_existing=True)
    there = session.scalar(select(EnrolmentPicture.id).where(EnrolmentPicture.id == picture_id))
    if employee is None or employee.consent_ms is None or there is None:
        return False  # withdrawn while we waited for the lock
    same = (Template.picture_id == picture_id) & (Template.model_id == model_id)
    if session.scalar(select(Template.id).where(same)) is not None:
        return False
    session.add(Template(picture_id=picture_id, model_id=model_id, vector=vector, created_ms=now_ms()))
    session.flush()
    queue_change(session, "put", employee.id, model_id)
    return True


def unpublished(session: Session, model_id: str) -> int:
    """Changes of the model's gallery that some shard hasn't published yet."""
    query = select(func.count()).select_from(GalleryOutbox).where(GalleryOutbox.model_id == model_id)
    return session.scalar(query) or 0


def gallery_versions(session: Session) -> dict[str, int]:
    """The version that each shard has published."""
    return {row.shard: row.version for row in session.scalars(select(GalleryShard))}
