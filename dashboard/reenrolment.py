"""Who is due to be enrolled again: faces change, and pictures that are years old cost people their punch at the door."""

from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from dashboard.models import Employee, EnrolmentPicture

MONTH_MS = 30.436875 * 86_400_000
"""A mean month of the calendar."""


def newest_before(months: int, now_ms: int) -> int:
    """A newest picture older than this is due."""
    return now_ms - round(months * MONTH_MS)


def _newest() -> Any:
    return func.max(EnrolmentPicture.created_ms)


def _due(months: int, now_ms: int) -> Any:
    """Active people whose newest picture is that old, the oldest first, each with its time. People without pictures
    aren't due again: they are still to be enrolled at all, which their state says."""
    return (
        select(Employee.id, Employee.code, Employee.name, Employee.department, _newest().label("newest_ms"))
        .join(EnrolmentPicture)
        .where(Employee.deactivated_ms.is_(None), Employee.consent_ms.is_not(None))
        .group_by(Employee.id, Employee.code, Employee.name, Employee.department)
        .having(_newest() < newest_before(months, now_ms))
        .order_by(_newest(), Employee.name, Employee.id)
    )


def count_due(session: Session, months: int, now_ms: int) -> int:
    """How many are due; 0 while the reminder is off (`months` 0)."""
    if months == 0:
        return 0
    return session.scalar(select(func.count()).select_from(_due(months, now_ms).order_by(None).subquery())) or 0


def list_due(session: Session, months: int, now_ms: int, limit: int, offset: int) -> list[Row[Any]]:
    """One page of those who are due."""
    return list(session.execute(_due(months, now_ms).limit(limit).offset(offset))) if months else []


def is_due(newest_ms: int | None, months: int, now_ms: int) -> bool:
    return months > 0 and newest_ms is not None and newest_ms < newest_before(months, now_ms)
