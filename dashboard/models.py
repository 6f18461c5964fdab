"""Tables, as SQLAlchemy 2 typed models. Times are UTC milliseconds (`…_ms`): SQLite keeps no zones and payroll can't guess.

An attendance event never changes. A decision is what a worker said; an event is a decision that counts as a punch.
"""

from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from worker.protocol.entries import new_id


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={  # so that a later migration can name what it changes, on both databases
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar = {int: BigInteger().with_variant(Integer(), "sqlite"), bytes: LargeBinary}


class User(Base):
    """Somebody who may log in to the dashboard."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_ms: Mapped[int]


class Kiosk(Base):
    """A door. `direction` is what a punch there means: in, out, or alternate (in first, then the opposite of the last)."""

    __tablename__ = "kiosks"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(200), default="")
    direction: Mapped[str] = mapped_column(String(9), default="alternate")
    __table_args__ = (CheckConstraint("direction IN ('in', 'out', 'alternate')", name="kiosk_direction"),)


class Employee(Base):
    __tablename__ = "employees"
    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    department: Mapped[str] = mapped_column(String(200), default="", index=True)
    created_ms: Mapped[int]
    consent_ms: Mapped[int | None]
    """When consent to store face data was given; without it no template is made."""
    consent_by: Mapped[str | None] = mapped_column(String(64))
    deactivated_ms: Mapped[int | None]
    pictures: Mapped[list["EnrolmentPicture"]] = relationship(back_populates="employee", cascade="all, delete-orphan")


class EnrolmentPicture(Base):
    """A picture a template was made from; kept as long as its template, so that a later model can embed it again."""

    __tablename__ = "enrolment_pictures"
    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    employee_id: Mapped[str] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    jpeg: Mapped[bytes]
    created_ms: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(64), default="")
    employee: Mapped[Employee] = relationship(back_populates="pictures")
    templates: Mapped[list["Template"]] = relationship(back_populates="picture", cascade="all, delete-orphan")
    __table_args__ = (UniqueConstraint("employee_id", "sha256", name="picture_once_per_employee"),)


class Template(Base):
    """float32 of one picture under one model, as many as it gives; templates of different models are never compared."""

    __tablename__ = "templates"
    id: Mapped[int] = mapped_column(primary_key=True)
    picture_id: Mapped[str] = mapped_column(ForeignKey("enrolment_pictures.id", ondelete="CASCADE"), index=True)
    model_id: Mapped[str] = mapped_column(String(128), index=True)
    vector: Mapped[bytes]
    quality_json: Mapped[str] = mapped_column(String(2000), default="{}")
    created_ms: Mapped[int]
    picture: Mapped[EnrolmentPicture] = relationship(back_populates="templates")
    __table_args__ = (UniqueConstraint("picture_id", "model_id", name="template_once_per_model"),)


class GalleryOutbox(Base):
    """Changes of the gallery, written in the transaction that made them.

    The gallery's version is given when a change is published, not taken from the id: ids have gaps (transactions that
    were rolled back) and needn't rise in the order of the commits.
    """

    __tablename__ = "gallery_outbox"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 an id must never name another change later
    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(String(6))
    employee_id: Mapped[str | None] = mapped_column(String(64))
    model_id: Mapped[str] = mapped_column(String(128))
    created_ms: Mapped[int]


class GalleryShard(Base):
    """A shard whose workers get the gallery, the highest version published to it, and when its publisher was last there."""

    __tablename__ = "gallery_shards"
    shard: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[int]
    seen_ms: Mapped[int]


class GalleryPublication(Base):
    """A change that a shard has; once all have it, both rows are deleted (dashboard/outbox.py)."""

    __tablename__ = "gallery_publications"
    outbox_id: Mapped[int] = mapped_column(ForeignKey("gallery_outbox.id", ondelete="CASCADE"), primary_key=True)
    shard: Mapped[str] = mapped_column(String(16), primary_key=True)


class ServingModel(Base):
    """The one row (id 1) that says which model serves, which is coming, and who brings it; see dashboard/serving.py."""

    __tablename__ = "serving_model"
    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    epoch: Mapped[int]
    model_id: Mapped[str | None] = mapped_column(String(128))
    """None: what the workers' own settings say."""
    previous: Mapped[str | None] = mapped_column(String(128))
    coming: Mapped[str | None] = mapped_column(String(128))
    holder: Mapped[str | None] = mapped_column(String(64))
    """Token of the command that brings the coming model, while it lives."""
    held_until_ms: Mapped[int]


class Calibration(Base):
    """A look at how alike the site's own people are, or a change of the site's limit that followed; only ever added to.

    The newest row of a model says which limit is in force; see dashboard/calibration.py.
    """

    __tablename__ = "calibrations"
    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(String(128), index=True)
    made_ms: Mapped[int]
    made_by: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(8))
    people: Mapped[int]
    """Looked at; 0 for a reset, which looks at nobody."""
    matches: Mapped[int]
    """Pairs of different people that were within the threshold."""
    threshold: Mapped[float] = mapped_column(Float)
    """The distance that served when it was made."""
    site_limit: Mapped[float | None] = mapped_column(Float)
    """The limit in force after it; None: the bundle's rule alone."""
    __table_args__ = (CheckConstraint("action IN ('look', 'apply', 'reset')", name="calibration_action"),)


class DecisionRecord(Base):
    """Every decision a worker sent, once by its event id; `status` is recorded, duplicate, inactive or not_a_punch."""

    __tablename__ = "decisions"
    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kiosk: Mapped[str] = mapped_column(String(32), index=True)
    presence: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(32), index=True)
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
