"""What days are computed by: sites, shift patterns and who works them, holidays, leave, and corrections of punches.

Nothing here changes an event. Versions, assignments and corrections are only ever added to; what came later, by its id,
holds.
"""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class Site(Base):
    """A place with its own clock and holidays. Where no site is named, the time zone of the settings counts."""

    __tablename__ = "sites"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    time_zone: Mapped[str] = mapped_column(String(64))
    country: Mapped[str] = mapped_column(String(2), default="")
    """ISO 3166-1, such as ID, for the calendar that holidays are imported from; empty: none chosen."""
    subdivision: Mapped[str] = mapped_column(String(16), default="")
    """ISO 3166-2 without the country, such as BY in Germany."""


class ShiftPattern(Base):
    """A name for rules; the rules themselves are in its versions."""

    __tablename__ = "shift_patterns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class ShiftPatternVersion(Base):
    """Rules from `first_day` on, until the version with the next later `first_day`."""

    __tablename__ = "shift_pattern_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    pattern_id: Mapped[int] = mapped_column(ForeignKey("shift_patterns.id"), index=True)
    first_day: Mapped[date] = mapped_column(Date)
    rules_json: Mapped[str] = mapped_column(Text)
    """A `dashboard.days.policy.Pattern`; see dashboard/planning/patterns.py."""
    made_ms: Mapped[int]
    made_by: Mapped[str] = mapped_column(String(64))


class Assignment(Base):
    """Somebody, or everybody of a department, works a pattern at a site from `first_day` until their next assignment.

    A person's own goes before the department's. Without a pattern it ends: a person's own gives way to the department's
    again, and a department without one has no rules.
    """

    __tablename__ = "assignments"
    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[str | None] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"))
    department: Mapped[str | None] = mapped_column(String(200))
    first_day: Mapped[date] = mapped_column(Date)
    pattern_id: Mapped[int | None] = mapped_column(ForeignKey("shift_patterns.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    made_ms: Mapped[int]
    made_by: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        Index("assignment_by_employee", "employee_id", "first_day"),
        Index("assignment_by_department", "department", "first_day"),
        CheckConstraint("(employee_id IS NULL) <> (department IS NULL)", name="assignment_of_one"),
    )


class Holiday(Base):
    """A day, or half of one, that is free at a site; at all of them without a site."""

    __tablename__ = "holidays"
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, index=True)
    name: Mapped[str] = mapped_column(String(200))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    half: Mapped[str | None] = mapped_column(String(6))
    source: Mapped[str] = mapped_column(String(16))
    entered_ms: Mapped[int]
    entered_by: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        CheckConstraint("half IN ('first', 'second')", name="holiday_half"),
        CheckConstraint("source IN ('entered', 'icalendar', 'country')", name="holiday_source"),
    )


class Leave(Base):
    """From `first_day` to `last_day`, both included; `half` is that half of each of them. Withdrawn, it counts no more."""

    __tablename__ = "leave"
    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[str] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    half: Mapped[str | None] = mapped_column(String(6))
    kind: Mapped[str] = mapped_column(String(32))
    paid: Mapped[bool]
    note: Mapped[str] = mapped_column(String(500), default="")
    entered_ms: Mapped[int]
    entered_by: Mapped[str] = mapped_column(String(64))
    withdrawn_ms: Mapped[int | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        Index("leave_by_employee", "employee_id", "last_day"),
        CheckConstraint("first_day <= last_day", name="leave_days"),
        CheckConstraint("half IN ('first', 'second')", name="leave_half"),
    )


class Correction(Base):
    """Asked for, then decided once. It points at an event, at an older correction, or at nothing: an added punch."""

    __tablename__ = "corrections"
    __table_args__ = (
        Index("correction_by_punch_time", "employee_id", "punch_ms"),
        Index("correction_by_new_time", "employee_id", "new_ms"),
        Index("correction_by_punch", "punch_id"),
        Index(
            "correction_waiting",
            "employee_id",
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index(
            "correction_added", "new_ms", sqlite_where=text("action = 'add'"), postgresql_where=text("action = 'add'")
        ),
        CheckConstraint("action IN ('add', 'void', 'change')", name="correction_action"),
        CheckConstraint("state IN ('asked', 'approved', 'refused', 'withdrawn')", name="correction_state"),
        CheckConstraint("new_direction IN ('in', 'out')", name="correction_direction"),
        CheckConstraint(
            "(action = 'add' AND event_id IS NULL AND corrects_id IS NULL AND new_ms IS NOT NULL"
            " AND new_direction IS NOT NULL) OR (action <> 'add' AND (event_id IS NULL) <> (corrects_id IS NULL))",
            name="correction_points_at_one",
        ),
        CheckConstraint("(state = 'asked') = (decided_ms IS NULL)", name="correction_decided"),
        {"sqlite_autoincrement": True},  # an id must never name another correction later
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[str] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"))
    event_id: Mapped[str | None] = mapped_column(ForeignKey("attendance_events.event_id", ondelete="CASCADE"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("corrections.id", ondelete="CASCADE"))
    punch_id: Mapped[str] = mapped_column(String(64))
    """The punch at the root of the chain: the event's id, or the name that an added punch was given."""
    punch_ms: Mapped[int]
    """When that punch was recorded or added for, so that a range of days finds it."""
    action: Mapped[str] = mapped_column(String(6))
    new_ms: Mapped[int | None]
    new_direction: Mapped[str | None] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(500))
    asked_ms: Mapped[int]
    asked_by: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(9))
    decided_ms: Mapped[int | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_note: Mapped[str] = mapped_column(String(500), default="")
