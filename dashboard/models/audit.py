"""The audit trail's table; what goes into it, and how its rows hang together, is in dashboard/auditing/audit.py."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.models.base import Base


class AuditEntry(Base):
    """Something that somebody did. Triggers of the database refuse to change or delete it (migration 0006)."""

    __tablename__ = "audit_log"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 …, without gaps."""
    at_ms: Mapped[int] = mapped_column(index=True)
    via: Mapped[str] = mapped_column(String(16))
    """dashboard; api: another system; or command: somebody with a shell on the site's machine."""
    actor_id: Mapped[int | None]
    """The account that did it; None for a command, a key, and somebody who isn't logged in."""
    key_id: Mapped[str] = mapped_column(String(16))
    """The key of the API that did it; empty for everybody else."""
    roles: Mapped[str] = mapped_column(String(100))
    """The account's roles at that moment, with commas between."""
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40))
    subject_type: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(128))
    subject_code: Mapped[str] = mapped_column(String(64))
    """Empty: codes are looked up by the id. Rows of early databases hold a person's code, which their hashes are made of."""
    details: Mapped[str] = mapped_column(Text)
    """JSON: values before and after."""
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        Index("audit_by_actor", "actor_id", "id"),
        Index("audit_by_key", "key_id", "id"),
        Index("audit_by_subject", "subject_id", "id"),
        Index("audit_by_code", "subject_code", "id"),
        Index("audit_by_action", "action", "id"),
    )
