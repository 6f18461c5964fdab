"""Employees, the pictures that they were enrolled with, and the templates made from these."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.models.base import Base
from worker.protocol.entries import new_id


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
