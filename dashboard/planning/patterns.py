"""Shift patterns in the database: new versions of their rules, and who works them from which day on."""

from datetime import date
from functools import lru_cache

from flask_babel import gettext as _
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.days.policy import Pattern
from dashboard.models import Assignment, Employee, ShiftPattern, ShiftPatternVersion, Site

_RULES = TypeAdapter(Pattern)
LONGEST_NAME = 200


class RulesError(ValueError):
    """Something about rules that can't be; the message says what to do."""


@lru_cache(maxsize=1_024)
def rules_of(rules_json: str) -> Pattern:
    """The rules that a version holds; raises ValueError where a newer product wrote what this one doesn't know."""
    return _RULES.validate_json(rules_json)


def save_pattern(
    session: Session, name: str, rules: Pattern, first_day: date, *, by: str, now_ms: int, pattern_id: int | None = None
) -> ShiftPatternVersion:
    """A new pattern, or with `pattern_id` a new version of one, in force from `first_day` on.

    Days before it are computed as they were. A `first_day` in the past changes days that are over; that is meant, and
    days_of(…, rules_as_of_ms) still gives what they were before.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise RulesError(
            _(
                "name “%(name)s”: 1 to %(longest)s printable characters are needed",
                name=name[:40],
                longest=LONGEST_NAME,
            )
        )
    other = session.scalar(select(ShiftPattern).where(ShiftPattern.name == name))
    if other is not None and other.id != pattern_id:
        raise RulesError(
            _("name “%(name)s”: another shift pattern has it already; use a different one", name=name[:40])
        )
    if pattern_id is None:
        pattern = ShiftPattern(name=name)
        session.add(pattern)
        session.flush()
    else:
        pattern = session.get_one(ShiftPattern, pattern_id)
        pattern.name = name
    version = ShiftPatternVersion(
        pattern_id=pattern.id,
        first_day=first_day,
        rules_json=_RULES.dump_json(rules).decode(),
        made_ms=now_ms,
        made_by=by,
    )
    session.add(version)
    session.flush()
    return version


def assign(
    session: Session,
    first_day: date,
    *,
    by: str,
    now_ms: int,
    employee_id: str | None = None,
    department: str | None = None,
    pattern_id: int | None = None,
    site_id: int | None = None,
) -> Assignment:
    """From `first_day` on, one person or one department works `pattern_id` at `site_id`; see models.Assignment."""
    if (employee_id is None) == (department is None):
        raise RulesError(_("assignment: name one employee or one department"))
    if employee_id is not None and session.get(Employee, employee_id) is None:
        raise RulesError(_("employee %(id)r: not known", id=employee_id[:40]))
    if pattern_id is not None and session.get(ShiftPattern, pattern_id) is None:
        raise RulesError(_("shift pattern %(number)s: not known", number=pattern_id))
    if site_id is not None and session.get(Site, site_id) is None:
        raise RulesError(_("site %(number)s: not known", number=site_id))
    row = Assignment(
        employee_id=employee_id,
        department=department,
        first_day=first_day,
        pattern_id=pattern_id,
        site_id=site_id,
        made_ms=now_ms,
        made_by=by,
    )
    session.add(row)
    session.flush()
    return row
