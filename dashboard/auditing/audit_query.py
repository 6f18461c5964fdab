"""The audit trail's filter: read from a query string, and turned into one statement for page, export and command alike."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import String, and_, cast, func, select, union_all
from sqlalchemy.orm import Session, aliased

from dashboard.auditing.audit import NO_HASH
from dashboard.auditing.audit_actions import Action
from dashboard.models import ApiKey, AuditEntry, Employee, User
from dashboard.months.asked_days import day_range
from dashboard.recording.attendance_rules import day_bounds_ms, local_datetime
from dashboard.web.filter_texts import read_texts
from dashboard.web.locales import day_of_year

FIELDS = ("who", "action", "whom", "from", "to")
LONGEST_TEXT = 128
LARGEST_ID = 2**63 - 1
PEOPLE_IN_DETAILS = ("looks_like", "person")
"""Values that are the id of a person."""
MOMENT = "ms"
"""A value of this name is a time, in UTC milliseconds,"""
LATEST_MS = 4_102_444_800_000
"""before 2100; another number isn't one."""


@dataclass(frozen=True)
class TrailFilter:
    """`who` is the name of an account or of a key of the API; `whom` a person's code or id, an account's name, or a kiosk's or
    model's name; both in full, so that an index finds them. `before_id` is where the page before ended."""

    who: str = ""
    action: str = ""
    whom: str = ""
    start: date | None = None
    end: date | None = None
    before_id: int | None = None

    def query_string(self) -> dict[str, str]:
        values = {
            "who": self.who,
            "action": self.action,
            "whom": self.whom,
            "from": self.start.isoformat() if self.start else "",
            "to": self.end.isoformat() if self.end else "",
        }
        return {name: value for name, value in values.items() if value}

    def noted(self) -> dict[str, object]:
        """As the trail tells of an export; what was searched for may be a name, so only that it was is told."""
        values: dict[str, object] = dict(self.query_string())
        return values | {name: True for name in ("who", "whom") if name in values}


def read_filter(args: Mapping[str, str]) -> tuple[TrailFilter, list[str]]:
    """The filter in `args`, and what is wrong with it in words."""
    problems: list[str] = []
    texts = read_texts(args, (*FIELDS, "before"), problems, LONGEST_TEXT)
    if texts["action"] and texts["action"] not in set(Action):
        problems.append(_("Action “%(action)s”: not known; choose one of the list.", action=texts["action"][:40]))
    start, end = day_range(texts, problems)
    before = texts["before"]
    if before and not (before.isascii() and before.isdecimal() and int(before) <= LARGEST_ID):
        problems.append(_("Before “%(before)s” is not a row’s number; leave it out.", before=before[:40]))
        before = ""
    return TrailFilter(
        texts["who"], texts["action"], texts["whom"], start, end, int(before) if before else None
    ), problems


def rows(chosen: TrailFilter, zone: ZoneInfo) -> Any:
    """Rows with the names of accounts and the codes of people, as they are now, newest first."""
    actor, subject = aliased(User), aliased(User)
    of_account = and_(AuditEntry.subject_type == "account", cast(subject.id, String) == AuditEntry.subject_id)
    query: Any = (
        select(
            *AuditEntry.__table__.columns,
            func.coalesce(actor.name, ApiKey.name).label("actor_name"),
            subject.name.label("subject_name"),
            func.coalesce(Employee.code, AuditEntry.subject_code).label("person_code"),
        )
        .outerjoin(actor, actor.id == AuditEntry.actor_id)
        .outerjoin(ApiKey, ApiKey.id == AuditEntry.key_id)
        .outerjoin(subject, of_account)
        .outerjoin(Employee, and_(AuditEntry.subject_type == "person", Employee.id == AuditEntry.subject_id))
        .order_by(AuditEntry.id.desc())
    )
    if chosen.before_id is not None:
        query = query.where(AuditEntry.id < chosen.before_id)
    if chosen.who:
        query = query.where(AuditEntry.id.in_(_rows_by(chosen.who)))
    if chosen.action:
        query = query.where(AuditEntry.action == chosen.action)
    if chosen.whom:
        query = query.where(AuditEntry.id.in_(_rows_on(chosen.whom)))
    if chosen.start:
        query = query.where(AuditEntry.at_ms >= day_bounds_ms(chosen.start, zone)[0])
    if chosen.end:
        query = query.where(AuditEntry.at_ms < day_bounds_ms(chosen.end, zone)[1])
    return query


