"""Employees, the pictures that they were enrolled with, and the templates made from these."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.models.base import Base
from dashboard.web.folding import folded, searched
from worker.protocol.entries import new_id


class Employee(Base):
    """Somebody with a code. Departments are known by their name: no more is stored about one (departments.py)."""

    __tablename__ = "employees"
    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    department: Mapped[str] = mapped_column(String(200), default="")
    name_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The name as lists sort it: without case and accents. Kept by _keep_keys; a bulk statement sets it itself."""
    search_text: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Code, name and department as they are searched; kept likewise."""
    created_ms: Mapped[int]
    consent_ms: Mapped[int | None]
    """When consent to store face data was given; without it no template is made."""
    consent_by: Mapped[str | None] = mapped_column(String(64))
    deactivated_ms: Mapped[int | None]
    erased_ms: Mapped[int | None]
    erased_number: Mapped[int | None]
    """Of somebody erased, whose code and name are made of it; see dashboard/people/erasing.py."""
    pictures: Mapped[list["EnrolmentPicture"]] = relationship(back_populates="employee", cascade="all, delete-orphan")
    __table_args__ = (
        Index("employee_by_name", "name_key", "id"),
        Index("employee_by_department", "department", "name_key", "id"),
        Index("employee_by_created", "created_ms", "id"),
        Index("employee_by_erased_number", "erased_number", unique=True),
    )


@event.listens_for(Employee, "before_insert")
@event.listens_for(Employee, "before_update")
def _keep_keys(_mapper: Any, _connection: Any, employee: Employee) -> None:
    employee.name_key = folded(employee.name)
    employee.search_text = searched(employee.code, employee.name, employee.department or "")


class EnrolmentPicture(Base):
    """A picture a template was made from; kept as long as its template, so that a later model can embed it again."""

    __tablename__ = "enrolment_pictures"
    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    employee_id: Mapped[str] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    jpeg: Mapped[bytes]
    created_ms: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(64), default="")
    employee: Mapped[Employee] = relationship(back_populates="pictures")
    templates: Mapped[list["Template"]] = relationship(back_populates="picture", cascade="all, delete-orphan")
    __table_args__ = (
        UniqueConstraint("employee_id", "sha256", name="picture_once_per_employee"),
        Index("picture_by_employee", "employee_id", "created_ms"),  # with the time: a row's is behind its whole JPEG
    )


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
