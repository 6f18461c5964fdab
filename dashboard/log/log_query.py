"""The attendance log's filter, read from a query string, and what is shown of a record. log_walk.py finds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from dashboard.models import AttendanceEvent, DecisionRecord, Employee, EventPicture, Kiosk, Site
from dashboard.months.asked_days import day_range
from dashboard.recording.attendance_rules import day_bounds_ms
from dashboard.web.filter_texts import read_texts

KINDS = {
    "punches": (lazy_gettext("Punches"), "recorded"),
    "duplicates": (lazy_gettext("Repeated"), "duplicate"),
    "unrecognised": (lazy_gettext("Not recognised"), "not_a_punch"),
    "inactive": (lazy_gettext("Deactivated people"), "inactive"),
    "all": (lazy_gettext("Everything"), None),
}
"""What may be shown: its words, and the decision's status it stands for."""
FIELDS = ("person", "department", "kiosk", "from", "to", "kind")


@dataclass(frozen=True)
class LogFilter:
    """`start` and `end` are calendar days at each door, both included. `as_of_ms`, carried by the pager's links, hides
    what came in later, so that pages and export hold the same while people walk in."""

    person: str = ""
    department: str = ""
    kiosk: str = ""
    start: date | None = None
    end: date | None = None
    kind: str = "punches"
    as_of_ms: int | None = None

    @property
    def status(self) -> str | None:
        """The decisions' status that is shown; None: any."""
        return KINDS[self.kind][1]

    def span_ms(self, zone: ZoneInfo) -> tuple[int | None, int | None]:
        """By that one clock: the first millisecond, and the first that isn't shown any more; None: without end."""
        start = day_bounds_ms(self.start, zone)[0] if self.start else None
        return start, day_bounds_ms(self.end, zone)[1] if self.end else None

    def query_string(self) -> dict[str, str]:
        """The filter as the page's own query, without `as_of` and without what is unset."""
        values = {
            "person": self.person,
            "department": self.department,
            "kiosk": self.kiosk,
            "from": self.start.isoformat() if self.start else "",
            "to": self.end.isoformat() if self.end else "",
            "kind": self.kind if self.kind != "punches" else "",
        }
        return {name: value for name, value in values.items() if value}


def read_filter(args: Mapping[str, str], kiosks: Mapping[str, str]) -> tuple[LogFilter, list[str]]:
    """The filter in `args`, and what is wrong with it in words (then what is wrong is left out of the filter)."""
    problems: list[str] = []
    texts = read_texts(args, FIELDS, problems)
    start, end = day_range(texts, problems)
    kind = texts["kind"] or "punches"
    if kind not in KINDS:
        problems.append(
            _("Show “%(kind)s”: not known; choose one of %(known)s.", kind=kind[:40], known=", ".join(KINDS))
        )
        kind = "punches"
    if texts["kiosk"] and texts["kiosk"] not in kiosks:
        problems.append(
            _(
                "Kiosk “%(kiosk)s”: not known; known are %(known)s.",
                kiosk=texts["kiosk"][:40],
                known=", ".join(sorted(kiosks)) or _("none yet"),
            )
        )
        texts["kiosk"] = ""
    as_of = args.get("as_of", "").strip()
    if as_of and not (as_of.isascii() and as_of.isdecimal() and len(as_of) <= 13):
        problems.append(_("as_of “%(as_of)s” is not a time in milliseconds; leave it out.", as_of=as_of[:40]))
        as_of = ""
    chosen = LogFilter(
        person=texts["person"],
        department=texts["department"],
        kiosk=texts["kiosk"],
        start=start,
        end=end,
        kind=kind,
        as_of_ms=int(as_of) if as_of else None,
    )
    return chosen, problems


def rows() -> Any:
    """Decisions with their punch, person and door; the caller says which. No order.

    `time_zone` is the punch's, for what is none the door's by now; None for a door of the main site.
    """
    return (
        select(
            DecisionRecord.event_id,
            DecisionRecord.captured_ms,
            DecisionRecord.received_ms,
            DecisionRecord.kiosk,
            DecisionRecord.outcome,
            DecisionRecord.status,
            DecisionRecord.distance,
            DecisionRecord.threshold,
            DecisionRecord.liveness,
            DecisionRecord.late,
            DecisionRecord.time_uncertain,
            DecisionRecord.employee_id,
            AttendanceEvent.direction,
            func.coalesce(AttendanceEvent.time_zone, Site.time_zone).label("time_zone"),
            Employee.code,
            Employee.name,
            Employee.department,
            Kiosk.label.label("kiosk_label"),
            exists().where(EventPicture.event_id == DecisionRecord.event_id).label("has_picture"),
        )
        .outerjoin(AttendanceEvent, AttendanceEvent.event_id == DecisionRecord.event_id)
        .outerjoin(Employee, Employee.id == DecisionRecord.employee_id)
        .outerjoin(Kiosk, Kiosk.name == DecisionRecord.kiosk)
        .outerjoin(Site, Site.id == Kiosk.site_id)
    )


def noted(chosen: LogFilter) -> dict[str, object]:
    """As the audit trail tells of an export: whom was searched for may be a name, so only that somebody was is told."""
    values: dict[str, object] = dict(chosen.query_string())
    return values | ({"person": True} if chosen.person else {})


def known_kiosks(session: Session) -> dict[str, str]:
    """Name and label of every kiosk that is set up or has sent a decision (the recorder enters those)."""
    return {kiosk.name: kiosk.label for kiosk in session.scalars(select(Kiosk).order_by(Kiosk.name))}