def _rows_by(who: str) -> Any:
    """The rows of an account or of keys that are called so; again one index for each way."""
    user = select(User.id).where(User.name == who).scalar_subquery()
    keys = select(ApiKey.id).where(ApiKey.name == who)
    return union_all(
        select(AuditEntry.id).where(AuditEntry.actor_id == user),
        select(AuditEntry.id).where(AuditEntry.key_id.in_(keys)),
    )


def _rows_on(whom: str) -> Any:
    """The rows on a thing that is called so. Each of the four ways to call it has an index; `or` would use none."""
    person = select(Employee.id).where(Employee.code == whom).scalar_subquery()
    number = select(cast(User.id, String)).where(User.name == whom).scalar_subquery()
    is_account = AuditEntry.subject_type == "account"
    return union_all(
        select(AuditEntry.id).where(AuditEntry.subject_code == whom),
        select(AuditEntry.id).where(AuditEntry.subject_id == person, ~is_account),
        select(AuditEntry.id).where(AuditEntry.subject_id == whom, ~is_account),
        select(AuditEntry.id).where(AuditEntry.subject_id == number, is_account),
    )


def head(session: Session) -> str:
    """The newest hash; 64 zeros while the trail is empty."""
    return session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)) or NO_HASH


def _sides(details: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The values before and after; None where the text holds something else."""
    try:
        found = json.loads(details)
        before, after = found.get("before", {}), found.get("after", {})
    except (ValueError, AttributeError):
        return None
    return (before, after) if isinstance(before, dict) and isinstance(after, dict) else None


def codes_in(session: Session, details: Iterable[str]) -> dict[str, str]:
    """The codes of the people whom these details name, by their ids; those who are gone are left out."""
    sides = [side for text in details for side in _sides(text) or ()]
    named = [value for side in sides for name, value in side.items() if name in PEOPLE_IN_DETAILS]
    ids = {value for value in named if isinstance(value, str) and value}
    if not ids:
        return {}
    return dict(session.execute(select(Employee.id, Employee.code).where(Employee.id.in_(ids))).tuples().all())


def details_words(details: str, codes: Mapping[str, str] | None = None, zone: tzinfo = UTC) -> list[str]:
    """Such as `direction: in → out`, one for each value; people by their `codes` where they are given, moments by `zone`."""
    sides = _sides(details)
    if sides is None:
        return [details]
    before, after = ({name: _named(name, value, codes or {}, zone) for name, value in side.items()} for side in sides)
    names = sorted({*before, *after})
    return [f"{'time' if name == MOMENT else name}: {_change(before, after, name)}" for name in names]


def _named(name: str, value: Any, codes: Mapping[str, str], zone: tzinfo) -> Any:
    if name == MOMENT and isinstance(value, int) and 0 <= value <= LATEST_MS:
        moment = local_datetime(value, zone)
        return f"{day_of_year(moment.date())}, {moment:%H:%M:%S %Z}"
    return codes.get(value, value) if name in PEOPLE_IN_DETAILS and isinstance(value, str) else value


def _change(before: dict[str, Any], after: dict[str, Any], name: str) -> str:
    sides = [_shown(values[name]) for values in (before, after) if name in values]
    return " → ".join(sides)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _("none")
    return _("none") if value in (None, "") else str(value)
