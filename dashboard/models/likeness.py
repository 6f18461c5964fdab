"""What HR decided where a new face looked like somebody already enrolled."""

from sqlalchemy import CheckConstraint, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class LikenessDecision(Base):
    """One decision about one picture; only ever added to. The pictures themselves may be deleted later, this stays."""

    __tablename__ = "likeness_decisions"
    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[str] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[str] = mapped_column(String(64))
    """Whom the face looked like. No foreign key: they may be erased since."""
    picture_id: Mapped[str | None] = mapped_column(String(64))
    """The picture that was enrolled all the same; None where it wasn't."""
    decision: Mapped[str] = mapped_column(String(9))
    distance: Mapped[float | None] = mapped_column(Float)
    """Of the two faces, by the model that served; None where only a person's word is recorded."""
    decided_by: Mapped[str] = mapped_column(String(64))
    decided_ms: Mapped[int]
    __table_args__ = (CheckConstraint("decision IN ('different', 'same')", name="likeness_decision"),)
