"""What happened at the doors. An attendance event never changes.

A decision is what a worker said; an event is a decision that counts as a punch.
"""

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.models.base import Base
from dashboard.models.people import Employee


class Kiosk(Base):
    """A door. `direction` is what a punch there means: in, out, or alternate (in first, then the opposite of the last)."""

    __tablename__ = "kiosks"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(200), default="")
    direction: Mapped[str] = mapped_column(String(9), default="alternate")
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    """None: the site of the settings."""
    __table_args__ = (CheckConstraint("direction IN ('in', 'out', 'alternate')", name="kiosk_direction"),)


class DecisionRecord(Base):
    """Every decision a worker sent, once by its event id; `status` is recorded, duplicate, inactive or not_a_punch."""

    __tablename__ = "decisions"
    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kiosk: Mapped[str] = mapped_column(String(32))
    presence: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    employee_id: Mapped[str | None] = mapped_column(String(64))
    """No foreign key: a decision may name somebody who was erased since."""
    captured_ms: Mapped[int] = mapped_column(index=True)
    received_ms: Mapped[int]
    distance: Mapped[float | None] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    runner_up_distance: Mapped[float | None] = mapped_column(Float)
    good_frames: Mapped[int]
    model_id: Mapped[str] = mapped_column(String(128))
    liveness: Mapped[str] = mapped_column(String(16))
    late: Mapped[bool] = mapped_column(default=False)
    time_uncertain: Mapped[bool] = mapped_column(default=False)
    worker: Mapped[str] = mapped_column(String(64))
    duplicate_of: Mapped[str | None] = mapped_column(String(64))
    """Event id of the punch that this decision repeats."""
    __table_args__ = (
        Index(  # few have it, and every table of days asks which
            "decision_time_uncertain",
            "captured_ms",
            sqlite_where=text("time_uncertain = 1"),
            postgresql_where=text("time_uncertain"),
        ),
        # each of these serves one of the log's walks (dashboard/log/log_walk.py)
        Index("decision_by_status", "status", "captured_ms"),
        Index("decision_by_kiosk", "kiosk", "status", "captured_ms"),
        Index("decision_by_employee", "employee_id", "captured_ms", "status"),
        Index("decision_by_received", "received_ms", "event_id"),  # the API's order of punches
    )


class AttendanceEvent(Base):
    """A punch: who, when in UTC, where, in or out. Immutable; its figures are in the decision of the same event id."""

    __tablename__ = "attendance_events"
    event_id: Mapped[str] = mapped_column(ForeignKey("decisions.event_id"), primary_key=True)
    employee_id: Mapped[str] = mapped_column(ForeignKey("employees.id"))
    kiosk: Mapped[str] = mapped_column(String(32))
    captured_ms: Mapped[int] = mapped_column(index=True)
    direction: Mapped[str] = mapped_column(String(3))
    time_zone: Mapped[str] = mapped_column(String(64))
    """The site's zone when it was recorded, so that its local time stays what the person saw."""
    decision: Mapped[DecisionRecord] = relationship()
    employee: Mapped[Employee] = relationship()
    __table_args__ = (
        Index("event_by_employee", "employee_id", "captured_ms"),
        Index("event_by_kiosk", "kiosk", "captured_ms"),
        CheckConstraint("direction IN ('in', 'out')", name="event_direction"),
    )


class EventPicture(Base):
    """The face crop that a punch was decided on, for a site that keeps them; its own table, so that the log stays small."""

    __tablename__ = "event_pictures"
    event_id: Mapped[str] = mapped_column(
        ForeignKey("attendance_events.event_id", ondelete="CASCADE"), primary_key=True
    )
    jpeg: Mapped[bytes]
    expires_ms: Mapped[int] = mapped_column(index=True)
